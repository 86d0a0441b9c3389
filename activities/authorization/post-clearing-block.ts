import type { Kysely } from 'kysely';
import type pg from 'pg';
import { atomically } from '../../db/atomically.ts';
import { type Block, postedBefore, type StoredResult, storeResults } from '../../db/clearing-blocks.ts';
import type { Database } from '../../db/database.ts';
import { raiseException } from '../../db/exceptions.ts';
import type { Caller } from '../../domain/actor.ts';
import { Refusal } from '../../domain/errors.ts';
import type { RecordResult } from '../../domain/presentment-record.ts';
import { type InvalidRecord, isInvalid, type StoredRecord } from './check-clearing-file.ts';
import { type Call, type Item, presentmentItem } from './commands.ts';
import { knownKeys, storedAnswers } from './load.ts';
import type { BatchRunner } from './run-batch.ts';

export interface BlockTools {
  readonly db: Kysely<Database>;
  /** Connections of batches. */
  readonly pool: pg.Pool;
  readonly run: BatchRunner;
}

export interface FileOfBlock {
  readonly fileId: string;
  readonly processor: string;
}

/** Nobody waits for a record of a file; its batch still has to end before its locks hurt others. */
const DEADLINE_MS = 60_000;
const LANE = 0;

type Valid = Exclude<StoredRecord, InvalidRecord>;

/**
 * Posts the records of a block in one database transaction and stores their results. `again`: the block may have
 * been posted by an attempt that did not live to store them. Answers false when some records got no decision:
 * the block is to be posted again.
 */
export async function postBlock(
  tools: BlockTools,
  file: FileOfBlock,
  block: Block,
  again: boolean,
): Promise<boolean> {
  const records = block.records as readonly StoredRecord[];
  const valid = records.filter((one): one is Valid => !isInvalid(one));
  const call: Call = {
    requestId: `clearing-file:${file.fileId}`,
    processor: file.processor,
    receivedAtMs: Date.now(),
  };
  const items = valid.map((record) => presentmentItem(record, file.fileId, call, DEADLINE_MS));
  const ended = items.length === 0 ? [] : await tools.run(items, LANE);
  if (ended.some((one) => one instanceof Refusal)) return false;
  const said = ended.map((one) => JSON.parse((one as { answer: string }).answer) as RecordResult);
  const own = again ? await postedByUs(tools, file.fileId, block.blockNo, items, said) : new Map();
  const results = new Map<number, StoredResult>();
  valid.forEach(({ recordNo }, at) => {
    const result: RecordResult | undefined = own.get(at) ?? said[at];
    if (result === undefined) throw new Error('a record of a block was left without an answer');
    results.set(recordNo, [result.result, result.id, result.exception]);
  });
  await atomically(tools.db, SYSTEM, async (trx) => {
    for (const record of records.filter(isInvalid)) {
      results.set(record.recordNo, ['QUARANTINED', null, 'RECORD_INVALID']);
      await raiseException(trx, {
        kind: 'RECORD_INVALID',
        values: { fileId: file.fileId, recordNo: record.recordNo, fields: record.invalid.join(', ') },
        partnerId: null,
        transactionId: null,
        recordId: record.recordId,
      });
    }
    const inOrder = records.map(({ recordNo }) => results.get(recordNo) as StoredResult);
    await storeResults(trx, file.fileId, block.blockNo, inOrder);
  });
  return true;
}

const SYSTEM: Caller = {
  partnerId: null,
  actor: { type: 'SYSTEM', id: 'clearing-file' },
  requestId: 'clearing-file',
  ip: null,
};

/**
 * Results of records that an earlier attempt at this block has written: they are duplicates of nobody but
 * themselves. By place in `items`; a record id that came before in the file is a true duplicate.
 */
async function postedByUs(
  { db, pool }: BlockTools,
  fileId: string,
  blockNo: number,
  items: readonly Item[],
  said: readonly RecordResult[],
): Promise<ReadonlyMap<number, RecordResult>> {
  const own = new Map<number, RecordResult>();
  const repeated = said.flatMap(({ result, recordId }, at) =>
    result === 'DUPLICATE' ? [{ at, recordId }] : [],
  );
  if (repeated.length === 0) return own;
  const answers = await answersOf(
    pool,
    repeated.map(({ at }) => items[at] as Item),
  );
  const recordIds = repeated.map(({ recordId }) => recordId);
  const now = said.flatMap(({ result, recordId }) => (result === 'DUPLICATE' ? [] : [recordId]));
  const seen = new Set([...now, ...(await postedBefore(db, fileId, blockNo, recordIds))]);
  repeated.forEach(({ at, recordId }, place) => {
    const answer = answers[place];
    if (answer === undefined || seen.has(recordId)) return;
    seen.add(recordId);
    own.set(at, answer);
  });
  return own;
}

/** What was answered under the record's own key; undefined where that key is not known. */
async function answersOf(pool: pg.Pool, items: readonly Item[]): Promise<(RecordResult | undefined)[]> {
  const client = await pool.connect();
  try {
    const known = new Map((await knownKeys(client, items)).map((key) => [key.nk, key]));
    const stored = await storedAnswers(client, [...known.values()]);
    return items.map((item) => {
      const [own] = item.keys;
      const key = own === undefined ? undefined : known.get(own.nk);
      if (key === undefined || item.kind !== 'presentment') return undefined;
      const answer = stored.get(`${key.transaction_id}/${key.seq}`);
      if (answer !== undefined) return JSON.parse(answer) as RecordResult;
      // Nothing is stored with a record that was set aside but its key and its exception.
      return { recordId: item.command.recordId, result: 'QUARANTINED', id: null, exception: null };
    });
  } finally {
    client.release();
  }
}
