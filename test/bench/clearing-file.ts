/**
 * How long a clearing file takes and what memory it needs (goal P9): `npm run bench clearing-file -- [RECORDS]`.
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
import {
  aCall,
  aPurchase,
  aRecord,
  type CardTraffic,
  openCardTraffic,
  type TestCard,
} from '../support/card-traffic.ts';
import { aClearingFile, type BuiltFile, inPieces } from '../support/clearing-file.ts';

const AT_ONCE = 512;
const caller = {
  partnerId: null,
  actor: { type: 'SYSTEM', id: 'bench' },
  requestId: 'bench',
  ip: null,
} as const;

/** A card has some fifty open purchases of different amounts. */
const PURCHASES_A_CARD = 50;

type Say = (line: string) => void;

/** Approves as many purchases as asked for (100,000), clears them with one file, and the same file again. */
export async function benchClearingFile([asked = '100000']: readonly string[], say: Say): Promise<void> {
  const records = Number(asked);
  if (!Number.isSafeInteger(records) || records < 1)
    throw new Error('RECORDS must be a whole number above 0');
  const folder = mkdtempSync(join(tmpdir(), 'cardloom-bench-'));
  const postgres = await startPostgres({
    dataDir: folder,
    port: await freePort(),
    logFile: join(folder, 'log'),
  });
  await migrateToLatest({ url: postgres.urls.owner });
  const traffic = openCardTraffic({ ownerUrl: postgres.urls.owner, engineUrl: postgres.urls.engine });
  const timed = stopwatch(records, say);
  try {
    const file = await timed('approvals', () => approvedFile(traffic, records));
    say(`file of ${Math.round(file.bytes.length / 1_000_000)} MB`);
    await post(traffic, timed, say, file);
    await post(traffic, timed, say, { ...file, announced: { ...file.announced, fileId: 'again' } });
    await timed('proof of the file', () => reconcile(traffic.engine, 'clearing', file.announced.fileId));
  } finally {
    await traffic.end();
    await postgres.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

async function approvedFile(traffic: CardTraffic, wanted: number): Promise<BuiltFile> {
  const count = Math.max(1, Math.ceil(wanted / PURCHASES_A_CARD));
  const programme = await traffic.programme({ funding: 'credit', prefund: 1_000_000_000_000_000 });
  const cards: TestCard[] = [];
  while (cards.length < count) cards.push(await traffic.card(programme, 100_000_000));
  const authorizer = traffic.authorizer();
  const records: object[] = [];
  while (records.length < wanted) {
    const purchases = Array.from({ length: Math.min(AT_ONCE, wanted - records.length) }, (_one, at) =>
      aPurchase(cards[(records.length + at) % count] as TestCard, 1_000 + records.length + at),
    );
    await Promise.all(purchases.map((one) => authorizer.authorize(one, aCall())));
    records.push(...purchases.map((one) => aRecord(one, one.amount)));
  }
  await authorizer.drain();
  return aClearingFile(records, { fileId: 'bench' });
}

async function post(
  traffic: CardTraffic,
  timed: Stopwatch,
  say: Say,
  { announced, bytes }: BuiltFile,
): Promise<void> {
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
  if ((await timed('fetch', () => run(activities.fetchClearingFile))) === 'ENDED') return;
  await timed('check', () => run(activities.checkClearingFile));
  await timed('post', async () => {
    for (;;) {
      const { records, done } = await run(activities.postClearingBlocks);
      if (records === done) return;
    }
  });
  const report = await timed('report', () => run(activities.finishClearingFile));
  say(JSON.stringify(report));
}

type Stopwatch = <T>(what: string, work: () => Promise<T>) => Promise<T>;

/** Tells of each part how long it took, the records a second, and the memory of this process. */
const stopwatch =
  (records: number, say: Say): Stopwatch =>
  async (what, work) => {
    const before = process.memoryUsage();
    let peak = before.rss;
    const watch = setInterval(() => (peak = Math.max(peak, process.memoryUsage().rss)), 100);
    const startedAt = performance.now();
    const result = await work();
    const seconds = (performance.now() - startedAt) / 1_000;
    clearInterval(watch);
    const rate = Math.round(records / seconds);
    const mb = (bytes: number) => Math.round(bytes / 1_000_000);
    say(`${what}: ${seconds.toFixed(1)} s, ${rate}/s, rss ${mb(before.rss)} -> at most ${mb(peak)} MB`);
    return result;
  };

async function freePort(): Promise<number> {
  return await new Promise((resolve) => {
    const probe = createServer().listen(0, '127.0.0.1', () => {
      const address = probe.address();
      probe.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0));
    });
  });
}
