import { makeTelemetryFilterString, Runtime } from '@temporalio/worker';
import { createExpirySweep } from '../activities/authorization/holds.ts';
import { createActivities } from '../activities/index.ts';
import { createCompanyRegistryClient } from '../activities/company-registry/client.ts';
import { createKycProviderClient } from '../activities/kyc-provider/client.ts';
import { createCustomerAddresses } from '../activities/messaging/customer-addresses.ts';
import { createMailClient } from '../activities/messaging/client.ts';
import { createAddressGuard } from '../activities/partner/address-guard.ts';
import { createPartnerClient } from '../activities/partner/client.ts';
import { createPartnerKeys } from '../activities/partner/public-key.ts';
import { createRenderer } from '../activities/partner/render.ts';
import { createProcessorClient } from '../activities/processor/client.ts';
import { createDatabase, createPool } from '../db/client.ts';
import { describeFindings, findDatabaseFaults } from '../db/start-checks.ts';
import { connectClient, isTemporalReachable } from '../temporal/connection.ts';
import { createDataConverter } from '../temporal/data-converter.ts';
import { connectWorkers } from '../temporal/worker-connection.ts';
import { openAnchorSink } from '../vault/anchor-sink.ts';
import { openDocumentStore } from '../vault/document-store.ts';
import { readKeySources } from '../vault/key-files.ts';
import { openVault } from '../vault/vault.ts';
import { loadBundle } from './bundle-workflows.ts';
import { readWorkerConfig } from './config.ts';
import { startHealthServer } from './health.ts';
import { createKybMails } from './kyb-mails.ts';
import { createLogger, temporalLogger } from './logger.ts';
import { startMailRelay } from './mail-relay.ts';
import { createMetrics } from './metrics.ts';
import { startRelay } from './outbox-relay.ts';
import { startSweepers } from './sweepers.ts';
import { VERSION } from './version.ts';
import { startWorkers } from './workers.ts';

const CONFIGURATION = 78;
const CLEARING_CONNECTIONS = 3;
const FILE_MS = 60_000;
const config = readWorkerConfig();
const production = config.NODE_ENV === 'production';
const logger = createLogger({ level: config.LOG_LEVEL, format: config.LOG_FORMAT });
const sdkLogger = temporalLogger(
  logger.child({ component: 'temporal' }, { level: production ? 'info' : 'warn' }),
);
// We listen to signals ourselves: relay and listeners have to end in order with the workers.
Runtime.install({
  logger: sdkLogger,
  shutdownSignals: [],
  // The native core tells of each failed poll while Temporal is away; we tell of the absence once.
  telemetryOptions: {
    logging: { forward: {}, filter: makeTelemetryFilterString({ core: 'ERROR', other: 'ERROR' }) },
  },
});

/** What `readWorkerConfig` has made sure of. */
const given = <T>(value: T | null): T => {
  if (value === null) throw new Error('a required setting is missing');
  return value;
};

const findings = await findDatabaseFaults(
  {
    urls: [given(config.DATABASE_ENGINE_URL)],
    connections: config.DB_POOL_WORKER + CLEARING_CONNECTIONS,
    production,
  },
  () => logger.warn('the database is away; waiting for it'),
);
if (findings.length > 0) process.stderr.write(`${describeFindings(findings)}\n`);
if (findings.some((one) => !one.warning)) process.exit(CONFIGURATION);

const pool = createPool({
  url: given(config.DATABASE_ENGINE_URL),
  max: config.DB_POOL_WORKER,
  name: 'cardloom-worker',
  ssl: config.DATABASE_SSL,
  caFile: config.DATABASE_CA_FILE,
  onError: (error) => logger.warn({ fault: error.name }, 'database connection lost'),
});
const engine = createDatabase(pool);
const clearingPool = createPool({
  url: given(config.DATABASE_ENGINE_URL),
  max: CLEARING_CONNECTIONS,
  name: 'cardloom-worker-clearing',
  ssl: config.DATABASE_SSL,
  caFile: config.DATABASE_CA_FILE,
  lockTimeoutMs: 1_000,
  pipeline: true,
  onError: (error) => logger.warn({ fault: error.name }, 'database connection lost'),
});
const metrics = createMetrics(engine, VERSION);
const vault = await openVault(engine, readKeySources(config));
const dataConverter = createDataConverter({
  keys: given(config.TEMPORAL_PAYLOAD_KEYS),
  namespace: config.TEMPORAL_NAMESPACE,
  refusePlain: production,
});
const client = connectClient(config, dataConverter);
const partner = createPartnerClient({
  guard: createAddressGuard({ allow: config.OUTBOUND_CIDR_ALLOW, dev: config.CARDLOOM_DEV }),
  userAgent: `Cardloom/${VERSION}`,
});
const processor = createProcessorClient({
  url: config.PROCESSOR_URL,
  certificateFile: given(config.PROCESSOR_CERT),
  keyFile: given(config.PROCESSOR_KEY),
  caFile: given(config.PROCESSOR_CA),
});
const activities = createActivities({
  db: engine,
  vault,
  documents: openDocumentStore(config.DOCUMENT_STORE),
  idempotencyHours: config.IDEMPOTENCY_RETENTION_HOURS,
  clients: new Map(config.KYC_PROVIDERS.map((one) => [one.code, createKycProviderClient(one)])),
  callbackBaseUrl: config.PUBLIC_URL,
  companyRegistry:
    config.COMPANY_REGISTRY_URL === null
      ? null
      : createCompanyRegistryClient({
          url: config.COMPANY_REGISTRY_URL,
          apiKey: config.COMPANY_REGISTRY_KEY,
        }),
  partner,
  partnerKeys: createPartnerKeys(partner),
  processor,
  clearingPool,
  openClearingFile: (fileId) => processor.getClearingFile(fileId, FILE_MS),
  logger,
  onAttempt: metrics.attempt,
  onReconciled: metrics.reconciled,
});

let draining = false;
const workers = startWorkers({
  connect: () => connectWorkers(config),
  namespace: config.TEMPORAL_NAMESPACE,
  queues: config.WORKER_TASK_QUEUES,
  bundle: await loadBundle(production, sdkLogger),
  activities,
  dataConverter,
  graceMs: config.WORKER_GRACE_SECONDS * 1_000,
  logger,
  onServerFaults(faults) {
    for (const fault of faults) process.stderr.write(`TEMPORAL  ${fault}\n`);
    process.exit(CONFIGURATION);
  },
});
const relay = startRelay({
  db: engine,
  pool,
  target: { client },
  render: createRenderer(vault),
  logger,
  onBatch: metrics.batch,
  onPoison: metrics.poisoned,
});
const mailRelay = startMailRelay({
  vault,
  engine,
  mail: createMailClient({ smtpUrl: config.SMTP_URL, from: config.MAIL_FROM }),
  addressOf: createCustomerAddresses({ db: engine, vault }),
  renderKyb: createKybMails({ engine, vault, publicUrl: config.PUBLIC_URL }),
  logger,
});
const sweepers = startSweepers(
  {
    engine,
    vault,
    anchors: openAnchorSink(config.AUDIT_ANCHOR_URL),
    processor,
    client,
    queues: config.WORKER_TASK_QUEUES,
    expireHolds: createExpirySweep({ db: engine, clearingPool, logger }),
    onExpired: metrics.expired,
    onAnchored: metrics.anchored,
  },
  logger,
);
let reachable = false;
const reachCheck = setInterval(
  () => void isTemporalReachable(client).then((now) => (reachable = now)),
  2_000,
);
const health = await startHealthServer(
  {
    engine,
    registry: metrics.registry,
    started: workers.started,
    connected: () => reachable && workers.polling(),
    draining: () => draining,
    logger,
  },
  { host: config.METRICS_HOST, port: config.WORKER_METRICS_PORT },
);
logger.info({ metricsPort: config.WORKER_METRICS_PORT }, 'worker started');

for (const signal of ['SIGTERM', 'SIGINT', 'disconnect']) process.once(signal, () => void stop(signal));

/** Nothing new is taken, what runs finishes inside the grace, then everything is closed. */
async function stop(reason: string): Promise<void> {
  if (draining) return;
  draining = true;
  logger.info({ reason }, 'draining');
  const LATEST_MS = config.WORKER_GRACE_SECONDS * 1_000 + 5_000;
  setTimeout(() => process.exit(1), LATEST_MS).unref();
  clearInterval(reachCheck);
  await Promise.all([relay.stop(), mailRelay.stop(), workers.stop(), sweepers.stop()]);
  await Promise.all([partner.close(), processor.close(), health.stop()]);
  await client.connection.close().catch(() => undefined);
  await clearingPool.end();
  await engine.destroy();
  logger.info('stopped');
  process.exit(0);
}
