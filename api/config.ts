import { readFileSync } from 'node:fs';
import { databaseSettings } from '../db/config.ts';
import { kycProviders } from '../domain/kyc-provider.ts';
import { isTimeZone } from '../domain/limit-periods.ts';
import {
  boolean,
  describeFaults,
  integer,
  list,
  oneOf,
  port,
  readSettings,
  type SettingFault,
  text,
  url,
  type ValuesOf,
} from '../domain/settings.ts';
import { checkTemporalSettings, temporalSettings } from '../temporal/config.ts';
import { checkVaultSettings, vaultSettings } from '../vault/config.ts';
import { isAddressRange } from './address-list.ts';

/** Settings of the HTTP process (operations 3). */
export const apiSettings = {
  ...databaseSettings,
  ...temporalSettings,
  ...vaultSettings,
  NODE_ENV: oneOf('kind of run', ['development', 'test', 'production'], { default: 'development' }),
  LOG_LEVEL: oneOf('least level logged', ['trace', 'debug', 'info', 'warn', 'error'], { default: 'info' }),
  LOG_FORMAT: oneOf('form of log lines', ['json', 'pretty'], { default: 'json' }),
  SHUTDOWN_SECONDS: integer('longest drain', { default: '25', min: 1, max: 300 }),
  PUBLIC_HOST: text('address of the public listener', { default: '127.0.0.1', production: '0.0.0.0' }),
  PUBLIC_PORT: port('public listener', { default: '8080' }),
  PUBLIC_URL: url('address in mails and links', {
    default: 'http://localhost:8080',
    required: 'in-production',
  }),
  TRUSTED_PROXY_CIDRS: list('proxies whose X-Forwarded-For is believed'),
  RATE_LIMIT_EXEMPT_CIDRS: list('addresses whose calls without identity are not counted'),
  PUBLIC_TLS_CERT: text('certificate file of the public listener'),
  PUBLIC_TLS_KEY: text('key file of the public listener'),
  CERT_HOST: text('address of the certificate listener', { default: '127.0.0.1', production: '0.0.0.0' }),
  CERT_PORT: port('certificate listener', { default: '8443' }),
  CERT_TLS_CERT: text('certificate file of the certificate listener', { required: 'in-production' }),
  CERT_TLS_KEY: text('key file of the certificate listener', { required: 'in-production' }),
  CERT_CLIENT_CA: text('file of the authorities that sign client certificates', {
    required: 'in-production',
  }),
  CA_CHAIN: text('file of the authority that issues client certificates, with its root'),
  CA_KEY: text('its key: sealed by the vault, in development PEM'),
  METRICS_HOST: text('address of the metrics listener', { default: '127.0.0.1' }),
  METRICS_PORT: port('metrics of the API', { default: '9090' }),
  PROCESSOR_URL: url('issuing processor', { default: 'https://localhost:8094', required: 'in-production' }),
  PROCESSOR_CERT: text('our client certificate towards the processor', { required: 'in-production' }),
  PROCESSOR_KEY: text('its key', { required: 'in-production' }),
  PROCESSOR_CA: text('authority of the processor', { required: 'in-production' }),
  SMS_URL: url('gateway of text messages', {
    default: 'http://localhost:8093/sms',
    required: 'in-production',
    secret: true,
  }),
  SMTP_URL: url('mail server', {
    default: 'smtp://localhost:8092',
    required: 'in-production',
    secret: true,
    schemes: ['smtp', 'smtps'],
  }),
  MAIL_FROM: text('sender of our mails', { default: 'cardloom@localhost', required: 'in-production' }),
  KYC_PROVIDERS: kycProviders,
  AUTH_DEADLINE_MS: integer('whole authorization', { default: '2000', min: 500, max: 5000 }),
  AUTH_LANES: integer('lanes of this process', { default: '2', min: 1, max: 16 }),
  AUTH_BATCH_MAX: integer('most requests in one database transaction', { default: '128', min: 1, max: 1000 }),
  ADMISSION_AUTH: integer('authorizations in progress; as many wait', {
    default: '256',
    min: 1,
    max: 10_000,
  }),
  CARDLOOM_DEV: boolean('rules of development', { default: 'true', production: 'false' }),
  SANDBOX: boolean('sandbox routes and test clock', { default: 'true', production: 'false' }),
  PANEL_ALLOWED_CIDRS: list('who may reach /admin and /panel; empty = all'),
  OPERATOR_TIMEZONE: text('zone whose midnight ends the lock-out of an operator', { default: 'UTC' }),
  OUTBOUND_CIDR_ALLOW: list('private ranges we may call', { default: '127.0.0.0/8,::1/128', production: '' }),
};

export type ApiSettings = ValuesOf<typeof apiSettings>;

/** The settings of this process; prints all faults and ends with 78 when there are any. */
export function readApiConfig(): ApiSettings {
  const { values, faults } = readSettings(apiSettings, process.env, (path) => readFileSync(path, 'utf8'));
  const all = faults.length > 0 ? faults : crossFaults(values);
  if (all.length > 0) {
    process.stderr.write(`${describeFaults(all)}\n`);
    process.exit(78);
  }
  return values;
}

function crossFaults(values: ApiSettings): SettingFault[] {
  const production = values.NODE_ENV === 'production';
  const faults = [...checkVaultSettings(values, production), ...checkTemporalSettings(values)];
  for (const name of [
    'DATABASE_URL',
    'DATABASE_ENGINE_URL',
    'CERT_TLS_CERT',
    'CERT_TLS_KEY',
    'CERT_CLIENT_CA',
    'PROCESSOR_CERT',
    'PROCESSOR_KEY',
    'PROCESSOR_CA',
  ] as const) {
    if (values[name] === null) faults.push({ name, fault: 'missing (npm start gives it)' });
  }
  if (values.CERT_PORT === values.PUBLIC_PORT) {
    faults.push({ name: 'CERT_PORT', fault: `${values.CERT_PORT} is also PUBLIC_PORT` });
  }
  if (values.DB_POOL_AUTH <= values.AUTH_LANES) {
    const least = `must be more than AUTH_LANES (${values.AUTH_LANES}): clearing has a lane of its own`;
    faults.push({ name: 'DB_POOL_AUTH', fault: least });
  }
  if ((values.CA_CHAIN === null) !== (values.CA_KEY === null)) {
    faults.push({ name: 'CA_KEY', fault: 'CA_CHAIN and CA_KEY go together' });
  }
  if ((values.PUBLIC_TLS_CERT === null) !== (values.PUBLIC_TLS_KEY === null)) {
    faults.push({ name: 'PUBLIC_TLS_KEY', fault: 'PUBLIC_TLS_CERT and PUBLIC_TLS_KEY go together' });
  }
  for (const name of ['CARDLOOM_DEV', 'SANDBOX'] as const) {
    if (production && values[name]) faults.push({ name, fault: 'must not be true in production' });
  }
  if (production && values.FAILPOINTS !== null) {
    faults.push({ name: 'FAILPOINTS', fault: 'must not be set in production' });
  }
  if (production && values.DATABASE_SSL === 'off' && !(values.DATABASE_URL ?? '').includes('host=/')) {
    faults.push({ name: 'DATABASE_SSL', fault: 'must not be off in production (a unix socket excepted)' });
  }
  if (!isTimeZone(values.OPERATOR_TIMEZONE)) {
    faults.push({
      name: 'OPERATOR_TIMEZONE',
      fault: 'must be a zone of the IANA list, such as Europe/Warsaw',
    });
  }
  for (const name of ['PANEL_ALLOWED_CIDRS', 'TRUSTED_PROXY_CIDRS', 'RATE_LIMIT_EXEMPT_CIDRS'] as const) {
    if (!values[name].every(isAddressRange)) {
      faults.push({ name, fault: 'must hold addresses and ranges only: 10.0.0.0/8' });
    }
  }
  if (production && !values.PUBLIC_URL.startsWith('https://')) {
    faults.push({ name: 'PUBLIC_URL', fault: 'must start with https:// in production' });
  }
  return faults;
}
