import { type Kysely, sql } from 'kysely';
import type { Trx } from './atomically.ts';
import type { Database } from './database.ts';

/** A rule of authorization 16 that does not hold, with what breaks it; never personal data. */
export interface LedgerDifference {
  readonly invariant: string;
  readonly subject: string;
  readonly expected: string;
  readonly found: string;
}

export interface Invariant {
  readonly id: string;
  /** True where the rule speaks of one transaction at a time, so that those lately changed can be held to it. */
  readonly local?: boolean;
  /** Rows (subject, expected, found), all text; none when the rule holds. */
  readonly query: string;
}

/** The differences of one rule; `prefix` may put narrower sets in the place of whole tables. */
export async function differencesOf(
  trx: Trx,
  { id, query }: Invariant,
  limit: number,
  prefix = '',
): Promise<LedgerDifference[]> {
  const { rows } = await sql
    .raw<Omit<LedgerDifference, 'invariant'>>(`${prefix} select * from (${query}) differences limit ${limit}`)
    .execute(trx);
  return rows.map((row) => ({ invariant: id, ...row }));
}

/** One state of the database for all that `work` reads; the proof takes as long as it takes. */
export async function inSnapshot<T>(db: Kysely<Database>, work: (trx: Trx) => Promise<T>): Promise<T> {
  return await db
    .transaction()
    .setIsolationLevel('repeatable read')
    .setAccessMode('read only')
    .execute(async (trx) => {
      await sql`set local statement_timeout = 0`.execute(trx);
      return await work(trx);
    });
}
