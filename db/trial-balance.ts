import { type Kysely, sql } from 'kysely';
import type { Database } from './database.ts';

/** What all accounts of one code of the chart come to in one currency: credits less debits, minor units. */
export interface TrialBalanceRow {
  readonly currency: string;
  readonly code: string;
  readonly value: number;
}

/** The ledger by currency and code; the values of one currency add up to zero (money 3.1). Engine or owner. */
export async function trialBalance(db: Kysely<Database>): Promise<readonly TrialBalanceRow[]> {
  const { rows } = await sql<TrialBalanceRow>`
    select a.currency, a.code, sum(p.movement)::bigint as value
    from (
      select debit_account as account_id, -amount as movement from ledger_transfers where state = 'POSTED'
      union all
      select credit_account, amount from ledger_transfers where state = 'POSTED') p
    join ledger_accounts a on a.account_id = p.account_id
    group by a.currency, a.code order by a.currency, a.code`.execute(db);
  return rows;
}
