import { Context } from '@temporalio/activity';
import type { Kysely } from 'kysely';
import type pg from 'pg';
import { atomically, type Trx } from '../../db/atomically.ts';
import {
  blockProgress,
  CHUNK_BYTES,
  deleteChunks,
  nextOpenBlock,
  storeChunk,
} from '../../db/clearing-blocks.ts';
import {
  claimClearingFile,
  type ClearingFile,
  finishClearingFile as finish,
  markClearingFileChecked,
  readClearingFile,
  rejectClearingFile,
} from '../../db/clearing-files.ts';
import type { Database } from '../../db/database.ts';
import type { Caller } from '../../domain/actor.ts';
import type { FileFault, FileReport } from '../../domain/clearing-file.ts';
import { awayFailure } from '../errors.ts';
import { checkAndStore } from './check-clearing-file.ts';
import { createConfiguration } from './configuration.ts';
import { postBlock } from './post-clearing-block.ts';
import { createBatchRunner, type Logger } from './run-batch.ts';

export interface ClearingFileCollaborators {
  /** Connection of the role cardloom_engine. */
  readonly db: Kysely<Database>;
  /** A small pool of its own for batches, role cardloom_engine, with `pipeline: true`. */
  readonly clearingPool: pg.Pool;
  /** Opens a file at the processor. */
  readonly openClearingFile: (fileId: string) => Promise<OpenedFile>;
  readonly logger: Logger;
}

/** `MISSING`: there is no such file; `UNKNOWN`: no answer that can be believed. */
export type OpenedFile =
  | { readonly outcome: 'OPEN'; readonly body: AsyncIterable<Uint8Array> }
  | { readonly outcome: 'MISSING' }
  | { readonly outcome: 'UNKNOWN'; readonly retryAfterMs: number | null };

interface Of {
  readonly fileId: string;
}

/** `ENDED`: nothing is left to do, its row says why. */
export type FileStep = 'GO_ON' | 'ENDED';

/** How far the posting of a file has come. */
export interface FileProgress {
  readonly records: number;
  readonly done: number;
}

/** A file that is announced before it is there is looked for that often, then given up. */
const LOOKS = 6;
const WAIT_MS = 5_000;
/** Blocks of one attempt: short enough that a worker that stops can wait for its end. */
const BLOCKS_AN_ATTEMPT = 20;

const caller: Caller = {
  partnerId: null,
  actor: { type: 'SYSTEM', id: 'clearing-file' },
  requestId: 'clearing-file',
  ip: null,
};

/** Steps of a clearing file (authorization 13): fetched once, checked as a whole, posted block by block. */
export function createClearingFileActivities(parts: ClearingFileCollaborators) {
  const { db, clearingPool: pool, logger, openClearingFile } = parts;
  const run = createBatchRunner({ pool, configuration: createConfiguration(db), logger });
  const inOneCommit = <T>(work: (trx: Trx) => Promise<T>): Promise<T> => atomically(db, caller, work);

  async function reject(fileId: string, fault: FileFault): Promise<FileStep> {
    await inOneCommit((trx) => rejectClearingFile(trx, fileId, fault));
    logger.warn({ fileId, fault }, 'clearing file rejected');
    return 'ENDED';
  }

  async function fetch(file: ClearingFile): Promise<FileStep> {
    const { heartbeat, info } = Context.current();
    const opened = await openClearingFile(file.file_id);
    if (opened.outcome === 'MISSING' && info.attempt >= LOOKS)
      return await reject(file.file_id, 'FILE_NOT_FOUND');
    if (opened.outcome !== 'OPEN') {
      const retryAfterMs = opened.outcome === 'UNKNOWN' ? opened.retryAfterMs : null;
      throw awayFailure('PROCESSOR_AWAY', 'the processor has not given the file', retryAfterMs);
    }
    await deleteChunks(db, file.file_id);
    let size = 0;
    let chunkNo = 0;
    for await (const bytes of inChunks(opened.body)) {
      size += bytes.length;
      if (size > file.size) return await reject(file.file_id, 'SIZE');
      await storeChunk(db, file.file_id, chunkNo, bytes);
      chunkNo += 1;
      heartbeat(size);
    }
    return 'GO_ON';
  }

  return {
    /** Brings the bytes of a file into the database. Throws PROCESSOR_AWAY, CLEARING_FILE_WAITS to be run again. */
    async fetchClearingFile({ fileId }: Of): Promise<FileStep> {
      const claim = await inOneCommit((trx) => claimClearingFile(trx, fileId));
      if (claim === 'WAIT') {
        throw awayFailure('CLEARING_FILE_WAITS', 'a file with the same bytes is being loaded', WAIT_MS);
      }
      if (claim !== 'LOAD') return 'ENDED';
      const file = await readClearingFile(db, fileId);
      // What an operator gives by hand is stored with its announcement.
      return file.checked_at !== null || file.source === 'OPERATOR' ? 'GO_ON' : await fetch(file);
    },

    /** Holds a file against its announcement and trailer; a wrong one is REJECTED and nothing of it posted. */
    async checkClearingFile({ fileId }: Of): Promise<FileStep> {
      const file = await readClearingFile(db, fileId);
      if (file.finished_at !== null) return 'ENDED';
      if (file.checked_at !== null) return 'GO_ON';
      const announced = {
        fileId,
        businessDate: file.business_date,
        records: file.records,
        size: file.size,
        sha256: file.sha256,
      };
      const { heartbeat } = Context.current();
      const fault = await checkAndStore(db, announced, heartbeat);
      if (fault !== null) return await reject(fileId, fault);
      await inOneCommit((trx) => markClearingFileChecked(trx, fileId));
      return 'GO_ON';
    },

    /** Posts the next blocks of a file; every attempt goes on where the one before has stored its results. */
    async postClearingBlocks({ fileId }: Of): Promise<FileProgress> {
      const { heartbeat, cancellationSignal } = Context.current();
      const file = await readClearingFile(db, fileId);
      if (file.checked_at === null) throw new Error('a clearing file is posted before it is checked');
      const named = { fileId, processor: file.processor };
      for (let count = 0; count < BLOCKS_AN_ATTEMPT && !cancellationSignal.aborted; count += 1) {
        const block = await nextOpenBlock(db, fileId);
        if (block === undefined) break;
        if (!(await postBlock({ db, pool, run }, named, block, count === 0))) {
          throw awayFailure('CLEARING_BLOCK_UNDECIDED', 'records of a block got no decision', null);
        }
        heartbeat(block.blockNo);
      }
      return await blockProgress(db, fileId);
    },

    /** Writes the report of a file whose records all have their result. */
    async finishClearingFile({ fileId }: Of): Promise<FileReport> {
      return await inOneCommit((trx) => finish(trx, fileId));
    },
  };
}

/** Puts a stream into pieces of one size, so that a file has few rows. */
async function* inChunks(body: AsyncIterable<Uint8Array>): AsyncGenerator<Buffer> {
  let waiting: Uint8Array[] = [];
  let size = 0;
  for await (const bytes of body) {
    waiting.push(bytes);
    size += bytes.length;
    if (size < CHUNK_BYTES) continue;
    yield Buffer.concat(waiting);
    waiting = [];
    size = 0;
  }
  if (size > 0) yield Buffer.concat(waiting);
}
