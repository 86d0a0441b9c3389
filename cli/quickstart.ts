import { rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Environment } from '../domain/settings.ts';
import { operatorEnvironment } from './child-environment.ts';
import { lockHolder } from './run-lock.ts';
import { readJson, writeJson } from './private-file.ts';
import { addressesOf, simulatorToken, type Stack } from './stack.ts';

interface Programme {
  readonly id: string;
  readonly issuerCode: string;
  readonly configIds: Readonly<Record<string, string>>;
}

/** What quickstart.json tells of the demo data. */
export interface DemoFacts {
  readonly partner: { readonly id: string; readonly code: string };
  readonly programmes: Readonly<Record<string, Programme>>;
  readonly operators: readonly {
    readonly email: string;
    readonly password: string;
    readonly role: string;
    readonly scope: string;
  }[];
}

/** The file by which the demo, README commands and outside programs find the running stack (operations 1). */
export interface Quickstart {
  readonly publicUrl: string;
  readonly certificateUrl: string;
  readonly panelUrl: string;
  readonly temporalAddress: string;
  readonly temporalNamespace: string;
  readonly temporalUiUrl: string;
  /** Role cardloom_owner. */
  readonly databaseUrl: string;
  readonly caCertificate: string;
  readonly partner: {
    readonly id: string;
    readonly code: string;
    readonly certificate: string;
    readonly key: string;
  };
  readonly processor: { readonly certificate: string; readonly key: string };
  readonly programmes: DemoFacts['programmes'];
  readonly operators: DemoFacts['operators'];
  readonly simulators: {
    readonly token: string;
    readonly processorUrl: string;
    readonly partnerUrl: string;
    readonly partnerControlUrl: string;
    readonly kycProviderUrl: string;
    readonly inboxUrl: string;
  };
}

/** The contents of quickstart.json. */
export function quickstartOf(stack: Stack, demo: DemoFacts): Quickstart {
  const at = addressesOf(stack);
  const { certificates } = stack;
  return {
    publicUrl: at.publicUrl,
    certificateUrl: at.certificateUrl,
    panelUrl: `${at.publicUrl}/panel`,
    temporalAddress: at.temporalAddress,
    temporalNamespace: stack.values.TEMPORAL_NAMESPACE,
    temporalUiUrl: at.temporalUiUrl,
    databaseUrl: stack.database.owner,
    caCertificate: certificates.ca,
    partner: { id: demo.partner.id, code: demo.partner.code, ...certificates.of.demo },
    processor: { ...certificates.of.processor },
    programmes: demo.programmes,
    operators: demo.operators,
    simulators: {
      token: simulatorToken(stack),
      processorUrl: at.processorControlUrl,
      partnerUrl: at.partnerUrl,
      partnerControlUrl: at.partnerControlUrl,
      kycProviderUrl: at.kycProviderUrl,
      inboxUrl: at.inboxUrl,
    },
  };
}

const quickstartFile = (dataDir: string): string => join(dataDir, 'quickstart.json');
const environmentFile = (dataDir: string): string => join(dataDir, 'environment.json');

/** Writes what other programs need while the stack runs: quickstart.json, and environment.json for our own. */
export function publishStack(stack: Stack, quickstart: Quickstart): void {
  writeJson(environmentFile(stack.dataDir), operatorEnvironment(stack));
  writeJson(quickstartFile(stack.dataDir), quickstart);
}

/** Removes both files; they describe a running stack only. */
export function withdrawStack(dataDir: string): void {
  rmSync(quickstartFile(dataDir), { force: true });
  rmSync(environmentFile(dataDir), { force: true });
}

/** quickstart.json of a data folder; null when nothing runs there. */
export const readQuickstart = (dataDir: string): Quickstart | null =>
  lockHolder(dataDir) === null ? null : (readJson(quickstartFile(dataDir)) as Quickstart | null);

/**
 * The environment in which an operator's command runs. When a local stack runs its settings win, because they
 * say where it is and with which keys it works; the person's own come below. With it every
 * `<folder>/config.ts` reads the settings that the processes have.
 */
export function withLocalStack(environment: Environment, dataDir: string): Environment {
  const runs = lockHolder(dataDir) !== null;
  const local = runs ? (readJson(environmentFile(dataDir)) as Environment | null) : null;
  if (local === null || environment['DATABASE_URL']) return environment;
  const given = Object.entries(environment).filter(([name, value]) => value && !Object.hasOwn(local, name));
  return { ...local, ...Object.fromEntries(given) };
}
