import { type Kysely, sql } from 'kysely';
import type { Database } from './database.ts';

/** What stands on all accounts of one currency, in its minor units (money 2). */
export interface CurrencySummary {
  readonly currency: string;
  /** Posted on users' balances that the platform holds, closed ones too. */
  readonly users: number;
  /** Users' money at partners by their last readings; null while none is read. Never part of `wallet`. */
  readonly usersExternal: number | null;
  readonly usersExternalAsOf: string | null;
  readonly credit: number;
  readonly deposit: number;
  readonly company: number;
  readonly ibanTechnical: number;
  /** `users` and the four partner balances together. */
  readonly wallet: number;
}

/** One row (programme_id, currency, place, posted) for every kind of place and currency of a programme. */
export const SUMMARY_PLACES = `
  select programme_id, currency, 'users' as place, sum(posted) as posted
    from balances where holder = 'platform' group by 1, 2
  union all
  select programme_id, currency, kind, sum(posted) from partner_balances group by 1, 2, 3`;

/** Users' and partners' money by currency, of the programmes named or of all (null), in alphabetical order. */
export async function balanceSummary(
  db: Kysely<Database>,
  programmeIds: readonly number[] | null,
): Promise<CurrencySummary[]> {
  const { rows } = await sql<Omit<CurrencySummary, 'usersExternal' | 'usersExternalAsOf'>>`
    select currency,
      coalesce(sum(posted) filter (where place = 'users'), 0)::bigint as users,
      coalesce(sum(posted) filter (where place = 'credit'), 0)::bigint as credit,
      coalesce(sum(posted) filter (where place = 'deposit'), 0)::bigint as deposit,
      coalesce(sum(posted) filter (where place = 'company'), 0)::bigint as company,
      coalesce(sum(posted) filter (where place = 'ibanTechnical'), 0)::bigint as "ibanTechnical",
      sum(posted)::bigint as wallet
    from (${sql.raw(SUMMARY_PLACES)}) places
    where ${programmeIds}::int[] is null or programme_id = any(${programmeIds}::int[])
    group by currency order by currency`.execute(db);
  return rows.map((row) => ({ ...row, usersExternal: null, usersExternalAsOf: null }));
}
