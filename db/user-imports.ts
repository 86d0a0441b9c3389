import { type Kysely, type Selectable, sql } from 'kysely';
import { Refusal } from '../domain/errors.ts';
import type { ImportMode, RowResult, RowStatus } from '../domain/user-import.ts';
import { refuseClosed } from '../domain/programme.ts';
import { audit } from './audit-log.ts';
import { callerOf, newId, nowOf, type Trx } from './atomically.ts';
import type { StoredSubjectKey } from './customers.ts';
import type { Database, UserImportsTable } from './database.ts';
import { startWorkflow } from './outbox.ts';
import type { Programme } from './partners.ts';

/** An import with the key that its file and rows are sealed under. */
export type UserImport = Selectable<UserImportsTable> & { readonly subjectKey: StoredSubjectKey };

/** How many rows have come to which end. */
export type ImportCounts = Readonly<Record<Lowercase<RowStatus>, number>>;

/** Where the rows of a chunk are sealed. */
export const chunkPlace = (importId: string, chunkNo: number) =>
  ({ table: 'user_import_chunks', rowId: `${importId}:${chunkNo}`, field: 'rows' }) as const;

export interface NewImport {
  readonly subjectKey: StoredSubjectKey;
  readonly mode: ImportMode;
  readonly dryRun: boolean;
  readonly file: { readonly key: string; readonly bytes: number; readonly sha256: string };
}

/**
 * Stores an import whose file is in the document store, and asks for its workflow (onboarding 3). Throws
 * `STATE_CONFLICT` in a closed programme.
 */
export async function createImport(trx: Trx, programme: Programme, given: NewImport): Promise<UserImport> {
  refuseClosed(programme);
  const { partnerId, programmeId } = programme;
  const { subjectKey, file } = given;
  const { actor } = callerOf(trx);
  await trx
    .insertInto('subject_keys')
    .values({
      subject_id: subjectKey.subjectId,
      partner_id: partnerId,
      wrapped: subjectKey.wrapped,
      kek_version: subjectKey.kekVersion,
    })
    .execute();
  const row = await trx
    .insertInto('user_imports')
    .values({
      import_id: newId(trx),
      subject_id: subjectKey.subjectId,
      partner_id: partnerId,
      programme_id: programmeId,
      mode: given.mode,
      dry_run: given.dryRun,
      file_key: file.key,
      file_bytes: file.bytes,
      file_sha256: file.sha256,
      actor_type: actor.type,
      actor_id: actor.id,
      created_at: nowOf(trx),
    })
    .returningAll()
    .executeTakeFirstOrThrow();
  const importId = row.import_id;
  await audit(trx, {
    action: 'import.received',
    objectType: 'user_import',
    objectId: importId,
    after: { mode: given.mode, dryRun: given.dryRun, bytes: file.bytes, sha256: file.sha256 },
    partnerId,
  });
  await startWorkflow(trx, programme, {
    workflow: 'user-import',
    id: `user-import:${importId}`,
    input: { importId },
  });
  return { ...row, subjectKey };
}

/** One import of the programmes in `scope`. Throws `IMPORT_NOT_FOUND`. */
export async function readImport(
  db: Kysely<Database>,
  scope: readonly number[] | 'every',
  importId: string,
): Promise<UserImport> {
  let query = db
    .selectFrom('user_imports')
    .innerJoin('subject_keys', 'subject_keys.subject_id', 'user_imports.subject_id')
    .selectAll('user_imports')
    .select(['wrapped', 'kek_version'])
    .where('import_id', '=', importId);
  if (scope !== 'every') query = query.where(sql<boolean>`programme_id = any(${[...scope]}::int[])`);
  const row = await query.executeTakeFirst();
  if (row === undefined) throw new Refusal('IMPORT_NOT_FOUND', 'There is no such import.');
  const { wrapped, kek_version: kekVersion, ...columns } = row;
  const subjectKey = { subjectId: row.subject_id, partnerId: row.partner_id, wrapped, kekVersion };
  return { ...columns, subjectKey };
}

/** How far an import has come, counted from its rows. */
export async function countRows(db: Kysely<Database>, importId: string): Promise<ImportCounts> {
  const rows = await db
    .selectFrom('user_import_rows')
    .select((select) => ['status', select.fn.countAll<number>().as('count')])
    .where('import_id', '=', importId)
    .groupBy('status')
    .execute();
  const of = (status: RowStatus): number => rows.find((one) => one.status === status)?.count ?? 0;
  return { created: of('CREATED'), updated: of('UPDATED'), skipped: of('SKIPPED'), failed: of('FAILED') };
}

export interface ImportedRow extends RowResult {
  readonly row: number;
}

/** Rows in the order of the file, those after `after`. */
export async function listRows(
  db: Kysely<Database>,
  importId: string,
  filter: {
    readonly status?: RowStatus | undefined;
    readonly after?: number | undefined;
    readonly limit?: number;
  },
): Promise<ImportedRow[]> {
  let query = db
    .selectFrom('user_import_rows')
    .select(['row_no as row', 'status', 'customer_id as customerId', 'title', 'field'])
    .where('import_id', '=', importId)
    .orderBy('row_no');
  if (filter.status !== undefined) query = query.where('status', '=', filter.status);
  if (filter.after !== undefined) query = query.where('row_no', '>', filter.after);
  if (filter.limit !== undefined) query = query.limit(filter.limit);
  return await query.execute();
}

/**
 * Keeps an import from going on; rows that are done stay. A column that the next chunk reads, and no update of the
 * workflow: an import can so be cancelled while Temporal is away, and before its workflow runs. Throws `IMPORT_NOT_FOUND`, `STATE_CONFLICT` at
 * its end.
 */
export async function cancelImport(trx: Trx, scope: readonly number[], importId: string): Promise<void> {
  await readImport(trx, scope, importId);
  const { numUpdatedRows } = await trx
    .updateTable('user_imports')
    .set({ cancelled: true })
    .where('import_id', '=', importId)
    .where('finished_at', 'is', null)
    .executeTakeFirst();
  if (numUpdatedRows === 0n) throw new Refusal('STATE_CONFLICT', 'The import has ended.');
  await audit(trx, { action: 'import.cancelled', objectType: 'user_import', objectId: importId });
}

/** Moves an import on; one that has ended stays as it is. Engine only. */
export async function moveImport(trx: Trx, importId: string, state: 'VALIDATING' | 'RUNNING'): Promise<void> {
  await trx
    .updateTable('user_imports')
    .set({ state })
    .where('import_id', '=', importId)
    .where('finished_at', 'is', null)
    .execute();
}

/** Stores what a file was taken apart into, and moves the import to RUNNING. Engine only. */
export async function storeChunks(
  trx: Trx,
  { import_id: importId, partner_id }: UserImport,
  rows: number,
  chunks: readonly Buffer[],
): Promise<void> {
  await trx.deleteFrom('user_import_chunks').where('import_id', '=', importId).execute();
  for (const [chunkNo, sealed] of chunks.entries()) {
    await trx
      .insertInto('user_import_chunks')
      .values({ import_id: importId, chunk_no: chunkNo, partner_id, rows: sealed })
      .execute();
  }
  await trx.updateTable('user_imports').set({ rows }).where('import_id', '=', importId).execute();
  await moveImport(trx, importId, 'RUNNING');
}

/** The sealed rows of a chunk; undefined when there is none of that number. Engine only. */
export async function readChunk(
  db: Kysely<Database>,
  importId: string,
  chunkNo: number,
): Promise<Buffer | undefined> {
  const found = await db
    .selectFrom('user_import_chunks')
    .select('rows')
    .where('import_id', '=', importId)
    .where('chunk_no', '=', chunkNo)
    .executeTakeFirst();
  return found?.rows;
}

/** Numbers of the rows from `from` to `to` that have their result. Engine only. */
export async function doneRows(
  db: Kysely<Database>,
  importId: string,
  from: number,
  to: number,
): Promise<ReadonlySet<number>> {
  const rows = await db
    .selectFrom('user_import_rows')
    .select('row_no')
    .where('import_id', '=', importId)
    .where('row_no', '>=', from)
    .where('row_no', '<=', to)
    .execute();
  return new Set(rows.map((one) => one.row_no));
}

/** Stores the result of a row, in the transaction of its effect: the key (import, row) lets it happen once. */
export async function storeRow(
  trx: Trx,
  { import_id, partner_id }: UserImport,
  row: number,
  { status, customerId, title, field }: RowResult,
): Promise<void> {
  await trx
    .insertInto('user_import_rows')
    .values({ import_id, row_no: row, partner_id, status, customer_id: customerId, title, field })
    .execute();
}

/** Something of a row of a dry run that only one user can have, or (`row`) all of it, as a keyed index. */
export interface ImportKey {
  readonly kind: 'row' | 'phone' | 'email' | 'externalId';
  readonly key: Buffer;
}

/** Rows of a dry run that would have taken some of `keys`. Engine only. */
export async function takenKeys(
  trx: Trx,
  importId: string,
  keys: readonly ImportKey[],
): Promise<{ readonly kind: ImportKey['kind']; readonly row: number }[]> {
  return await trx
    .selectFrom('user_import_keys')
    .select(['kind', 'row_no as row'])
    .where('import_id', '=', importId)
    .where((where) =>
      where.or(keys.map(({ kind, key }) => where.and([where('kind', '=', kind), where('key', '=', key)]))),
    )
    .execute();
}

/** Notes what a row of a dry run would have taken; `instead` is the row whose user it would have changed. Engine only. */
export async function takeKeys(
  trx: Trx,
  { import_id: importId, partner_id }: UserImport,
  row: number,
  keys: readonly ImportKey[],
  instead: number | undefined,
): Promise<void> {
  if (instead !== undefined) {
    await trx
      .deleteFrom('user_import_keys')
      .where('import_id', '=', importId)
      .where('row_no', '=', instead)
      .execute();
  }
  await trx
    .insertInto('user_import_keys')
    .values(keys.map(({ kind, key }) => ({ import_id: importId, kind, key, partner_id, row_no: row })))
    .execute();
}

/** Ends an import, once; its rows in clear text are not needed any more. Engine only. */
export async function finishImport(
  trx: Trx,
  importId: string,
  state: 'DONE' | 'FAILED' | 'CANCELLED',
): Promise<ImportCounts> {
  const { numUpdatedRows } = await trx
    .updateTable('user_imports')
    .set({ state, finished_at: nowOf(trx) })
    .where('import_id', '=', importId)
    .where('finished_at', 'is', null)
    .executeTakeFirst();
  const counts = await countRows(trx, importId);
  if (numUpdatedRows === 0n) return counts;
  await trx.deleteFrom('user_import_chunks').where('import_id', '=', importId).execute();
  await trx.deleteFrom('user_import_keys').where('import_id', '=', importId).execute();
  await audit(trx, {
    action: 'import.finished',
    objectType: 'user_import',
    objectId: importId,
    after: { state, ...counts },
  });
  return counts;
}
