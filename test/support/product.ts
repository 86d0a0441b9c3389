import { createHash, randomUUID, X509Certificate } from 'node:crypto';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import pg from 'pg';
import { type CertificateFiles, ensureCertificateFiles } from '../../cli/certificate-files.ts';
import { postgresChild, roleChild } from '../../cli/children.ts';
import { portNames, readStartSettings } from '../../cli/config.ts';
import { ensureKeyFiles } from '../../cli/key-files.ts';
import type { Launch } from '../../cli/launch.ts';
import { freePort, portsOf } from '../../cli/ports.ts';
import { awayFolder } from '../../cli/postgres-home.ts';
import { ensureRoles, type PostgresUrls, postgresUrls } from '../../cli/postgres-roles.ts';
import { preparePostgres } from '../../cli/postgres-server.ts';
import { loadSecrets } from '../../cli/secrets.ts';
import type { Stack } from '../../cli/stack.ts';
import { type Child, superviseChild } from '../../cli/supervised-child.ts';
import { migrateToLatest } from '../../db/migrate.ts';

export interface ProductOptions {
  /** Number of API processes. */
  readonly apis: number;
  /** Settings of the API that differ from those of `npm start`. */
  readonly environment?: Readonly<Record<string, string>>;
  /** Node arguments before the API's entry file, for a profile. */
  readonly nodeArgs?: readonly string[];
  readonly say?: (line: string) => void;
}

/** PostgreSQL and API processes of their own, each started again at once when it is killed. */
export interface Product {
  readonly dataDir: string;
  readonly urls: PostgresUrls;
  readonly postgres: Child;
  readonly apis: readonly Child[];
  /** Ports of the certificate listeners. */
  readonly ports: readonly number[];
  /** Ports of the public listeners. */
  readonly publicPorts: readonly number[];
  readonly certificates: CertificateFiles;
  /** Process id of the server itself; null while there is none. */
  postmasterPid(): number | null;
  stop(): Promise<void>;
}

/** The label of the processor's certificate, as the event rows name it. */
export const PROCESSOR = 'processor';

const PROJECT = fileURLToPath(new URL('../..', import.meta.url));
const BACKOFF_MS = 50;

/**
 * The authorization path of the product alone, without Temporal, worker and simulators, in a temporary folder on
 * free ports: the embedded PostgreSQL with the settings of `npm start`, and API processes behind certificates.
 */
export async function startProduct(options: ProductOptions): Promise<Product> {
  const say = options.say ?? (() => undefined);
  const dataDir = mkdtempSync(join(tmpdir(), 'cardloom-product-'));
  const certificates = await ensureCertificateFiles(dataDir);
  const stack = await stackOf(dataDir, certificates, options);
  const urls = postgresUrls(stack.ports.EMBEDDED_PG_PORT, stack.secrets);
  const launch = await preparePostgres({
    dataDir,
    port: stack.ports.EMBEDDED_PG_PORT,
    passwords: stack.secrets,
    say,
  });
  const supervise = (spec: Parameters<typeof superviseChild>[0], logName: string): Child =>
    superviseChild(spec, {
      cwd: PROJECT,
      logFile: join(dataDir, `${logName}.log`),
      say,
      firstBackoffMs: BACKOFF_MS,
      longestBackoffMs: BACKOFF_MS,
    });
  const postgres = supervise(postgresChild(launch, urls.superuser), 'postgres');
  const apis: Child[] = [];
  const stop = async (): Promise<void> => {
    await Promise.all(apis.map((api) => api.stop(6_000)));
    await postgres.stop(10_000);
    for (const folder of [dataDir, awayFolder(dataDir)]) rmSync(folder, { recursive: true, force: true });
  };
  try {
    await postgres.start();
    await ensureRoles(urls, stack.secrets);
    await migrateToLatest({ url: urls.owner });
    await registerProcessor(urls.owner, readFileSync(certificates.of.processor.certificate, 'utf8'));
    const ports: number[] = [];
    const publicPorts: number[] = [];
    for (let at = 1; at <= options.apis; at += 1) {
      const own = at === 1 ? stack : await stackOf(dataDir, certificates, options, stack);
      const spec = roleChild('api', own);
      apis.push(supervise({ ...spec, args: [...(options.nodeArgs ?? []), ...spec.args] }, `api-${at}`));
      ports.push(own.ports.CERT_PORT);
      publicPorts.push(own.ports.PUBLIC_PORT);
    }
    await Promise.all(apis.map((api) => api.start()));
    return {
      dataDir,
      urls,
      postgres,
      apis,
      ports,
      publicPorts,
      certificates,
      postmasterPid: () => pidIn(launch),
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** What the children are told; `beside` shares database, keys and secrets but not the ports. */
async function stackOf(
  dataDir: string,
  certificates: CertificateFiles,
  options: ProductOptions,
  beside?: Stack,
): Promise<Stack> {
  const chosen = await Promise.all(portNames.map(async (name) => [name, String(await freePort())] as const));
  const environment = {
    PATH: process.env['PATH'],
    HOME: process.env['HOME'],
    ...Object.fromEntries(chosen),
    CARDLOOM_DATA_DIR: dataDir,
    // An address at which nobody listens: authorizations never wait for Temporal.
    TEMPORAL_ADDRESS: '127.0.0.1:9',
    LOG_FORMAT: 'json',
    ...options.environment,
  };
  const { values } = readStartSettings(environment);
  const ports = portsOf(values);
  const secrets = beside?.secrets ?? loadSecrets(dataDir);
  const urls = postgresUrls(ports.EMBEDDED_PG_PORT, secrets);
  return {
    projectDir: PROJECT,
    dataDir,
    environment,
    values,
    ports,
    secrets,
    certificates,
    keys: ensureKeyFiles(dataDir),
    database: beside?.database ?? urls,
  };
}

/** The first line of the server's own pid file. */
function pidIn(launch: Launch): number | null {
  if (!existsSync(launch.pidFile)) return null;
  const pid = Number(readFileSync(launch.pidFile, 'utf8').split('\n')[0]);
  return Number.isInteger(pid) && pid > 1 ? pid : null;
}

async function registerProcessor(ownerUrl: string, pem: string): Promise<void> {
  const certificate = new X509Certificate(pem);
  const key = certificate.publicKey.export({ type: 'spki', format: 'der' });
  const client = new pg.Client({ connectionString: ownerUrl });
  await client.connect();
  try {
    await client.query(
      `insert into certificates (certificate_id, label, scopes, subject, key_sha256, serial, fingerprint_sha256,
        not_before, not_after, state) values ($1, $2, '{processor}', $3, $4, $5, $6, $7, $8, 'ACTIVE')`,
      [
        randomUUID(),
        PROCESSOR,
        certificate.subject,
        createHash('sha256').update(key).digest('hex'),
        certificate.serialNumber.toLowerCase(),
        certificate.fingerprint256.replaceAll(':', '').toLowerCase(),
        new Date(certificate.validFrom),
        new Date(certificate.validTo),
      ],
    );
  } finally {
    await client.end();
  }
}
