/**
 * How long a clearing file takes and what memory it needs (goal P9): `node test/bench/clearing-file.ts [RECORDS]`.
 * A PostgreSQL of its own with fsync on; every record clears an approved authorization.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MockActivityEnvironment } from '@temporalio/testing';
import { createClearingFileActivities } from '../../activities/authorization/clearing-files.ts';
import { startPostgres } from '../../cli/postgres-server.ts';
import { atomically } from '../../db/atomically.ts';
import { announceClearingFile } from '../../db/clearing-files.ts';
import { migrateToLatest } from '../../db/migrate.ts';
import { reconcile } from '../../db/reconciliation.ts';
import { aCall, aPurchase, aRecord, openCardTraffic, type TestCard } from '../support/card-traffic.ts';
import { aClearingFile, type BuiltFile, inPieces } from '../support/clearing-file.ts';

const RECORDS = Number(process.argv[2] ?? 100_000);
/** A card has some fifty open purchases of different amounts. */
const CARDS = Math.max(1, Math.ceil(RECORDS / 50));
const AT_ONCE = 512;
const caller = {
  partnerId: null,
  actor: { type: 'SYSTEM', id: 'bench' },
  requestId: 'bench',
  ip: null,
} as const;

const folder = mkdtempSync(join(tmpdir(), 'cardloom-bench-'));
const postgres = await startPostgres({
  dataDir: folder,
  port: await freePort(),
  logFile: join(folder, 'log'),
});
await migrateToLatest({ url: postgres.urls.owner });
const traffic = openCardTraffic({ ownerUrl: postgres.urls.owner, engineUrl: postgres.urls.engine });
try {
  const file = await timed('approvals', RECORDS, approvedFile);
  console.log(`file of ${Math.round(file.bytes.length / 1_000_000)} MB`);
  await post(file);
  await post({ ...file, announced: { ...file.announced, fileId: 'again' } });
  await timed('proof of the file', RECORDS, () =>
    reconcile(traffic.engine, 'clearing', file.announced.fileId),
  );
} finally {
  await traffic.end();
  await postgres.stop();
  rmSync(folder, { recursive: true, force: true });
}

async function approvedFile(): Promise<BuiltFile> {
  const programme = await traffic.programme({ funding: 'credit', prefund: 1_000_000_000_000_000 });
  const cards: TestCard[] = [];
  while (cards.length < CARDS) cards.push(await traffic.card(programme, 100_000_000));
  const authorizer = traffic.authorizer();
  const records: object[] = [];
  while (records.length < RECORDS) {
    const purchases = Array.from({ length: Math.min(AT_ONCE, RECORDS - records.length) }, (_one, at) =>
      aPurchase(cards[(records.length + at) % CARDS] as TestCard, 1_000 + records.length + at),
    );
    await Promise.all(purchases.map((one) => authorizer.authorize(one, aCall())));
    records.push(...purchases.map((one) => aRecord(one, one.amount)));
  }
  await authorizer.drain();
  return aClearingFile(records, { fileId: 'bench' });
}

async function post({ announced, bytes }: BuiltFile): Promise<void> {
  const { fileId } = announced;
  const activities = createClearingFileActivities({
    db: traffic.engine,
    clearingPool: traffic.pool(),
    logger: { warn: console.log, error: console.log },
    openClearingFile: async () => ({ outcome: 'OPEN', body: inPieces(bytes, 65_536) }),
  });
  const run = <T>(activity: (of: { fileId: string }) => Promise<T>): Promise<T> =>
    new MockActivityEnvironment().run(activity, { fileId });
  await atomically(traffic.engine, caller, (trx) =>
    announceClearingFile(trx, announced, { processor: 'bench', source: 'PROCESSOR' }),
  );
  if ((await timed('fetch', RECORDS, () => run(activities.fetchClearingFile))) === 'ENDED') return;
  await timed('check', RECORDS, () => run(activities.checkClearingFile));
  await timed('post', RECORDS, async () => {
    for (;;) {
      const { records, done } = await run(activities.postClearingBlocks);
      if (records === done) return;
    }
  });
  console.log(await timed('report', RECORDS, () => run(activities.finishClearingFile)));
}

async function timed<T>(what: string, records: number, work: () => Promise<T>): Promise<T> {
  const before = process.memoryUsage();
  let peak = before.rss;
  const watch = setInterval(() => (peak = Math.max(peak, process.memoryUsage().rss)), 100);
  const startedAt = performance.now();
  const result = await work();
  const seconds = (performance.now() - startedAt) / 1_000;
  clearInterval(watch);
  const rate = Math.round(records / seconds);
  const mb = (bytes: number) => Math.round(bytes / 1_000_000);
  console.log(`${what}: ${seconds.toFixed(1)} s, ${rate}/s, rss ${mb(before.rss)} -> at most ${mb(peak)} MB`);
  return result;
}

async function freePort(): Promise<number> {
  return await new Promise((resolve) => {
    const probe = createServer().listen(0, '127.0.0.1', () => {
      const address = probe.address();
      probe.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0));
    });
  });
}
