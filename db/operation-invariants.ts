import type { Invariant } from './invariant.ts';

/** Rules beside the sums of the ledger that hold at any time (authorization 16). */
export const OPERATION_INVARIANTS: readonly Invariant[] = [
  {
    id: 'I15',
    query: `
      select 'transaction ' || id as subject, 'decided within 60 s' as expected, 'PENDING_PARTNER' as found
      from transactions
      where state = 'PENDING_PARTNER' and expires_at is not null
        and updated_at < cardloom_now() - interval '60 seconds'`,
  },
  {
    id: 'I20',
    query: `
      select 'file ' || f.file_id as subject, f.records || ' records' as expected,
        f.posted + f.duplicates + f.quarantined || ' counted, '
          || coalesce(sum(jsonb_array_length(b.results)), 0) || ' results' as found
      from clearing_files f left join clearing_blocks b using (file_id)
      where f.status = 'POSTED' and f.duplicate_of is null
      group by f.file_id
      having f.records <> f.posted + f.duplicates + f.quarantined
        or f.records <> coalesce(sum(jsonb_array_length(b.results)), 0)
      union all
      ${recordsWithoutEvent('')}`,
  },
  {
    id: 'I22',
    query: `
      select 'balance ' || b.balance_id as subject, 'empty, or an exception' as expected,
        b.posted || ' posted, ' || b.held || ' held' as found
      from balances b
      where b.state = 'CLOSED' and (b.posted <> 0 or b.held <> 0) and not exists (
        select from exceptions x join transactions t on t.id = x.transaction_id
        where x.kind = 'CLOSED_BALANCE' and t.balance_id = b.balance_id)`,
  },
];

/** POSTED records of files whose transaction has no event of the file, or whose amounts differ from its events'. */
export function recordsWithoutEvent(where: string): string {
  return `
    select 'file ' || r.file_id || ' transaction ' || coalesce(r.transaction_id::text, '-'),
      r.records || ' events, ' || r.amount, coalesce(e.events, 0) || ' events, ' || coalesce(e.amount, 0)
    from (
      select b.file_id, (one.result ->> 1)::uuid as transaction_id, count(*) as records,
        sum((one.record ->> 'amount')::bigint) as amount,
        array_agg(distinct one.record ->> 'currency') as currencies
      from clearing_blocks b, lateral rows from (jsonb_array_elements(b.results), jsonb_array_elements(b.body))
        as one (result, record)
      where b.results is not null and one.result ->> 0 = 'POSTED' ${where}
      group by b.file_id, (one.result ->> 1)::uuid) r
    left join lateral (
      select count(*) as events, sum(coalesce(e.amount, t.amount)) as amount, min(t.currency) as currency
      from transaction_events e join transactions t on t.id = e.transaction_id
      where e.transaction_id = r.transaction_id and e.request_id = 'clearing-file:' || r.file_id
        and e.answer is not null) e on true
    where coalesce(e.events, 0) <> r.records
      or (r.currencies = array[e.currency::text] and e.amount <> r.amount)`;
}
