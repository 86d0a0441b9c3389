import { createHmac, randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { readJson, writeJson } from './private-file.ts';

/** Random values made once per data folder. */
export interface Secrets {
  readonly postgresPassword: string;
  readonly ownerPassword: string;
  readonly appPassword: string;
  readonly enginePassword: string;
  readonly simulatorToken: string;
  readonly kycApiKey: string;
  readonly kycWebhookSecret: string;
  /** What the passwords of the demo operators are made from. */
  readonly demoOperators: string;
}

/** New random secrets; 256 bits each, safe inside an address. */
export function newSecrets(): Secrets {
  const secret = () => randomBytes(32).toString('base64url');
  return {
    postgresPassword: secret(),
    ownerPassword: secret(),
    appPassword: secret(),
    enginePassword: secret(),
    simulatorToken: secret(),
    kycApiKey: secret(),
    kycWebhookSecret: `whsec_${randomBytes(32).toString('base64')}`,
    demoOperators: secret(),
  };
}

/** The secrets of a data folder; those it does not have yet are made and kept. */
export function loadSecrets(dataDir: string): Secrets {
  const path = join(dataDir, 'secrets.json');
  const kept = readJson(path) as Partial<Secrets> | null;
  const secrets = { ...newSecrets(), ...kept };
  if (kept === null || Object.keys(kept).length < Object.keys(secrets).length) writeJson(path, secrets);
  return secrets;
}

/** The password of a demo operator: the same at every start of a data folder, another in each; 96 bits. */
export const demoPassword = (secret: string, email: string): string =>
  createHmac('sha256', secret).update(email).digest('base64url').slice(0, 16);
