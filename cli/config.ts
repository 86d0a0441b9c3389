import { readFileSync } from 'node:fs';
import { isAbsolute, join } from 'node:path';
import { databaseSettings } from '../db/config.ts';
import {
  boolean,
  integer,
  oneOf,
  port,
  readSettings,
  text,
  url,
  type Environment,
  type ReadSettings,
  type SettingFault,
  type ValuesOf,
} from '../domain/settings.ts';

/** Settings of `npm start` and of the commands that act on its data folder (operations 3). */
export const startSettings = {
  NODE_ENV: oneOf('kind of run', ['development', 'test', 'production'], { default: 'development' }),
  CARDLOOM_DATA_DIR: text('folder of the local data', { default: '.cardloom' }),
  CARDLOOM_PORT_OFFSET: integer('added to every port', { default: '0', max: 50_000 }),
  LOG_LEVEL: oneOf('least level logged', ['trace', 'debug', 'info', 'warn', 'error'], { default: 'info' }),
  PUBLIC_PORT: port('public listener', { default: '8080' }),
  PUBLIC_URL: url('address in mails and links'),
  PUBLIC_TLS_CERT: text('certificate file of the public listener'),
  PUBLIC_TLS_KEY: text('key file of the public listener'),
  CERT_PORT: port('certificate listener', { default: '8443' }),
  CERT_URL: url('address of the certificate listener', { schemes: ['https'] }),
  METRICS_PORT: port('metrics of the API', { default: '9090' }),
  WORKER_METRICS_PORT: port('metrics of the worker', { default: '9091' }),
  DATABASE_URL: databaseSettings.DATABASE_URL,
  DATABASE_ENGINE_URL: databaseSettings.DATABASE_ENGINE_URL,
  DATABASE_OWNER_URL: databaseSettings.DATABASE_OWNER_URL,
  EMBEDDED_PG_PORT: port('embedded PostgreSQL', { default: '55432' }),
  TEMPORAL_ADDRESS: text('host and port of the Temporal server'),
  TEMPORAL_NAMESPACE: text('Temporal namespace', { default: 'cardloom' }),
  TEMPORAL_UI_URL: url('address of the Temporal UI'),
  TEMPORAL_PORT: port('Temporal development server', { default: '7233' }),
  TEMPORAL_UI_PORT: port('UI of the Temporal development server', { default: '8233' }),
  TEMPORAL_CLI_PATH: text('program of the Temporal development server'),
  TEMPORAL_CLI_VERSION: text('version fetched when none is found', { default: '1.5.1' }),
  CODEC_PORT: port('codec server', { default: '8234' }),
  PARTNER_URL: url('server of the demo partner'),
  SIM_PROCESSOR_PORT: port('control calls of the processor simulator', { default: '8090' }),
  SIM_PROCESSOR_TLS_PORT: port('contract calls of the processor simulator', { default: '8094' }),
  SIM_KYC_PORT: port('KYC provider simulator', { default: '8091' }),
  SIM_INBOX_PORT: port('inbox simulator', { default: '8093' }),
  SIM_INBOX_SMTP_PORT: port('mail port of the inbox simulator', { default: '8092' }),
  SIM_PORT: port('partner simulator', { default: '9443' }),
  SIM_CONTROL_PORT: port('control calls of the partner simulator', { default: '9444' }),
  SIMULATOR_TOKEN: text('bearer token of the simulators', { secret: true }),
  CARDLOOM_DEV: boolean('allows plain http partner addresses', { default: 'true', production: 'false' }),
};

export type StartValues = ValuesOf<typeof startSettings>;

/** The environment of this process; other files are given it. */
export const processEnvironment = (): Environment => process.env;

/** Reads the settings of the start; also returns the faults that lie between two settings. */
export function readStartSettings(environment: Environment): ReadSettings<typeof startSettings> {
  const read = readSettings(startSettings, environment, (path) => readFileSync(path, 'utf8'));
  return { ...read, faults: [...read.faults, ...crossFaults(read)] };
}

/** The absolute data folder. */
export const dataDirOf = (values: StartValues, projectDir: string): string =>
  isAbsolute(values.CARDLOOM_DATA_DIR)
    ? values.CARDLOOM_DATA_DIR
    : join(projectDir, values.CARDLOOM_DATA_DIR);

function crossFaults(read: ReadSettings<typeof startSettings>): SettingFault[] {
  const { values } = read;
  const faulty = new Set(read.faults.map((one) => one.name));
  const faults: SettingFault[] = [];
  if (Boolean(values.PUBLIC_TLS_CERT) !== Boolean(values.PUBLIC_TLS_KEY)) {
    const [missing, other] = values.PUBLIC_TLS_CERT
      ? ['PUBLIC_TLS_KEY', 'PUBLIC_TLS_CERT']
      : ['PUBLIC_TLS_CERT', 'PUBLIC_TLS_KEY'];
    faults.push({ name: missing, fault: `missing (${other} is set)` });
  }
  if (values.DATABASE_URL) {
    for (const name of ['DATABASE_ENGINE_URL', 'DATABASE_OWNER_URL'] as const) {
      if (!values[name] && !faulty.has(name)) faults.push({ name, fault: 'missing (DATABASE_URL is set)' });
    }
  }
  const seen = new Map<number, string>();
  for (const name of portNames) {
    const number = values[name];
    if (faulty.has(name)) continue;
    const other = seen.get(number);
    if (other === undefined) seen.set(number, name);
    else faults.push({ name, fault: `${number} is also ${other}` });
    if (!faulty.has('CARDLOOM_PORT_OFFSET') && number + values.CARDLOOM_PORT_OFFSET > 65_535) {
      faults.push({ name, fault: 'is above 65535 with CARDLOOM_PORT_OFFSET' });
    }
  }
  return faults;
}

/** Every setting that is a port of this machine. */
export const portNames = [
  'PUBLIC_PORT',
  'CERT_PORT',
  'METRICS_PORT',
  'WORKER_METRICS_PORT',
  'EMBEDDED_PG_PORT',
  'TEMPORAL_PORT',
  'TEMPORAL_UI_PORT',
  'CODEC_PORT',
  'SIM_PROCESSOR_PORT',
  'SIM_PROCESSOR_TLS_PORT',
  'SIM_KYC_PORT',
  'SIM_INBOX_PORT',
  'SIM_INBOX_SMTP_PORT',
  'SIM_PORT',
  'SIM_CONTROL_PORT',
] as const;

export type PortName = (typeof portNames)[number];
