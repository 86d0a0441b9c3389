import type { Kysely } from 'kysely';
import type { Caller } from '../domain/actor.ts';
import { atomically, nowOf, type Trx } from './atomically.ts';
import type { Database } from './database.ts';
import { lockHolderOf, removeTransactionalLock } from './transactional-locks.ts';

const AT_ONCE = 200;

/**
 * Lifts the locks whose time has come (TEMPORARY_LOCKED with `until`, onboarding 7), by the database's clock, each
 * in a commit of its own. Answers how many. Engine only.
 */
export async function liftExpiredLocks(engine: Kysely<Database>, caller: Caller): Promise<number> {
  let lifted = 0;
  for (;;) {
    const due = await atomically(engine, caller, dueLocks);
    const outcomes = [];
    for (const one of due) outcomes.push(await atomically(engine, caller, (trx) => liftOne(trx, one)));
    const done = outcomes.filter((one) => one).length;
    lifted += done;
    if (due.length < AT_ONCE || done === 0) return lifted;
  }
}

const dueLocks = (trx: Trx) =>
  trx
    .selectFrom('transactional_locks')
    .selectAll()
    .where('until', '<=', nowOf(trx))
    .orderBy('until')
    .limit(AT_ONCE)
    .execute();

async function liftOne(trx: Trx, lock: Awaited<ReturnType<typeof dueLocks>>[number]): Promise<boolean> {
  const holder = lockHolderOf(lock);
  const removed = await removeTransactionalLock(trx, holder, {
    reason: lock.lock_reason,
    origin: lock.origin,
    dueBy: nowOf(trx),
  });
  return removed === 'REMOVED';
}
