import type { Kysely } from 'kysely';
import type pg from 'pg';
import { atomically } from '../../db/atomically.ts';
import { audit, isAudited } from '../../db/audit-log.ts';
import type { Database } from '../../db/database.ts';
import { cardOfTransaction, type DueHold, dueHolds } from '../../db/due-holds.ts';
import type { Caller } from '../../domain/actor.ts';
import { Refusal } from '../../domain/errors.ts';
import type { HoldRelease, HoldReleaseResult } from '../../domain/hold-release.ts';
import type { ReleaseResult } from '../../domain/release.ts';
import { awayFailure } from '../errors.ts';
import { releaseItem } from './commands.ts';
import { createConfiguration } from './configuration.ts';
import { createBatchRunner, type Logger } from './run-batch.ts';

export interface HoldCollaborators {
  /** Connection of the role cardloom_engine. */
  readonly db: Kysely<Database>;
  /** A small pool of its own for batches, role cardloom_engine, with `pipeline: true`. */
  readonly clearingPool: pg.Pool;
  readonly logger: Logger;
}

const DEADLINE_MS = 60_000;
const LANE = 0;
const EXPIRY = 'expiry';

const caller: Caller = {
  partnerId: null,
  actor: { type: 'SYSTEM', id: EXPIRY },
  requestId: EXPIRY,
  ip: null,
};

/**
 * Ends all holds and announced credits that are due by the database's clock (authorization 12), in batches in the
 * lock order of all writers; answers how many ended. A second sweeper finds nothing held where the first was, and
 * what could not be decided is left for the next run.
 */
export function createExpirySweep({
  db,
  clearingPool: pool,
  logger,
}: HoldCollaborators): () => Promise<number> {
  const run = createBatchRunner({ pool, configuration: createConfiguration(db), logger });
  return async () => {
    let ended = 0;
    let last: DueHold | null = null;
    for (;;) {
      const after = last;
      const due: DueHold[] = await atomically(db, caller, (trx) => dueHolds(trx, after));
      const results = due.length === 0 ? [] : await run(due.map(expiryItem), LANE);
      ended += results.filter((one) => !(one instanceof Refusal) && isReleased(one.answer)).length;
      last = due.at(-1) ?? null;
      if (last === null) return ended;
    }
  };
}

const expiryItem = ({ transactionId, processorCardId }: DueHold) =>
  releaseItem(
    {
      transactionId,
      processorCardId,
      cause: 'expiry',
      amount: null,
      note: null,
      requestId: EXPIRY,
      actor: `SYSTEM:${EXPIRY}`,
    },
    Date.now(),
    DEADLINE_MS,
  );

const isReleased = (answer: string): boolean => (JSON.parse(answer) as ReleaseResult).result === 'RELEASED';

/** Releases by hand; they take the path of every other writer of holds. */
export function createHoldActivities({ db, clearingPool: pool, logger }: HoldCollaborators) {
  const run = createBatchRunner({ pool, configuration: createConfiguration(db), logger });
  return {
    /** Releases a hold or a part of it. Throws HOLD_UNDECIDED to be run again. */
    async releaseHold(release: HoldRelease): Promise<HoldReleaseResult> {
      const { transactionId, amount, reason, operatorId, requestId } = release;
      const done = await releasedBefore(db, release);
      if (done !== null) return await noted(release, done);
      const processorCardId = await cardOfTransaction(db, transactionId);
      if (processorCardId === undefined) return { result: 'NO_TRANSACTION' };
      const actor = `OPERATOR:${operatorId}`;
      const asked = { transactionId, processorCardId, amount, note: reason, requestId, actor };
      const item = releaseItem({ ...asked, cause: 'manual' }, Date.now(), DEADLINE_MS);
      const [ended] = await run([item], LANE);
      if (ended === undefined || ended instanceof Refusal) {
        throw awayFailure('HOLD_UNDECIDED', 'the release got no decision', null);
      }
      return await noted(release, JSON.parse(ended.answer) as ReleaseResult);
    },
  };

  /** The event tells who and how much; the operator's reason stands in the audit log, once a release. */
  async function noted(release: HoldRelease, result: ReleaseResult): Promise<ReleaseResult> {
    if (result.result !== 'RELEASED') return result;
    const { transactionId, reason, operatorId, requestId } = release;
    const operator: Caller = {
      partnerId: null,
      actor: { type: 'OPERATOR', id: operatorId },
      requestId,
      ip: null,
    };
    await atomically(db, operator, async (trx) => {
      if (await isAudited(trx, 'hold.released', transactionId)) return;
      const { amount, state } = result;
      await audit(trx, {
        action: 'hold.released',
        objectType: 'transaction',
        objectId: transactionId,
        after: { amount, state, reason },
      });
    });
    return result;
  }
}

/** A release has no network key: its own event tells an attempt that the one before it did the work. */
async function releasedBefore(
  db: Kysely<Database>,
  { transactionId, requestId }: HoldRelease,
): Promise<ReleaseResult | null> {
  const row = await db
    .selectFrom('transaction_events as e')
    .innerJoin('transactions as t', 't.id', 'e.transaction_id')
    .select(['e.amount', 't.amount as whole', 't.state'])
    .where('e.transaction_id', '=', transactionId)
    .where('e.request_id', '=', requestId)
    .executeTakeFirst();
  return row === undefined ? null : { result: 'RELEASED', amount: row.amount ?? row.whole, state: row.state };
}
