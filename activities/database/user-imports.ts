import { Context } from '@temporalio/activity';
import { parse } from 'csv-parse/sync';
import type { Kysely } from 'kysely';
import { atomically, type Trx } from '../../db/atomically.ts';
import type { Database } from '../../db/database.ts';
import { findProgramme } from '../../db/partners.ts';
import {
  chunkPlace,
  countRows,
  doneRows,
  finishImport as finish,
  type ImportCounts,
  moveImport,
  readChunk,
  readImport,
  storeChunks,
  type UserImport,
} from '../../db/user-imports.ts';
import type { Actor, Caller } from '../../domain/actor.ts';
import {
  CHUNK_ROWS,
  headerFault,
  type ImportLine,
  MOST_ROWS,
  separatorOf,
} from '../../domain/user-import.ts';
import { type DocumentStore, readDocument } from '../../vault/document-store.ts';
import { openPersonal, sealPersonal } from '../../vault/personal-data.ts';
import type { Vault } from '../../vault/vault.ts';
import { importRow } from './import-row.ts';

export interface UserImportCollaborators {
  /** Connection of the role cardloom_engine. */
  readonly db: Kysely<Database>;
  readonly vault: Vault;
  readonly documents: DocumentStore;
}

/** `DONE`: there was no further chunk. */
export interface ChunkProgress {
  readonly outcome: 'GO_ON' | 'DONE' | 'CANCELLED';
  readonly rows: number;
  readonly done: number;
}

interface Of {
  readonly importId: string;
}

/** Steps of a mass import of users (onboarding 3). */
export function createUserImportActivities({ db, vault, documents }: UserImportCollaborators) {
  return {
    /** Takes the file apart into sealed chunks of 200 rows. `FAILED`: it is no file of users. */
    async validateImport({ importId }: Of): Promise<'RUNNING' | 'FAILED'> {
      const given = await readImport(db, 'every', importId);
      if (given.finished_at !== null) return 'FAILED';
      if (given.rows !== null) return 'RUNNING';
      const caller = callerOf(given);
      await atomically(db, caller, (trx) => moveImport(trx, importId, 'VALIDATING'));
      const { subjectKey, file_key: key } = given;
      if (key === null) return 'FAILED';
      const rows = rowsIn(await readDocument(vault, documents, { subjectKey, key }), given.mode);
      if (rows === null) return 'FAILED';
      const chunks = Array.from({ length: Math.ceil(rows.length / CHUNK_ROWS) }, (_none, chunkNo) =>
        sealPersonal(
          vault,
          subjectKey,
          chunkPlace(importId, chunkNo),
          rows.slice(chunkNo * CHUNK_ROWS, (chunkNo + 1) * CHUNK_ROWS),
        ),
      );
      await atomically(db, caller, (trx) => storeChunks(trx, given, rows.length, chunks));
      return 'RUNNING';
    },

    /** Works off one chunk; rows that have their result already are left alone. */
    async importChunk({ importId, chunkNo }: Of & { readonly chunkNo: number }): Promise<ChunkProgress> {
      const given = await readImport(db, 'every', importId);
      const sealed = given.cancelled ? undefined : await readChunk(db, importId, chunkNo);
      if (sealed !== undefined) await work(given, chunkNo, sealed);
      const counts = Object.values(await countRows(db, importId));
      return {
        outcome: given.cancelled ? 'CANCELLED' : sealed === undefined ? 'DONE' : 'GO_ON',
        rows: given.rows ?? 0,
        done: counts.reduce((sum, count) => sum + count, 0),
      };
    },

    /** Ends an import and answers its counts. */
    async finishImport({
      importId,
      state,
    }: Of & { readonly state: 'DONE' | 'FAILED' | 'CANCELLED' }): Promise<ImportCounts> {
      const caller = callerOf(await readImport(db, 'every', importId));
      return await atomically(db, caller, (trx) => finish(trx, importId, state));
    },
  };

  async function work(given: UserImport, chunkNo: number, sealed: Buffer): Promise<void> {
    const { import_id: importId, subjectKey } = given;
    const rows = openPersonal<ImportLine[]>(vault, subjectKey, chunkPlace(importId, chunkNo), sealed);
    const programme = await findProgramme(db, given.programme_id);
    if (programme === undefined) throw new Error('an import names a programme that does not exist');
    const first = chunkNo * CHUNK_ROWS + 1;
    const done = await doneRows(db, importId, first, first + rows.length - 1);
    const left = rows.map((cells, at) => ({ cells, no: first + at })).filter(({ no }) => !done.has(no));
    const caller = callerOf(given);
    const run = <T>(doing: (trx: Trx) => Promise<T>): Promise<T> => atomically(db, caller, doing);
    const { heartbeat, cancellationSignal } = Context.current();
    // One after the other: what a row does may depend on those above it, and the last word on a user is the lowest.
    for (const { cells, no } of left) {
      cancellationSignal.throwIfAborted();
      await importRow({ run, vault, programme, given }, no, cells);
      heartbeat(no);
    }
  }
}

/** The rows act as who sent the file. */
const callerOf = (given: UserImport): Caller => ({
  partnerId: given.partner_id,
  actor: { type: given.actor_type, id: given.actor_id } as Actor,
  requestId: `user-import:${given.import_id}`,
  ip: null,
});

const utf8 = new TextDecoder('utf-8', { fatal: true });

/** The rows of a file; null when it is not UTF-8, not CSV, too long, or has another header. */
function rowsIn(bytes: Buffer, mode: UserImport['mode']): ImportLine[] | null {
  try {
    const content = utf8.decode(bytes);
    const delimiter = separatorOf(content.split(/\r?\n/, 1)[0] ?? '');
    const records = parse(content, {
      bom: true,
      delimiter,
      trim: true,
      skip_empty_lines: true,
      relax_column_count: true,
    });
    const [header, ...lines] = records;
    if (header === undefined || headerFault(header, mode) !== null || lines.length > MOST_ROWS) return null;
    return lines.map((cells): ImportLine =>
      cells.length === header.length
        ? Object.fromEntries(header.flatMap((column, at) => (cells[at] ? [[column, cells[at]]] : [])))
        : null,
    );
  } catch {
    return null;
  }
}
