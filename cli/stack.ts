import { join } from 'node:path';
import type { CertificateFiles } from './certificate-files.ts';
import type { StartValues } from './config.ts';
import type { KeyFiles } from './key-files.ts';
import type { Ports } from './ports.ts';
import type { Secrets } from './secrets.ts';
import type { Environment } from '../domain/settings.ts';

/** Connection strings of our processes, of the embedded database or of the one the settings name. */
export interface DatabaseUrls {
  readonly owner: string;
  readonly app: string;
  readonly engine: string;
}

/** Everything that is known of one local stack before its children start. */
export interface Stack {
  readonly projectDir: string;
  readonly dataDir: string;
  /** What the person set; passed on to the children. */
  readonly environment: Environment;
  readonly values: StartValues;
  readonly ports: Ports;
  readonly secrets: Secrets;
  readonly certificates: CertificateFiles;
  readonly keys: KeyFiles;
  readonly database: DatabaseUrls;
}

/** The addresses of a local stack, as they stand in quickstart.json and in its children's settings. */
export function addressesOf(stack: Pick<Stack, 'values' | 'ports'>): {
  readonly publicUrl: string;
  readonly certificateUrl: string;
  readonly temporalAddress: string;
  readonly temporalUiUrl: string;
  readonly codecUrl: string;
  readonly processorContractUrl: string;
  readonly processorControlUrl: string;
  readonly partnerUrl: string;
  readonly partnerControlUrl: string;
  readonly kycProviderUrl: string;
  readonly inboxUrl: string;
  readonly smtpUrl: string;
} {
  const { values, ports } = stack;
  return {
    publicUrl:
      values.PUBLIC_URL ?? `http${values.PUBLIC_TLS_CERT ? 's' : ''}://localhost:${ports.PUBLIC_PORT}`,
    certificateUrl: values.CERT_URL ?? `https://localhost:${ports.CERT_PORT}`,
    temporalAddress: values.TEMPORAL_ADDRESS ?? `127.0.0.1:${ports.TEMPORAL_PORT}`,
    temporalUiUrl: values.TEMPORAL_UI_URL ?? `http://localhost:${ports.TEMPORAL_UI_PORT}`,
    codecUrl: `http://localhost:${ports.CODEC_PORT}`,
    processorContractUrl: `https://localhost:${ports.SIM_PROCESSOR_TLS_PORT}`,
    processorControlUrl: `http://localhost:${ports.SIM_PROCESSOR_PORT}`,
    partnerUrl: `https://localhost:${ports.SIM_PORT}`,
    partnerControlUrl: `http://localhost:${ports.SIM_CONTROL_PORT}`,
    kycProviderUrl: `http://localhost:${ports.SIM_KYC_PORT}`,
    inboxUrl: `http://localhost:${ports.SIM_INBOX_PORT}`,
    smtpUrl: `smtp://localhost:${ports.SIM_INBOX_SMTP_PORT}`,
  };
}

/** The token of the simulators' control calls. */
export const simulatorToken = (stack: Pick<Stack, 'values' | 'secrets'>): string =>
  stack.values.SIMULATOR_TOKEN ?? stack.secrets.simulatorToken;

/** The folder of the simulators' stores. */
export const simulatorFolder = (dataDir: string): string => join(dataDir, 'simulators');
