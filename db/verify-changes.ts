import type { Kysely } from 'kysely';
import type { Database } from './database.ts';
import { differencesOf, inSnapshot, type Invariant, type LedgerDifference } from './invariant.ts';
import { INVARIANTS } from './verify-ledger.ts';

/**
 * Holds the transactions that had an event or transfer since `from` to the rules that speak of one transaction,
 * and the balances they moved to their newest posting. What a full proof adds are sums over all rows.
 */
export async function verifyChanges(
  db: Kysely<Database>,
  from: Date,
  limit = 20,
): Promise<LedgerDifference[]> {
  return await inSnapshot(db, async (trx) => {
    const found: LedgerDifference[] = [];
    for (const invariant of INVARIANTS.filter((one) => one.local === true)) {
      found.push(...(await differencesOf(trx, invariant, limit, changedSince(from))));
    }
    found.push(...(await differencesOf(trx, lastPosting(from), limit)));
    return found;
  });
}

/** Under these names a query sees only what belongs to transactions that changed since `from`. */
const changedSince = (from: Date): string => `
  with changed as materialized (
    select transaction_id from public.transaction_events where created_at >= ${literal(from)}
    union
    select transaction_id from public.ledger_transfers where created_at >= ${literal(from)}),
  ledger_transfers as materialized (
    select t.* from changed join public.ledger_transfers t using (transaction_id)),
  transaction_events as materialized (
    select e.* from changed join public.transaction_events e using (transaction_id)),
  transactions as materialized (
    select t.* from changed join public.transactions t on t.id = changed.transaction_id)`;

/** Postings of a batch carry the time at which it began: a batch that began first may end last. */
const LONGEST_BATCH_MS = 300_000;

/** I3 for balances that moved since `from`: the cached value is what some late posting left behind. */
const lastPosting = (from: Date): Invariant => ({
  id: 'I3',
  query: `
    with late as (
      select debit_account as account_id, debit_after as after, created_at from ledger_transfers
        where state = 'POSTED' and created_at >= ${literal(new Date(from.getTime() - LONGEST_BATCH_MS))}
      union all
      select credit_account, credit_after, created_at from ledger_transfers
        where state = 'POSTED' and created_at >= ${literal(new Date(from.getTime() - LONGEST_BATCH_MS))}),
    moved as (
      select account_id, array_agg(distinct after) as left_behind from late
      group by account_id having max(created_at) >= ${literal(from)})
    select 'balance ' || b.balance_id as subject, 'the value after a posting' as expected,
      b.posted::text as found
    from moved join balances b using (account_id) where b.posted <> all (left_behind)
    union all
    select 'partner balance ' || b.partner_balance_id, 'the value after a posting', b.posted::text
    from moved join partner_balances b using (account_id) where b.posted <> all (left_behind)`,
});

const literal = (at: Date): string => `timestamptz '${at.toISOString()}'`;
