import { connect } from 'node:net';
import type pg from 'pg';
import { createAuthorizer } from '../activities/authorization/authorizer.ts';
import { createMailClient, createSmsClient } from '../activities/messaging/client.ts';
import { createProcessorClient } from '../activities/processor/client.ts';
import { noteCertificateUse } from '../db/certificates.ts';
import { createDatabase, createPool } from '../db/client.ts';
import { armFailpoints } from '../db/failpoints.ts';
import { describeFindings, findDatabaseFaults } from '../db/start-checks.ts';
import { openAuthorityFiles } from '../vault/authority-key.ts';
import { openAnchorSink } from '../vault/anchor-sink.ts';
import { openDocumentStore } from '../vault/document-store.ts';
import { readKeySources } from '../vault/key-files.ts';
import { openVault } from '../vault/vault.ts';
import { createApp } from './app.ts';
import { createCertificateRegistry } from './certificate-registry.ts';
import { mountAuthority } from './authority-files.ts';
import { certificateChannels, publicChannels } from './channels.ts';
import { type ApiSettings, readApiConfig } from './config.ts';
import { createDirect } from './direct.ts';
import { mountDocs } from './docs.ts';
import { createHealthChecks } from './health-checks.ts';
import { listenCertificate, listenPublic } from './listeners.ts';
import { mountKybForm } from './kyb/page.ts';
import { createLogger } from './logger.ts';
import { createMetrics, listenMetrics } from './metrics.ts';
import { closeUntrusted } from './middleware/client-certificate.ts';
import { describeApi } from './openapi.ts';
import type { Services } from './services.ts';
import { listenForChanges } from './certificate-changes.ts';
import { VERSION } from './version.ts';

const CHECK_SOCKETS_MS = 2_000;
const LISTEN_ON_MS = 5_000;
const ENGINE_CONNECTIONS = 4;
const LANE_CONFIGURATION_CONNECTIONS = 2;

const config = readApiConfig();
const logger = createLogger('api', { level: config.LOG_LEVEL, format: config.LOG_FORMAT });

/** What `readApiConfig` has made sure of. */
const given = (value: string | null): string => {
  if (value === null) throw new Error('a required setting is missing');
  return value;
};

if (config.FAILPOINTS !== null) armFailpoints(config.FAILPOINTS);
await refuseUnfitDatabase(config);
const pools = openPools(config);
const app = createDatabase(pools.app);
const engine = createDatabase(pools.engine);
const vault = await openVault(engine, readKeySources(config));
let draining = false;

const laneConfiguration = createDatabase(pools.laneConfiguration);
const authorizer = createAuthorizer({
  engine: laneConfiguration,
  pool: pools.lanes,
  lanes: config.AUTH_LANES,
  batchMax: config.AUTH_BATCH_MAX,
  deadlineMs: config.AUTH_DEADLINE_MS,
  queueMax: config.ADMISSION_AUTH,
  logger,
});
const metrics = createMetrics(VERSION);
const certificates = createCertificateRegistry(engine, Date.now);
const services: Services = {
  app,
  engine,
  vault,
  documents: openDocumentStore(config.DOCUMENT_STORE),
  authorizer,
  processor: createProcessorClient({
    url: config.PROCESSOR_URL,
    certificateFile: given(config.PROCESSOR_CERT),
    keyFile: given(config.PROCESSOR_KEY),
    caFile: given(config.PROCESSOR_CA),
  }),
  certificates,
  authority:
    config.CA_CHAIN === null || config.CA_KEY === null
      ? null
      : await openAuthorityFiles(
          vault,
          { chain: config.CA_CHAIN, key: config.CA_KEY },
          config.NODE_ENV !== 'production',
        ),
  anchors: openAnchorSink(config.AUDIT_ANCHOR_URL),
  sms: createSmsClient({ smsUrl: config.SMS_URL }),
  mail: createMailClient({ smtpUrl: config.SMTP_URL, from: config.MAIL_FROM }),
  kycProviders: config.KYC_PROVIDERS,
  operators: {
    publicUrl: config.PUBLIC_URL,
    allowedCidrs: config.PANEL_ALLOWED_CIDRS,
    timeZone: config.OPERATOR_TIMEZONE,
    secureCookie: !config.CARDLOOM_DEV,
  },
  logger,
  health: createHealthChecks({
    engine,
    temporalReachable: () => accepts(config.TEMPORAL_ADDRESS),
    draining: () => draining,
  }),
  metrics,
  nowMs: Date.now,
};

const publicApp = createApp(services, 'public', publicChannels);
const certificateApp = createApp(services, 'certificate', certificateChannels);
mountKybForm(publicApp.hono, services);
mountAuthority(publicApp.hono, services);
mountDocs(publicApp.hono, describeApi([...publicApp.routes, ...certificateApp.routes], VERSION));

const publicTls =
  config.PUBLIC_TLS_CERT === null || config.PUBLIC_TLS_KEY === null
    ? null
    : { cert: config.PUBLIC_TLS_CERT, key: config.PUBLIC_TLS_KEY };
const publicListener = await listenPublic(
  publicApp.hono,
  { host: config.PUBLIC_HOST, port: config.PUBLIC_PORT },
  publicTls,
);
const certificateListener = await listenCertificate(
  certificateApp.hono,
  createDirect(services, 'certificate', certificateChannels),
  { host: config.CERT_HOST, port: config.CERT_PORT },
  {
    cert: given(config.CERT_TLS_CERT),
    key: given(config.CERT_TLS_KEY),
    caFile: given(config.CERT_CLIENT_CA),
  },
);
const metricsListener = await listenMetrics(metrics.registry, {
  host: config.METRICS_HOST,
  port: config.METRICS_PORT,
});
const changes = listenForChanges(given(config.DATABASE_ENGINE_URL), certificates.flush, logger);
const useNotes = setInterval(() => {
  noteCertificateUse(engine, certificates.takeUsed()).catch(() => {
    logger.warn('the last use of certificates was not noted');
  });
}, 30_000);
const socketCheck = setInterval(() => {
  closeUntrusted(certificateListener.sockets, certificates, Date.now()).catch((error: unknown) => {
    logger.warn(
      { fault: error instanceof Error ? error.name : 'unknown' },
      'open connections were not checked',
    );
  });
}, CHECK_SOCKETS_MS);
logger.info({ publicPort: publicListener.port, certificatePort: certificateListener.port }, 'ready');

for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => void stop(signal));
process.once('disconnect', () => void stop('disconnect'));

/** Ready turns false, listening stops, what runs finishes; a second call changes nothing. */
async function stop(reason: string): Promise<void> {
  if (draining) return;
  draining = true;
  logger.info({ reason }, 'draining');
  setTimeout(() => process.exit(1), config.SHUTDOWN_SECONDS * 1_000).unref();
  // A load balancer needs a moment to see that we are not ready; a short drain gives it a short one.
  await new Promise((resolve) => setTimeout(resolve, Math.min(LISTEN_ON_MS, config.SHUTDOWN_SECONDS * 50)));
  clearInterval(socketCheck);
  clearInterval(useNotes);
  const stopped = Promise.all([publicListener.stop(), certificateListener.stop()]);
  const closing = setInterval(() => {
    publicListener.closeIdle();
    certificateListener.closeIdle();
  }, 100);
  await stopped;
  clearInterval(closing);
  await authorizer.drain();
  await Promise.all([changes.stop(), metricsListener.stop()]);
  await Promise.all([app.destroy(), engine.destroy(), laneConfiguration.destroy(), pools.lanes.end()]);
  logger.info('stopped');
  process.exit(0);
}

/** Ends with 78 when the database is not one to keep money in (operations 4). */
async function refuseUnfitDatabase(settings: ApiSettings): Promise<void> {
  const findings = await findDatabaseFaults(
    {
      urls: [given(settings.DATABASE_URL), given(settings.DATABASE_ENGINE_URL)],
      connections:
        settings.DB_POOL_API + settings.DB_POOL_AUTH + ENGINE_CONNECTIONS + LANE_CONFIGURATION_CONNECTIONS,
      production: settings.NODE_ENV === 'production',
    },
    () => logger.warn('the database is away; waiting for it'),
  );
  if (findings.length > 0) process.stderr.write(`${describeFindings(findings)}\n`);
  if (findings.some((one) => !one.warning)) process.exit(78);
}

function openPools(
  settings: ApiSettings,
): Readonly<Record<'app' | 'engine' | 'lanes' | 'laneConfiguration', pg.Pool>> {
  const shared = { ssl: settings.DATABASE_SSL, caFile: settings.DATABASE_CA_FILE };
  const onError = (error: Error) =>
    logger.warn({ code: 'code' in error ? error.code : error.name }, 'database connection lost');
  const engineUrl = given(settings.DATABASE_ENGINE_URL);
  return {
    app: createPool({
      ...shared,
      onError,
      url: given(settings.DATABASE_URL),
      max: settings.DB_POOL_API,
      name: 'cardloom-api',
    }),
    engine: createPool({
      ...shared,
      onError,
      url: engineUrl,
      max: ENGINE_CONNECTIONS,
      name: 'cardloom-api-engine',
    }),
    laneConfiguration: createPool({
      ...shared,
      onError,
      url: engineUrl,
      max: LANE_CONFIGURATION_CONNECTIONS,
      name: 'cardloom-lane-configuration',
    }),
    lanes: createPool({
      ...shared,
      onError,
      url: engineUrl,
      max: settings.DB_POOL_AUTH,
      name: 'cardloom-lanes',
      statementTimeoutMs: 1_000,
      lockTimeoutMs: 250,
      idleInTransactionMs: 5_000,
      queryTimeoutMs: 3_000,
      connectTimeoutMs: 1_000,
      pipeline: true,
    }),
  };
}

async function accepts(address: string): Promise<boolean> {
  const [host = '', port = ''] = address.split(/:(?=[0-9]+$)/);
  return await new Promise((resolve) => {
    const socket = connect({ host, port: Number(port), timeout: 1_000 });
    const end = (answer: boolean) => {
      socket.destroy();
      resolve(answer);
    };
    socket.once('connect', () => end(true));
    socket.once('error', () => end(false));
    socket.once('timeout', () => end(false));
  });
}
