import type { Kysely } from 'kysely';
import type { Database } from '../../db/database.ts';
import type { Programme } from '../../db/partners.ts';

/** The transfers of a transaction as text, `PC>U 500`, in their order. */
export async function transfersOf(db: Kysely<Database>, transactionId: string): Promise<string> {
  const rows = await db
    .selectFrom('ledger_transfers')
    .innerJoin('ledger_accounts as debit', 'debit.account_id', 'ledger_transfers.debit_account')
    .innerJoin('ledger_accounts as credit', 'credit.account_id', 'ledger_transfers.credit_account')
    .select(['debit.code as debit', 'credit.code as credit', 'amount'])
    .where('transaction_id', '=', transactionId)
    .orderBy('event_seq')
    .orderBy('seq')
    .execute();
  return rows.map(({ debit, credit, amount }) => `${debit}>${credit} ${amount}`).join(', ');
}

/** Values of the partner balances of a programme by kind; those never opened are left out. */
export async function partnerBalancesOf(
  db: Kysely<Database>,
  programme: Pick<Programme, 'programmeId'>,
): Promise<Record<string, number>> {
  const rows = await db
    .selectFrom('partner_balances')
    .select(['kind', 'posted'])
    .where('programme_id', '=', programme.programmeId)
    .execute();
  return Object.fromEntries(rows.map(({ kind, posted }) => [kind, posted]));
}
