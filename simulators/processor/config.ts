import { readFileSync } from 'node:fs';
import type { ProcessorKeys } from './keys.ts';
import { parseProcessorKeys } from './keys.ts';

/** Everything the processor simulator takes from its environment (operations 3); paths are already read. */
export interface ProcessorConfig {
  readonly host: string;
  readonly controlPort: number;
  readonly contractPort: number;
  readonly token: string;
  readonly contractTls: { readonly cert: string; readonly key: string; readonly ca: string };
  readonly platform: {
    readonly url: string;
    readonly cert: string;
    readonly key: string;
    readonly ca: string;
  };
  readonly storeFolder: string;
  readonly keys: ProcessorKeys;
  readonly logLevel: string;
  /** For scenarios; null when no partner certificate is named. */
  readonly scenarioPartner: {
    readonly url: string;
    readonly cert: string;
    readonly key: string;
    readonly ca: string;
    readonly issuerCode: string;
  } | null;
  readonly partnerServer: { readonly url: string; readonly token: string } | null;
}

export type ConfigOutcome =
  { readonly config: ProcessorConfig } | { readonly faults: readonly { name: string; fault: string }[] };

const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error'];

/** Reads the environment once; all faults come back together (the program prints them and exits 78). */
export function readConfig(environment: NodeJS.ProcessEnv = process.env): ConfigOutcome {
  const faults: { name: string; fault: string }[] = [];
  const wrong = (name: string, fault: string): void => void faults.push({ name, fault });

  const text = (name: string, fallback = ''): string => {
    const value = environment[name] || fallback;
    if (value === '') wrong(name, 'missing');
    return value;
  };
  const port = (name: string, fallback: number): number => {
    const value = environment[name] || String(fallback);
    if (!/^[0-9]{1,5}$/.test(value) || Number(value) < 1 || Number(value) > 65_535) {
      wrong(name, 'must be a whole number from 1 to 65535');
    }
    return Number(value);
  };
  const file = (name: string): string => {
    const path = text(name);
    if (path === '') return '';
    try {
      return readFileSync(path, 'utf8');
    } catch {
      wrong(name, 'names a file that cannot be read');
      return '';
    }
  };
  const secret = (name: string): string => {
    if (!environment[`${name}_FILE`]) return text(name);
    if (environment[name]) wrong(name, `is set, and so is ${name}_FILE: keep one`);
    return file(`${name}_FILE`).trim();
  };

  if (environment['NODE_ENV'] === 'production' && environment['SIM_ALLOW'] !== 'true') {
    wrong('SIM_ALLOW', 'must be true: simulators do not start in production mode without it');
  }
  const platformUrl = text('SIM_PLATFORM_URL', 'https://localhost:8443').replace(/\/+$/, '');
  if (!URL.canParse(platformUrl) || !platformUrl.startsWith('https://')) {
    wrong('SIM_PLATFORM_URL', 'must be an address that starts with https://');
  }
  const logLevel = text('LOG_LEVEL', 'info');
  if (!LOG_LEVELS.includes(logLevel)) wrong('LOG_LEVEL', `must be one of ${LOG_LEVELS.join(', ')}`);

  const keyFile = file('SIM_PROCESSOR_KEYS');
  const keys = keyFile === '' ? null : parseProcessorKeys(keyFile);
  if (keyFile !== '' && keys === null) wrong('SIM_PROCESSOR_KEYS', 'is not a key file (cvk, pinTransport)');

  const platformCa = file('SIM_PLATFORM_CA');
  const token = secret('SIMULATOR_TOKEN');
  const partnerControlUrl = environment['SIM_PARTNER_CONTROL_URL'] || null;
  const config = {
    host: text('SIM_HOST', '127.0.0.1'),
    controlPort: port('SIM_PROCESSOR_PORT', 8090),
    contractPort: port('SIM_PROCESSOR_TLS_PORT', 8094),
    token,
    contractTls: {
      cert: file('SIM_PROCESSOR_TLS_CERT'),
      key: file('SIM_PROCESSOR_TLS_KEY'),
      ca: file('SIM_PROCESSOR_TLS_CA'),
    },
    platform: {
      url: platformUrl,
      cert: file('SIM_PLATFORM_CERT'),
      key: file('SIM_PLATFORM_KEY'),
      ca: platformCa,
    },
    storeFolder: text('SIM_PROCESSOR_STORE', '.cardloom/simulators'),
    logLevel,
    scenarioPartner: environment['SIM_SCENARIO_CERT']
      ? {
          url: platformUrl,
          cert: file('SIM_SCENARIO_CERT'),
          key: file('SIM_SCENARIO_KEY'),
          ca: platformCa,
          issuerCode: text('SIM_SCENARIO_ISSUER_CODE', 'sandbox'),
        }
      : null,
    partnerServer: partnerControlUrl === null ? null : { url: partnerControlUrl, token },
  };
  return faults.length > 0 || keys === null ? { faults } : { config: { ...config, keys } };
}

/** The block that is printed before exit 78. */
export function describeFaults(faults: readonly { name: string; fault: string }[]): string {
  const width = Math.max(...faults.map((one) => one.name.length));
  const lines = faults.map((one) => `  ${one.name.padEnd(width)}  ${one.fault}`);
  return [`configuration: ${faults.length} fault${faults.length === 1 ? '' : 's'}`, ...lines].join('\n');
}
