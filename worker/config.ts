import { readFileSync } from 'node:fs';
import { databaseSettings } from '../db/config.ts';
import { kycProviders } from '../domain/kyc-provider.ts';
import {
  boolean,
  describeFaults,
  integer,
  list,
  oneOf,
  port,
  readSettings,
  type Setting,
  type SettingFault,
  text,
  url,
  type ValuesOf,
} from '../domain/settings.ts';
import { checkTemporalSettings, temporalSettings } from '../temporal/config.ts';
import { TASK_QUEUES, type TaskQueue } from '../temporal/task-queues.ts';
import { checkVaultSettings, vaultSettings } from '../vault/config.ts';

const taskQueues: Setting<readonly TaskQueue[]> = {
  ...(list('task queues of this worker', { default: TASK_QUEUES.join(',') }) as Setting<never>),
  parse: (value) => {
    const asked = value.split(',').map((one) => one.trim());
    const known = TASK_QUEUES.filter((queue) => asked.includes(queue));
    return known.length === asked.length
      ? { value: known }
      : { fault: `must be a comma list of ${TASK_QUEUES.join(', ')}` };
  },
};

/** Settings of the worker process (operations 3). */
export const workerSettings = {
  ...databaseSettings,
  ...temporalSettings,
  ...vaultSettings,
  NODE_ENV: oneOf('kind of run', ['development', 'test', 'production'], { default: 'development' }),
  CARDLOOM_DEV: boolean('allows plain http partner addresses', { default: 'false' }),
  LOG_LEVEL: oneOf('least level logged', ['trace', 'debug', 'info', 'warn', 'error'], { default: 'info' }),
  LOG_FORMAT: oneOf('form of log lines', ['json', 'pretty'], { default: 'json' }),
  METRICS_HOST: text('address of the metrics listener', { default: '127.0.0.1' }),
  WORKER_METRICS_PORT: port('metrics of the worker', { default: '9091' }),
  WORKER_TASK_QUEUES: taskQueues,
  WORKER_GRACE_SECONDS: integer('longest drain; longer than any activity attempt', {
    default: '60',
    min: 1,
    max: 600,
  }),
  IDEMPOTENCY_RETENTION_HOURS: integer('how long used idempotency keys are kept', {
    default: '720',
    min: 24,
    max: 87_600,
  }),
  PUBLIC_URL: url('address that providers call back', {
    default: 'http://localhost:8080',
    required: 'in-production',
  }),
  PROCESSOR_URL: url('issuing processor', { default: 'https://localhost:8094', required: 'in-production' }),
  PROCESSOR_CERT: text('our client certificate towards the processor', { required: 'in-production' }),
  PROCESSOR_KEY: text('its key', { required: 'in-production' }),
  PROCESSOR_CA: text('authority of the processor', { required: 'in-production' }),
  SMTP_URL: url('mail server', {
    default: 'smtp://localhost:8092',
    required: 'in-production',
    secret: true,
    schemes: ['smtp', 'smtps'],
  }),
  MAIL_FROM: text('sender of our mails', { default: 'cardloom@localhost', required: 'in-production' }),
  KYC_PROVIDERS: kycProviders,
  COMPANY_REGISTRY_URL: url('register of companies, asked about applications; none: nobody is asked'),
  COMPANY_REGISTRY_KEY: text('key for it', { secret: true }),
  OUTBOUND_CIDR_ALLOW: list('private ranges we may call', { default: '127.0.0.0/8,::1/128', production: '' }),
};

export type WorkerSettings = ValuesOf<typeof workerSettings>;

const CONFIGURATION = 78;

/** The settings of this process; prints all faults and ends with 78 when there are any. */
export function readWorkerConfig(): WorkerSettings {
  const { values, faults } = readSettings(workerSettings, process.env, (path) => readFileSync(path, 'utf8'));
  const all = faults.length > 0 ? faults : crossFaults(values);
  if (all.length > 0) {
    process.stderr.write(`${describeFaults(all)}\n`);
    process.exit(CONFIGURATION);
  }
  return values;
}

function crossFaults(values: WorkerSettings): SettingFault[] {
  const production = values.NODE_ENV === 'production';
  const faults = [...checkVaultSettings(values, production), ...checkTemporalSettings(values)];
  for (const name of ['DATABASE_ENGINE_URL', 'PROCESSOR_CERT', 'PROCESSOR_KEY', 'PROCESSOR_CA'] as const) {
    if (values[name] === null) faults.push({ name, fault: 'missing (npm start gives it)' });
  }
  if (production && values.CARDLOOM_DEV) {
    faults.push({ name: 'CARDLOOM_DEV', fault: 'must not be true in production' });
  }
  return faults;
}
