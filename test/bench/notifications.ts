/**
 * Deliveries per second of the batch path: outbox rows, relay, Temporal, `sendBatch`, a partner on loopback
 * over mTLS-capable HTTPS with keep-alive. `node test/bench/notifications.ts [rows]`; needs DATABASE_ADMIN_URL
 * (superuser of a PostgreSQL with our roles) and finds or builds the Temporal server like `npm start`.
 */
import { fork } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { sql } from 'kysely';
import pg from 'pg';
import { pino } from 'pino';
import { createAddressGuard } from '../../activities/partner/address-guard.ts';
import { createPartnerClient } from '../../activities/partner/client.ts';
import { createNotifierActivities } from '../../activities/partner/notifier.ts';
import { createPartnerKeys } from '../../activities/partner/public-key.ts';
import { createRenderer } from '../../activities/partner/render.ts';
import { findTemporal } from '../../cli/temporal-binary.ts';
import { startTemporalServer } from '../../cli/temporal-server.ts';
import { createDatabase, createPool } from '../../db/client.ts';
import { migrateToLatest } from '../../db/migrate.ts';
import { startPartnerSim } from '../../simulators/partner/simulator.ts';
import { startRelay } from '../../worker/outbox-relay.ts';
import { aProgramme } from '../support/customers.ts';
import { aConnection, tellConnection } from '../support/partner-connection.ts';
import { connectTemporal } from '../support/temporal.ts';
import { testVault } from '../support/vault.ts';

const rows = Number(process.argv[2] ?? 10_000);
const concurrency = Number(process.argv[3] ?? 16);
const adminUrl = process.env['DATABASE_ADMIN_URL'];
if (adminUrl === undefined) throw new Error('DATABASE_ADMIN_URL is not set');
const logger = pino({ level: 'warn' });
const vault = testVault();

const name = `bench_${randomUUID().slice(0, 8)}`;
const admin = new pg.Client({ connectionString: adminUrl });
await admin.connect();
await admin.query(`create database ${name} owner cardloom_owner`);
const asRole = (role: string): string => {
  const url = new URL(adminUrl);
  url.username = role;
  url.password = 'x';
  url.pathname = `/${name}`;
  return url.href;
};
await migrateToLatest({ url: asRole('cardloom_owner') });
const owner = createDatabase(createPool({ url: asRole('cardloom_owner'), max: 2, name: 'bench' }));
const pool = createPool({ url: asRole('cardloom_engine'), max: 12, name: 'bench' });
const engine = createDatabase(pool);

const server = fork(fileURLToPath(new URL('./partner-sink.ts', import.meta.url)));
const [sink] = (await once(server, 'message')) as [{ port: number; caPem: string }];
const signer = await startPartnerSim();
const made = await aProgramme(owner);
const connectionId = await aConnection(
  owner,
  vault,
  made,
  { url: `https://localhost:${sink.port}`, control: signer.control, caPem: sink.caPem },
  { maxConcurrency: concurrency },
);
const programme = await tellConnection(owner, made, connectionId, []);

const found = await findTemporal({ environment: process.env, version: '1.5.1', say: () => undefined });
const temporalServer = await startTemporalServer({
  binary: found.path,
  port: await freePort(),
  namespace: 'cardloom',
  headless: true,
});
const temporal = await connectTemporal(temporalServer.address, 'cardloom');
const guard = createAddressGuard({ allow: ['127.0.0.0/8', '::1'], dev: true });
const partner = createPartnerClient({ guard, userAgent: 'Cardloom/bench' });
const activities = createNotifierActivities({
  db: engine,
  vault,
  partner,
  partnerKeys: createPartnerKeys(partner),
});

const delivered = async (): Promise<number> => {
  const { rows: found } = await sql<{ count: number }>`
    select count(*) as count from deliveries where status = 'DELIVERED'`.execute(engine);
  return found[0]?.count ?? 0;
};
/** Purchases as they leave the authorization path: the body is made from the transaction and its event. */
const fill = async (count: number): Promise<void> => {
  await sql`
    with made as (
      insert into transactions (id, partner_id, programme_id, state, type, category, external_id, amount,
        currency, result, description, occurred_at, balance_id, transaction_data)
      select (substr(id_bound(now())::text, 1, 14) || '4' || substr(gen_random_uuid()::text, 16))::uuid,
        ${programme.partnerId}, ${programme.programmeId}, 'AUTHORIZED', 'pos', 'DEBIT', n::text, 1234, 'EUR',
        'APPROVED', 'Corner shop', now(), gen_random_uuid(), '{"mcc":"4121","captureMode":"nfc"}'
      from generate_series(1, ${count}::int) as n returning id
    ), told as (
      insert into transaction_events (transaction_id, seq, partner_id, kind, status, result, request_id, actor)
      select id, 1, ${programme.partnerId}, 'AUTHORIZATION', 'AUTHORIZED', 'APPROVED', 'bench', 'PROCESSOR'
      from made returning transaction_id
    )
    insert into outbox (partner_id, programme_id, destination, connection_id, kind, transaction_id, event_seq,
      order_key)
    select ${programme.partnerId}, ${programme.programmeId}, 'partner', ${connectionId}, 'transaction',
      transaction_id, 1, transaction_id from told`.execute(engine);
};

await temporal.withWorker(activities, async () => {
  const batches: number[] = [];
  const relay = startRelay({
    db: engine,
    pool,
    target: temporal,
    render: createRenderer(vault),
    logger,
    onBatch: (size) => batches.push(size),
  });
  await fill(300);
  while ((await delivered()) < 300) await sleep(50);
  batches.length = 0;
  await fill(rows);
  const startedAt = performance.now();
  const before = await delivered();
  while ((await delivered()) < rows + 300) await sleep(50);
  const seconds = (performance.now() - startedAt) / 1_000;
  await relay.stop();
  console.log(
    JSON.stringify({
      rows,
      concurrency,
      seconds: Number(seconds.toFixed(2)),
      deliveriesPerSecond: Math.round((rows + 300 - before) / seconds),
      batches: batches.length,
      meanBatch: Math.round(rows / batches.length),
    }),
  );
});
await partner.close();
await temporal.close();
await temporalServer.stop();
await signer.stop();
server.kill();
await Promise.all([engine.destroy(), owner.destroy()]);
await admin.query(`drop database ${name} with (force)`);
await admin.end();

async function freePort(): Promise<number> {
  return await new Promise((resolve) => {
    const probe = createServer().listen(0, '127.0.0.1', () => {
      const address = probe.address();
      probe.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0));
    });
  });
}
