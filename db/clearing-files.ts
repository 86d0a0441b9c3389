import { type Kysely, type Selectable, sql } from 'kysely';
import type { ClearingAnnouncement, FileFault, FileReport } from '../domain/clearing-file.ts';
import { Refusal } from '../domain/errors.ts';
import { audit } from './audit-log.ts';
import { nowOf, type Trx } from './atomically.ts';
import { deleteBlocks, deleteChunks, storeChunk } from './clearing-blocks.ts';
import type { ClearingFilesTable, Database } from './database.ts';
import { raiseException } from './exceptions.ts';
import { startWorkflow } from './outbox.ts';

export type ClearingFile = Selectable<ClearingFilesTable>;

/** Where a file comes from: the processor's label is part of the duplicate key of its records. */
export interface FileOrigin {
  readonly processor: string;
  readonly source: ClearingFile['source'];
}

/**
 * Notes a file and asks for its workflow (processor 4.2); the same announcement again changes nothing. Answers
 * true for a new file. Throws `Refusal` FILE_CHANGED when the file id is known with other bytes. Engine only.
 */
export async function announceClearingFile(
  trx: Trx,
  announced: ClearingAnnouncement,
  { processor, source }: FileOrigin,
): Promise<boolean> {
  const { fileId, businessDate, records, size, sha256 } = announced;
  const inserted = await trx
    .insertInto('clearing_files')
    .values({
      file_id: fileId,
      processor,
      source,
      business_date: businessDate,
      records,
      size,
      sha256,
      reason: null,
      duplicate_of: null,
      checked_at: null,
      finished_at: null,
    })
    .onConflict((conflict) => conflict.column('file_id').doNothing())
    .returning('file_id')
    .executeTakeFirst();
  if (inserted === undefined) {
    const known = await readClearingFile(trx, fileId);
    if (known.sha256 !== sha256 || known.processor !== processor) {
      throw new Refusal('FILE_CHANGED', 'This file was announced before with other content.');
    }
    return false;
  }
  await audit(trx, {
    action: 'clearing_file.announced',
    objectType: 'clearing_file',
    objectId: fileId,
    after: { records, size, sha256 },
  });
  await startWorkflow(trx, null, {
    workflow: 'clearing-file',
    id: `clearing-file:${fileId}`,
    input: { fileId },
  });
  return true;
}

/**
 * Notes a file that came by another way, with its bytes; its workflow takes them from here. False, and nothing is
 * stored, for one that is known. Throws as `announceClearingFile`. Engine only.
 */
export async function storeClearingFile(
  trx: Trx,
  announced: ClearingAnnouncement,
  origin: FileOrigin,
  chunks: AsyncIterable<Buffer> | Iterable<Buffer>,
): Promise<boolean> {
  if (!(await announceClearingFile(trx, announced, origin))) return false;
  let chunkNo = 0;
  for await (const bytes of chunks) {
    await storeChunk(trx, announced.fileId, chunkNo, bytes);
    chunkNo += 1;
  }
  return true;
}

/** Label of the processor whose certificate is in force; null where there is none, or more than one. Engine only. */
export async function soleProcessor(db: Kysely<Database>): Promise<string | null> {
  const rows = await db
    .selectFrom('certificates')
    .select('label')
    .distinct()
    .where('state', '=', 'ACTIVE')
    .where(sql<boolean>`'processor' = any (scopes)`)
    .execute();
  const [only, ...others] = rows;
  return only === undefined || others.length > 0 ? null : only.label;
}

/** One file. Throws `Refusal` CLEARING_FILE_NOT_FOUND. Engine only. */
export async function readClearingFile(db: Kysely<Database>, fileId: string): Promise<ClearingFile> {
  const row = await db
    .selectFrom('clearing_files')
    .selectAll()
    .where('file_id', '=', fileId)
    .executeTakeFirst();
  if (row === undefined) throw new Refusal('CLEARING_FILE_NOT_FOUND', 'There is no such clearing file.');
  return row;
}

/** Files, newest first, after the file `after` of the page before. Engine only. */
export async function listClearingFiles(
  db: Kysely<Database>,
  limit: number,
  after?: string,
): Promise<ClearingFile[]> {
  let query = db.selectFrom('clearing_files').selectAll();
  if (after !== undefined) {
    query = query.where(
      sql<boolean>`(created_at, file_id) < (select created_at, file_id from clearing_files where file_id = ${after})`,
    );
  }
  return await query.orderBy('created_at', 'desc').orderBy('file_id', 'desc').limit(limit).execute();
}

/**
 * Claims the bytes of a file for it (authorization 13: SHA-256 unique). `LOAD`: it is to be loaded;
 * `DUPLICATE`: another file with the same bytes is posted; `WAIT`: another one is being loaded, so its end
 * decides; `OVER`: this file has ended before.
 */
export async function claimClearingFile(
  trx: Trx,
  fileId: string,
): Promise<'LOAD' | 'DUPLICATE' | 'WAIT' | 'OVER'> {
  const { rows } = await sql<ClearingFile>`
    select * from clearing_files where file_id = ${fileId} for no key update`.execute(trx);
  const file = rows[0];
  if (file === undefined) throw new Refusal('CLEARING_FILE_NOT_FOUND', 'There is no such clearing file.');
  if (file.status === 'POSTED' || file.status === 'REJECTED') return 'OVER';
  if (file.status === 'LOADING') return 'LOAD';
  // One claim at a time for the same bytes: the unique index then never has to refuse.
  await sql`select pg_advisory_xact_lock(hashtext('clearing-file'), hashtext(${file.sha256}))`.execute(trx);
  const first = await trx
    .selectFrom('clearing_files')
    .select(['file_id', 'status'])
    .where('sha256', '=', file.sha256)
    .where('status', 'in', ['LOADING', 'POSTED'])
    .where('duplicate_of', 'is', null)
    .executeTakeFirst();
  if (first?.status === 'LOADING') return 'WAIT';
  if (first?.status === 'POSTED') {
    await finish(trx, fileId, {
      status: 'POSTED',
      duplicate_of: first.file_id,
      duplicates: file.records,
    });
    return 'DUPLICATE';
  }
  await trx.updateTable('clearing_files').set({ status: 'LOADING' }).where('file_id', '=', fileId).execute();
  return 'LOAD';
}

/** Notes that every line of a file is right and stored in blocks; its bytes are no longer needed. */
export async function markClearingFileChecked(trx: Trx, fileId: string): Promise<void> {
  await trx
    .updateTable('clearing_files')
    .set({ checked_at: nowOf(trx) })
    .where('file_id', '=', fileId)
    .where('status', '=', 'LOADING')
    .execute();
  await deleteChunks(trx, fileId);
}

/** Ends a file of which nothing is posted: exception FILE_TOTALS tells people why. Once ended it stays so. */
export async function rejectClearingFile(trx: Trx, fileId: string, reason: FileFault): Promise<void> {
  const rejected = await finish(trx, fileId, { status: 'REJECTED', reason });
  if (!rejected) return;
  await deleteBlocks(trx, fileId);
  await deleteChunks(trx, fileId);
  await raiseException(trx, {
    kind: 'FILE_TOTALS',
    values: { fileId, reason },
    partnerId: null,
    transactionId: null,
    recordId: null,
  });
}

/** Ends a file whose blocks all have results; answers the counts. Throws while one has none. */
export async function finishClearingFile(trx: Trx, fileId: string): Promise<FileReport> {
  const { rows } = await sql<FileReport & { open: number; records: number }>`
    select count(*) filter (where one ->> 0 = 'POSTED')::int as posted,
      count(*) filter (where one ->> 0 = 'DUPLICATE')::int as duplicates,
      count(*) filter (where one ->> 0 = 'QUARANTINED')::int as quarantined,
      count(*) filter (where results is null)::int as open, count(one)::int as records
    from clearing_blocks left join lateral jsonb_array_elements(results) as one on true
    where file_id = ${fileId}`.execute(trx);
  const counted = rows[0];
  const file = await readClearingFile(trx, fileId);
  if (counted === undefined || counted.open > 0 || counted.records !== file.records) {
    throw new Error('a clearing file has records without a result');
  }
  const { posted, duplicates, quarantined } = counted;
  await finish(trx, fileId, { status: 'POSTED', posted, duplicates, quarantined });
  return { posted, duplicates, quarantined };
}

type Ending = Partial<
  Pick<ClearingFile, 'duplicate_of' | 'reason' | 'posted' | 'duplicates' | 'quarantined'>
> & {
  readonly status: 'POSTED' | 'REJECTED';
};

async function finish(trx: Trx, fileId: string, ending: Ending): Promise<boolean> {
  const { numUpdatedRows } = await trx
    .updateTable('clearing_files')
    .set({ ...ending, finished_at: nowOf(trx) })
    .where('file_id', '=', fileId)
    .where('status', 'in', ['QUEUED', 'LOADING'])
    .executeTakeFirst();
  if (numUpdatedRows === 0n) return false;
  const { status, ...counts } = ending;
  await audit(trx, {
    action: status === 'POSTED' ? 'clearing_file.posted' : 'clearing_file.rejected',
    objectType: 'clearing_file',
    objectId: fileId,
    after: counts,
  });
  return true;
}
