import type pg from 'pg';
import { Refusal } from '../../domain/errors.ts';
import { isTransient, sqlState } from '../../db/atomically.ts';
import type { Item } from './commands.ts';
import type { Configuration } from './configuration.ts';
import {
  type Answered,
  type BatchOptions,
  type BatchResult,
  decideBatch,
  ItemFault,
  repeatOf,
} from './decide-batch.ts';
import { knownKeys, storedAnswers } from './load.ts';
import { CommitUnknown } from './write.ts';

/** What is logged: one line an event, without bodies. */
export interface Logger {
  warn(fields: Record<string, unknown>, message: string): void;
  error(fields: Record<string, unknown>, message: string): void;
}

/** Each item ends by itself: with its answer, or with the refusal its caller gets. */
export type Ended = Answered | Refusal;

export interface BatchRunner {
  (items: readonly Item[], lane: number): Promise<Ended[]>;
}

const ATTEMPTS = 3;
/** Less than this is not enough for another transaction. */
const LEAST_REMAINING_MS = 300;
const UNIQUE_VIOLATION = '23505';

/** No answer, or an error that says nothing about the batch: SQLSTATE classes 08, 53, 57P. */
const isLost = (state: string | null): boolean => state === null || /^(08|53|57P)/.test(state);

/** 503: the processor asks again (processor 3.1). */
export const unavailable = (): Refusal =>
  new Refusal('SERVICE_UNAVAILABLE', 'No decision was made; try again.', { retryAfterSeconds: 1 });

/** Others stay open: they are asked for again until they are answered. */
const isRecordedAsFault = ({ kind }: Item): boolean => kind === 'authorization' || kind === 'presentment';

const isTooLate = (item: Item): boolean => item.deadlineAtMs <= Date.now();

/** A security event (authorization 2). */
export const logConflict = (logger: Logger, item: Item): void =>
  logger.warn(
    { event: 'security', kind: 'DUPLICATE_KEY_CONFLICT', requestId: item.call.requestId },
    'a known network key came with other content',
  );

/** Runs batches on connections of `pool`, and takes faults apart so that each hits only its own item. */
export function createBatchRunner(tools: {
  readonly pool: pg.Pool;
  readonly configuration: Configuration;
  readonly logger: Logger;
}): BatchRunner {
  const { pool, configuration, logger } = tools;

  return async (items, lane) => {
    const ended = await attempt(items, lane, {});
    for (const [at, result] of ended.entries()) {
      const item = items[at];
      if (result === 'alone' && item !== undefined) {
        ended[at] = (await attempt([item], lane, { alone: true }))[0] ?? unavailable();
      }
    }
    return ended.map((result) => (typeof result === 'string' ? unavailable() : result));
  };

  async function attempt(
    items: readonly Item[],
    lane: number,
    how: Pick<BatchOptions, 'alone' | 'fault'>,
  ): Promise<(BatchResult | Refusal)[]> {
    let connected = true;
    for (let count = 1; count <= ATTEMPTS; count += 1) {
      try {
        return await inTransaction(items, { ...how, lane, onConflict, onUnknownCard, onFault });
      } catch (error) {
        if (error instanceof CommitUnknown) return await resolveUnknown(items, lane, how, count);
        for (const { progress } of items) progress.decided = false;
        const state = sqlState(error);
        connected = !isLost(state);
        const again = isTransient(error) || state === UNIQUE_VIOLATION || !connected;
        if (error instanceof ItemFault || !again) return await apart(items, lane, how, error);
        logger.warn({ sqlState: state, batch: items.length, attempt: count }, 'batch is run again');
        if (items.every(isTooLate)) break;
      }
    }
    // Without a database each item would only wait for the same failure.
    return connected && items.length > 1 ? await oneByOne(items, lane, how) : items.map(unavailable);
  }

  async function inTransaction(items: readonly Item[], options: BatchOptions): Promise<BatchResult[]> {
    const client = await pool.connect();
    try {
      const results = await decideBatch(client, configuration, items, options);
      client.release();
      return results;
    } catch (error) {
      const rolledBack = await client.query('rollback').then(
        () => true,
        () => false,
      );
      // A connection that cannot roll back, or whose commit is unknown, is not used again.
      client.release(!rolledBack || error instanceof CommitUnknown);
      throw error;
    }
  }

  /** One item of the batch cannot be decided or written: all others must not suffer (authorization 7). */
  async function apart(
    items: readonly Item[],
    lane: number,
    how: Pick<BatchOptions, 'alone' | 'fault'>,
    error: unknown,
  ): Promise<(BatchResult | Refusal)[]> {
    if (items.length > 1) return await oneByOne(items, lane, how);
    const [item] = items;
    const cause = error instanceof ItemFault ? error.cause : error;
    const fault = cause instanceof Error ? cause.name : 'unknown';
    logger.error(
      { fault, sqlState: sqlState(error), kind: item?.kind, requestId: item?.call.requestId },
      'item failed',
    );
    if (item !== undefined && isRecordedAsFault(item) && how.fault !== true) {
      return await attempt(items, lane, { ...how, fault: true });
    }
    return items.map(unavailable);
  }

  async function oneByOne(
    items: readonly Item[],
    lane: number,
    how: Pick<BatchOptions, 'alone' | 'fault'>,
  ): Promise<(BatchResult | Refusal)[]> {
    const results: (BatchResult | Refusal)[] = [];
    for (const item of items) {
      results.push(...(isTooLate(item) ? [unavailable()] : await attempt([item], lane, how)));
    }
    return results;
  }

  /** Our own record says whether the commit took place; it is never assumed rolled back. */
  async function resolveUnknown(
    items: readonly Item[],
    lane: number,
    how: Pick<BatchOptions, 'alone' | 'fault'>,
    count: number,
  ): Promise<(BatchResult | Refusal)[]> {
    logger.warn({ batch: items.length }, 'commit unknown, looking for its record');
    const found = await recordsOf(items).catch(() => null);
    if (found === null) return items.map(unavailable);
    const results: (BatchResult | Refusal)[] = [];
    for (const [at, item] of items.entries()) {
      const record = found[at];
      const mayRunAgain = count === 1 && item.deadlineAtMs - Date.now() >= LEAST_REMAINING_MS;
      if (record !== null && record !== undefined) results.push(record);
      else results.push(...(mayRunAgain ? await attempt([item], lane, how) : [unavailable()]));
    }
    return results;
  }

  async function recordsOf(items: readonly Item[]): Promise<(Answered | null)[]> {
    const client = await pool.connect();
    try {
      const known = new Map((await knownKeys(client, items)).map((key) => [key.nk, key]));
      const answers = await storedAnswers(client, [...known.values()]);
      return items.map((item) => {
        const key = known.get(item.keys[0]?.nk ?? '');
        if (key === undefined) return null;
        const stored = answers.get(`${key.transaction_id}/${key.seq}`);
        // A record that was posted is no duplicate of itself.
        if (item.kind === 'presentment' && stored !== undefined) return { answer: stored, replayed: false };
        return repeatOf(item, key, answers, { onConflict });
      });
    } finally {
      client.release();
    }
  }

  function onConflict(item: Item): void {
    logConflict(logger, item);
  }

  function onUnknownCard({ kind, call }: Item): void {
    logger.warn(
      { event: 'security', kind: 'UNKNOWN_CARD', message: kind, requestId: call.requestId },
      'a message named a card that is not known',
    );
  }

  function onFault(item: Item, error: unknown): void {
    const fault = error instanceof Error ? error.name : 'unknown';
    logger.error({ fault, requestId: item.call.requestId }, 'a decision broke off');
  }
}
