import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import type { TestProject } from 'vitest/node';
import { startPostgres } from '../../cli/postgres-server.ts';
import { findTemporal } from '../../cli/temporal-binary.ts';
import { startTemporalServer } from '../../cli/temporal-server.ts';
import { migrateToLatest } from '../../db/migrate.ts';
import { skippedTests, skipsTemporal } from './layers.ts';

declare module 'vitest' {
  export interface ProvidedContext {
    /** Role cardloom_owner on the migrated template database. */
    databaseOwnerUrl: string;
    databaseAppUrl: string;
    databaseEngineUrl: string;
    /** Superuser, for making databases. */
    databaseAdminUrl: string;
    temporalAddress: string;
    temporalNamespace: string;
  }
}

const TEMPLATE = 'cardloom';
const NAMESPACE = 'cardloom';

const LAYERS_WITH_SERVERS = ['db', 'api', 'workflow', 'replay'];

/** One PostgreSQL and one Temporal server a run; each test file makes its own database from the template. */
export default async function setup(project: TestProject): Promise<(() => Promise<void>) | undefined> {
  const selected = project.vitest.projects.map((one) => one.name);
  if (!selected.some((name) => LAYERS_WITH_SERVERS.includes(name))) return undefined;
  const folder = mkdtempSync(join(tmpdir(), 'cardloom-test-'));
  const postgres = await startPostgres({
    dataDir: folder,
    port: await freePort(),
    logFile: join(folder, 'postgres.log'),
  });
  await migrateToLatest({ url: postgres.urls.owner });
  const admin = new URL(postgres.urls.superuser);
  admin.pathname = '/postgres';
  await forbidTemplateConnections(admin.href);
  const temporal = await startTemporal(folder);
  project.provide('databaseOwnerUrl', postgres.urls.owner);
  project.provide('databaseAppUrl', postgres.urls.app);
  project.provide('databaseEngineUrl', postgres.urls.engine);
  project.provide('databaseAdminUrl', admin.href);
  project.provide('temporalAddress', temporal?.address ?? '');
  project.provide('temporalNamespace', NAMESPACE);
  return async () => {
    await temporal?.stop();
    await postgres.stop();
    rmSync(folder, { recursive: true, force: true });
    const skipped = skippedTests();
    if (skipped !== null) console.log(skipped);
  };
}

async function startTemporal(folder: string) {
  const environment = process.env;
  if (skipsTemporal()) return null;
  const found = await findTemporal({ environment, version: '1.5.1', say: (line) => console.log(line) });
  return await startTemporalServer({
    binary: found.path,
    port: await freePort(),
    namespace: NAMESPACE,
    headless: true,
    logFile: join(folder, 'temporal.log'),
  });
}

// A template can be copied only while nobody is connected to it.
async function forbidTemplateConnections(adminUrl: string): Promise<void> {
  const client = new pg.Client({ connectionString: adminUrl });
  await client.connect();
  await client.query(`alter database ${TEMPLATE} is_template true`);
  await client.end();
}

/** A port that nobody listens on at this moment. */
async function freePort(): Promise<number> {
  return await new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0));
    });
  });
}
