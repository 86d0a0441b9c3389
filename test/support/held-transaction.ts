import { type Kysely, sql } from 'kysely';
import type { Caller } from '../../domain/actor.ts';
import { atomically, type Trx } from '../../db/atomically.ts';
import type { Database } from '../../db/database.ts';

export const SYSTEM: Caller = {
  partnerId: null,
  actor: { type: 'SYSTEM', id: 'test' },
  requestId: 'test',
  ip: null,
};

export interface HeldTransaction {
  /** Commits what was done and resolves when it is. */
  commit(): Promise<void>;
}

/** Runs `work` in a transaction that stays open, with its locks, until `commit`. */
export async function holdOpen(
  db: Kysely<Database>,
  work: (trx: Trx) => Promise<unknown>,
): Promise<HeldTransaction> {
  let release = (): void => undefined;
  let worked = (): void => undefined;
  const released = new Promise<void>((resolve) => (release = resolve));
  const done = new Promise<void>((resolve) => (worked = resolve));
  const ended = atomically(db, SYSTEM, async (trx) => {
    await work(trx);
    worked();
    await released;
  });
  await Promise.race([done, ended]);
  return {
    commit: async () => {
      release();
      await ended;
    },
  };
}

/** Resolves when somebody waits for a lock in the database of `owner`; fails after two seconds. */
export async function untilSomebodyWaits(owner: Kysely<Database>): Promise<void> {
  for (let look = 0; look < 100; look += 1) {
    const { rows } = await sql<{ waiting: number }>`
      select count(*)::int as waiting from pg_locks l join pg_stat_activity a using (pid)
      where not l.granted and a.datname = current_database()`.execute(owner);
    if ((rows[0]?.waiting ?? 0) > 0) return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw new Error('nobody waited for a lock');
}
