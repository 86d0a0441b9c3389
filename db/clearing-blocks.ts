import { type Kysely, sql } from 'kysely';
import type { Trx } from './atomically.ts';
import type { Database } from './database.ts';

/** As many bytes of a file as one row holds. */
export const CHUNK_BYTES = 1024 * 1024;

/** Adds the next bytes of a file. Engine only. */
export async function storeChunk(
  db: Kysely<Database>,
  fileId: string,
  chunkNo: number,
  bytes: Buffer,
): Promise<void> {
  await db.insertInto('clearing_chunks').values({ file_id: fileId, chunk_no: chunkNo, bytes }).execute();
}

/** Forgets the bytes of a file: before they are fetched again, and once they are checked. */
export async function deleteChunks(db: Kysely<Database>, fileId: string): Promise<void> {
  await db.deleteFrom('clearing_chunks').where('file_id', '=', fileId).execute();
}

/** The bytes of a file in order, one row in memory at a time. */
export async function* readChunks(db: Kysely<Database>, fileId: string): AsyncGenerator<Buffer> {
  for (let chunkNo = 0; ; chunkNo += 1) {
    const row = await db
      .selectFrom('clearing_chunks')
      .select('bytes')
      .where('file_id', '=', fileId)
      .where('chunk_no', '=', chunkNo)
      .executeTakeFirst();
    if (row === undefined) return;
    yield row.bytes;
  }
}

export interface NewBlock {
  readonly blockNo: number;
  /** Number of its first record in the file. */
  readonly firstRecord: number;
  readonly records: readonly object[];
}

/** Adds a block of checked records; one that is there stays as it is. */
export async function storeBlock(
  db: Kysely<Database>,
  fileId: string,
  { blockNo, firstRecord, records }: NewBlock,
): Promise<void> {
  await db
    .insertInto('clearing_blocks')
    .values({
      file_id: fileId,
      block_no: blockNo,
      first_record: firstRecord,
      records: records.length,
      body: JSON.stringify(records),
    })
    .onConflict((conflict) => conflict.doNothing())
    .execute();
}

/** Forgets the blocks of a file that were stored before the whole file was known to be right. */
export async function deleteBlocks(db: Kysely<Database>, fileId: string): Promise<void> {
  await db.deleteFrom('clearing_blocks').where('file_id', '=', fileId).execute();
}

export interface Block {
  readonly blockNo: number;
  readonly records: readonly unknown[];
}

/** The first block without results, or undefined when every record has one. */
export async function nextOpenBlock(db: Kysely<Database>, fileId: string): Promise<Block | undefined> {
  const row = await db
    .selectFrom('clearing_blocks')
    .select(['block_no', 'body'])
    .where('file_id', '=', fileId)
    .where('results', 'is', null)
    .orderBy('block_no')
    .limit(1)
    .executeTakeFirst();
  return row === undefined ? undefined : { blockNo: row.block_no, records: row.body };
}

/** Result, transaction id and exception of one record. */
export type StoredResult = readonly [string, string | null, string | null];

/** Stores what became of a block's records, in their order; results that stand stay. */
export async function storeResults(
  trx: Trx,
  fileId: string,
  blockNo: number,
  results: readonly StoredResult[],
): Promise<void> {
  await trx
    .updateTable('clearing_blocks')
    .set({ results: JSON.stringify(results) })
    .where('file_id', '=', fileId)
    .where('block_no', '=', blockNo)
    .where('results', 'is', null)
    .execute();
}

/** Progress in records. */
export async function blockProgress(
  db: Kysely<Database>,
  fileId: string,
): Promise<{ records: number; done: number }> {
  const { rows } = await sql<{ records: number; done: number }>`
    select coalesce(sum(records), 0)::int as records,
      coalesce(sum(records) filter (where results is not null), 0)::int as done
    from clearing_blocks where file_id = ${fileId}`.execute(db);
  return rows[0] ?? { records: 0, done: 0 };
}

/**
 * Which of these record ids the blocks before `blockNo` have posted already: a second record with the id of
 * an earlier one is its duplicate.
 */
export async function postedBefore(
  db: Kysely<Database>,
  fileId: string,
  blockNo: number,
  recordIds: readonly string[],
): Promise<ReadonlySet<string>> {
  const { rows } = await sql<{ record_id: string }>`
    select distinct one.record ->> 'recordId' as record_id
    from clearing_blocks b, lateral rows from (jsonb_array_elements(b.results), jsonb_array_elements(b.body))
      as one (result, record)
    where b.file_id = ${fileId} and b.block_no < ${blockNo}
      and one.record ->> 'recordId' = any (${recordIds}::text[]) and one.result ->> 0 = 'POSTED'`.execute(db);
  return new Set(rows.map((row) => row.record_id));
}
