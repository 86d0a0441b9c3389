import { randomUUID } from 'node:crypto';
import { MockActivityEnvironment } from '@temporalio/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createClearingFileActivities } from '../../activities/authorization/clearing-files.ts';
import type { ClearingRecord } from '../../activities/authorization/messages.ts';
import type { Caller } from '../../domain/actor.ts';
import { atomically } from '../../db/atomically.ts';
import { announceClearingFile, readClearingFile } from '../../db/clearing-files.ts';
import type { Programme } from '../../db/partners.ts';
import { verifyLedger } from '../../db/verify-ledger.ts';
import {
  aCall,
  aPurchase,
  aRecord,
  type CardTraffic,
  openCardTraffic,
  type TestCard,
} from '../support/card-traffic.ts';
import { aClearingFile, type BuiltFile, inPieces } from '../support/clearing-file.ts';
import { type FreshDatabase, freshDatabase } from '../support/database.ts';

const caller: Caller = {
  partnerId: null,
  actor: { type: 'PROCESSOR', id: 'processor-1' },
  requestId: 'test',
  ip: null,
};
const quiet = { warn: () => undefined, error: () => undefined };

let database: FreshDatabase;
let traffic: CardTraffic;
let programme: Programme;
let card: TestCard;

beforeAll(async () => {
  database = await freshDatabase();
  traffic = openCardTraffic(database);
  programme = await traffic.programme({ funding: 'deposit' });
  card = await traffic.card(programme, 10_000_000);
});
afterAll(async () => {
  expect((await verifyLedger(traffic.engine)).differences).toEqual([]);
  await traffic.end();
  await database.drop();
});

/** The activities of a worker, in front of a processor that has these files. */
function activitiesWith(...files: readonly BuiltFile[]) {
  const asked: string[] = [];
  const activities = createClearingFileActivities({
    db: traffic.engine,
    clearingPool: traffic.pool(),
    logger: quiet,
    openClearingFile: async (fileId) => {
      asked.push(fileId);
      const file = files.find((one) => one.announced.fileId === fileId);
      return file === undefined ? { outcome: 'MISSING' } : { outcome: 'OPEN', body: inPieces(file.bytes) };
    },
  });
  const run = <T>(
    activity: (of: { fileId: string }) => Promise<T>,
    fileId: string,
    attempt = 1,
  ): Promise<T> => new MockActivityEnvironment({ attempt }).run(activity, { fileId });
  return { activities, run, asked };
}

const announce = ({ announced }: BuiltFile) =>
  atomically(traffic.engine, caller, (trx) =>
    announceClearingFile(trx, announced, { processor: 'processor-1', source: 'PROCESSOR' }),
  );

/** What the workflow does with a file, step by step. */
async function process(file: BuiltFile, worker = activitiesWith(file)) {
  const { activities, run } = worker;
  const { fileId } = file.announced;
  await announce(file);
  if ((await run(activities.fetchClearingFile, fileId)) === 'GO_ON') {
    if ((await run(activities.checkClearingFile, fileId)) === 'GO_ON') {
      for (;;) {
        const { records, done } = await run(activities.postClearingBlocks, fileId);
        if (records === done) break;
      }
      await run(activities.finishClearingFile, fileId);
    }
  }
  const { status, reason, posted, duplicates, quarantined } = await readClearingFile(traffic.engine, fileId);
  return { status, reason, posted, duplicates, quarantined };
}

/** Approved purchases with their records. */
async function approvals(count: number, amount: number): Promise<ClearingRecord[]> {
  const authorizer = traffic.authorizer();
  const purchases = Array.from({ length: count }, () => aPurchase(card, amount));
  await Promise.all(purchases.map((one) => authorizer.authorize(one, aCall())));
  await authorizer.drain();
  return purchases.map((one) => aRecord(one, amount));
}

const transfers = async (): Promise<number> => {
  const { count } = await traffic.engine
    .selectFrom('ledger_transfers')
    .select((eb) => eb.fn.countAll<number>().as('count'))
    .executeTakeFirstOrThrow();
  return count;
};

const exceptionsOf = async (kind: string) =>
  await traffic.engine.selectFrom('exceptions').selectAll().where('kind', '=', kind).execute();

const leftOvers = async (fileId: string) => {
  const count = async (table: 'clearing_chunks' | 'clearing_blocks') =>
    (await traffic.engine.selectFrom(table).select('file_id').where('file_id', '=', fileId).execute()).length;
  return { chunks: await count('clearing_chunks'), blocks: await count('clearing_blocks') };
};

describe('an announcement', () => {
  it('is noted once, whoever sends it again; other bytes are refused', async () => {
    const file = aClearingFile([]);
    expect(await announce(file)).toBe(true);
    expect(await announce(file)).toBe(false);
    const changed = { ...file, announced: { ...file.announced, sha256: 'ab'.repeat(32) } };
    await expect(announce(changed)).rejects.toMatchObject({ code: 'FILE_CHANGED' });
    const rows = await traffic.engine
      .selectFrom('outbox')
      .select(['kind', 'partner_id', 'data'])
      .where('subject_id', '=', `clearing-file:${file.announced.fileId}`)
      .execute();
    expect(rows).toEqual([
      { kind: 'clearing-file', partner_id: null, data: { fileId: file.announced.fileId } },
    ]);
  });
});

describe('a clearing file', () => {
  it('posts its records in blocks of 500 and reports', async () => {
    const before = await traffic.balance(card);
    const records = await approvals(1_203, 10);
    const file = aClearingFile(records);
    expect(await process(file)).toEqual({
      status: 'POSTED',
      reason: null,
      posted: 1_203,
      duplicates: 0,
      quarantined: 0,
    });
    const after = await traffic.balance(card);
    expect([before.posted - after.posted, after.held]).toEqual([12_030, 0]);
    expect(await leftOvers(file.announced.fileId)).toEqual({ chunks: 0, blocks: 3 });
  });

  it('posts nothing when it comes again under another name', async () => {
    const file = aClearingFile(await approvals(3, 10));
    await process(file);
    const before = await transfers();
    const again = { ...file, announced: { ...file.announced, fileId: `again-${randomUUID()}` } };
    const worker = activitiesWith(again);
    expect(await process(again, worker)).toMatchObject({ status: 'POSTED', posted: 0, duplicates: 3 });
    expect(worker.asked).toEqual([]);
    expect(await transfers()).toBe(before);
  });

  it('posts nothing when it is processed again', async () => {
    const file = aClearingFile(await approvals(3, 10));
    const first = await process(file);
    const before = await transfers();
    expect(await process(file)).toEqual(first);
    expect(await transfers()).toBe(before);
  });

  it('knows records that came before in another file', async () => {
    const records = await approvals(4, 10);
    await process(aClearingFile(records.slice(0, 2)));
    expect(await process(aClearingFile(records))).toMatchObject({ posted: 2, duplicates: 2 });
  });

  it('knows a record that stands in it twice, in one block and in two', async () => {
    const records = await approvals(505, 10);
    const [first] = records;
    if (first === undefined) throw new Error('no record');
    const twice = [...records.slice(0, 3), first, ...records.slice(3), { ...first, amount: 11 }];
    expect(await process(aClearingFile(twice))).toMatchObject({ posted: 505, duplicates: 2 });
  });

  it('sets a bad record aside and posts the rest', async () => {
    const [good, other] = await approvals(2, 10);
    const pan = ['555544', '9900000014'].join('');
    const bad = { ...other, processorCardId: 7, [pan]: pan };
    const file = aClearingFile([good as object, bad]);
    expect(await process(file)).toMatchObject({ status: 'POSTED', posted: 1, quarantined: 1 });
    const raised = (await exceptionsOf('RECORD_INVALID')).at(-1);
    expect(raised).toMatchObject({ severity: 'WARN', state: 'OPEN', record_id: other?.recordId });
    expect(raised?.values).toEqual({
      fileId: file.announced.fileId,
      recordNo: 2,
      fields: 'processorCardId, unknown member',
    });
    const { rows } = await traffic.pool().query('select body::text from clearing_blocks');
    expect(JSON.stringify(rows)).not.toContain(pan);
  });

  it('sets the record of an unknown card aside', async () => {
    const [known] = await approvals(1, 10);
    const unknown = aRecord(aPurchase({ ...card, processorCardId: 'nobody' }, 10), 10);
    expect(await process(aClearingFile([known as object, unknown]))).toMatchObject({
      status: 'POSTED',
      posted: 1,
      quarantined: 1,
    });
  });

  it.each([
    ['TOTALS', { spoil: (lines: string[]) => lines.map((one) => one.replace('"amount":10', '"amount":11')) }],
    ['NO_TRAILER', { spoil: (lines: string[]) => lines.slice(0, -1) }],
    ['SHA256', { announce: { sha256: 'cd'.repeat(32) } }],
    ['SIZE', { announce: { size: 10 } }],
    ['RECORD_COUNT', { announce: { records: 700 } }],
  ])('posts nothing when it is wrong as a whole: %s', async (reason, options) => {
    const file = aClearingFile(await approvals(501, 10), options);
    const before = await transfers();
    const { fileId } = file.announced;
    expect(await process(file)).toMatchObject({ status: 'REJECTED', reason, posted: 0 });
    expect(await transfers()).toBe(before);
    expect(await leftOvers(fileId)).toEqual({ chunks: 0, blocks: 0 });
    const raised = (await exceptionsOf('FILE_TOTALS')).filter((one) => one.values['fileId'] === fileId);
    expect(raised).toMatchObject([{ severity: 'CRITICAL', state: 'OPEN', values: { reason } }]);
    // Announced and processed again it stays rejected, and nobody is told twice.
    expect(await process(file)).toMatchObject({ status: 'REJECTED' });
    expect((await exceptionsOf('FILE_TOTALS')).filter((one) => one.values['fileId'] === fileId)).toHaveLength(
      1,
    );
  });

  it('takes the bytes of a file that was rejected', async () => {
    const records = await approvals(1, 10);
    const wrong = aClearingFile(records, { announce: { records: 9 } });
    expect(await process(wrong)).toMatchObject({ status: 'REJECTED' });
    const right = { ...wrong, announced: { ...wrong.announced, records: 1, fileId: wrong.announced.fileId } };
    await expect(announce(right)).resolves.toBe(false);
    const other = aClearingFile(records, { fileId: `second-${randomUUID()}` });
    expect(await process(other)).toMatchObject({ status: 'POSTED', posted: 1 });
  });

  it('goes on after an attempt that posted a block and stored no results', async () => {
    const records = await approvals(502, 10);
    const file = aClearingFile(records);
    const worker = activitiesWith(file);
    const { fileId } = file.announced;
    await announce(file);
    await worker.run(worker.activities.fetchClearingFile, fileId);
    await worker.run(worker.activities.checkClearingFile, fileId);
    await worker.run(worker.activities.postClearingBlocks, fileId);
    const before = await transfers();
    // As if the worker had died between the two commits.
    await traffic
      .pool()
      .query('update clearing_blocks set results = null where file_id = $1 and block_no = 1', [fileId]);
    expect(await process(file, worker)).toMatchObject({ status: 'POSTED', posted: 502, duplicates: 0 });
    expect(await transfers()).toBe(before);
    expect(worker.asked).toHaveLength(1);
  });

  it('waits while another file with the same bytes is loaded', async () => {
    const file = aClearingFile(await approvals(1, 10));
    const other = { ...file, announced: { ...file.announced, fileId: `other-${randomUUID()}` } };
    const worker = activitiesWith(file, other);
    await announce(file);
    await announce(other);
    await worker.run(worker.activities.fetchClearingFile, file.announced.fileId);
    await expect(
      worker.run(worker.activities.fetchClearingFile, other.announced.fileId),
    ).rejects.toMatchObject({ type: 'CLEARING_FILE_WAITS' });
    expect(await process(file, worker)).toMatchObject({ posted: 1 });
    expect(await process(other, worker)).toMatchObject({ posted: 0, duplicates: 1 });
  });

  it('is looked for several times and then given up', async () => {
    const file = aClearingFile([]);
    const { activities, run } = activitiesWith();
    await announce(file);
    const look = (attempt: number) => run(activities.fetchClearingFile, file.announced.fileId, attempt);
    await expect(look(1)).rejects.toMatchObject({ type: 'PROCESSOR_AWAY' });
    expect(await look(6)).toBe('ENDED');
    expect(await readClearingFile(traffic.engine, file.announced.fileId)).toMatchObject({
      status: 'REJECTED',
      reason: 'FILE_NOT_FOUND',
    });
  });
});
