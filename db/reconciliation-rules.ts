import type { Invariant } from './invariant.ts';
import { OPERATION_INVARIANTS, recordsWithoutEvent } from './operation-invariants.ts';

/** What the jobs beside the ledger's own ask (authorization 16); each query gives subject, expected, found. */

/** I4, I5, I9 from the open holds alone, and decisions that no partner has made in time. */
export const rulesOfHolds: readonly Invariant[] = [
  {
    id: 'I4',
    query: `
      with open as (
        select balance_id, sum(held) as total from transactions
        where expires_at is not null and held > 0 group by balance_id)
      select 'balance ' || b.balance_id as subject, coalesce(o.total, 0)::text as expected,
        b.held::text as found
      from balances b left join open o using (balance_id)
      where b.held <> coalesce(o.total, 0)`,
  },
  {
    id: 'I5',
    query: `
      select 'transaction ' || t.id as subject, coalesce(h.remaining, 0)::text as expected, t.held::text as found
      from transactions t
      cross join lateral (
        select sum(case when p.state = 'PENDING' then p.amount when p.of_seq is not null then -p.amount else 0 end)
          as remaining
        from ledger_transfers p where p.transaction_id = t.id) h
      where t.expires_at is not null and t.held <> coalesce(h.remaining, 0)`,
  },
  {
    id: 'I9',
    query: `
      select 'transaction ' || id as subject, 'nothing held' as expected, held::text as found
      from transactions
      where expires_at is not null and held > 0
        and state not in ('AUTHORIZED', 'PARTLY_CLEARED', 'PENDING_PARTNER')`,
  },
  ...OPERATION_INVARIANTS.filter((one) => one.id === 'I15'),
];

/** I12 for messages of the network since `from`, and I13. */
export const outboxRules = (from: Date): readonly Invariant[] => [
  {
    id: 'I12',
    query: `
      with told as (
        select e.transaction_id, e.seq from transaction_events e
        join transactions t on t.id = e.transaction_id join programmes p using (programme_id)
        where e.created_at >= timestamptz '${from.toISOString()}' and e.actor like 'PROCESSOR:%'
          and p.notifications ? 'legacyTransaction'
          and e.kind <> 'BALANCE_INQUIRY' and e.amount is distinct from 0),
      rows as (
        select transaction_id, event_seq from outbox where destination = 'partner' and kind = 'transaction'
        union all
        select d.transaction_id, d.event_seq from told join deliveries d
          on d.transaction_id = told.transaction_id and d.event_seq = told.seq and d.operation = 'transaction')
      select 'event ' || told.transaction_id || '/' || told.seq as subject, '1 row to the partner' as expected,
        count(rows.event_seq)::text as found
      from told left join rows on rows.transaction_id = told.transaction_id and rows.event_seq = told.seq
      group by told.transaction_id, told.seq having count(rows.event_seq) <> 1`,
  },
  {
    id: 'I13',
    query: `
      select 'outbox row ' || id as subject, 'handed over within an hour' as expected,
        'waits since ' || created_at as found
      from outbox
      where failures < 5 and created_at < cardloom_now() - interval '1 hour'
        and coalesce(not_before, created_at) < cardloom_now() - interval '1 hour'
      union all
      select 'batch ' || batch_id, 'ended within an hour', 'runs since ' || created_at
      from delivery_batches where ended_at is null and created_at < cardloom_now() - interval '1 hour'
      union all
      select 'delivery ' || delivery_id, 'the same bytes at every attempt',
        count(distinct body_sha256) || ' bodies'
      from notification_attempts where id >= id_bound(cardloom_now() - interval '1 day')
      group by delivery_id having count(distinct body_sha256) > 1`,
  },
];

/** Name under which a transaction knows the clearing file that it looks at. */
export const FILE_SETTING = 'app.clearing_file';

const ofFile = `file_id = current_setting('${FILE_SETTING}')`;

/** I20 of the one clearing file that `FILE_SETTING` names. */
export const presentmentRules: readonly Invariant[] = [
  {
    id: 'I20',
    query: `
      select 'file ' || f.file_id as subject, f.records || ' records' as expected,
        f.posted + f.duplicates + f.quarantined || ' counted' as found
      from clearing_files f
      where f.${ofFile} and f.status = 'POSTED' and f.records <> f.posted + f.duplicates + f.quarantined
      union all
      ${recordsWithoutEvent(`and b.${ofFile}`)}`,
  },
];

/** Days after which an item on an account of money in flight has to be settled; D: debits are the items. */
const MOST_DAYS = [
  ['IC', 'C', 3],
  ['IH', 'C', 30],
  ['PO', 'C', 3],
  ['CB', 'D', 120],
  ['SU', 'D', 5],
] as const;

/**
 * I21: items are settled oldest first, so one is too old when all that was ever settled does not cover all that
 * came before its limit. NS joins them with the settlement of a day, which pays it.
 */
export const ageOfOpenItems: readonly Invariant[] = [
  {
    id: 'I21',
    query: `
      with most (code, side, days) as (
        values ${MOST_DAYS.map(([code, side, days]) => `('${code}', '${side}', ${days})`).join(', ')}),
      accounts as (select a.account_id, a.currency, m.* from ledger_accounts a join most m using (code)),
      items as (
        select a.account_id, t.amount, t.created_at,
          (case a.side when 'C' then t.credit_account else t.debit_account end) = a.account_id as is_item
        from accounts a
        join ledger_transfers t on t.state = 'POSTED' and a.account_id in (t.debit_account, t.credit_account)
        where exists (select from accounts))
      select 'account ' || a.account_id || ' ' || a.code as subject, 'settled in ' || a.days || ' days' as expected,
        sum(i.amount) filter (where i.is_item and i.created_at < cardloom_now() - make_interval(days => a.days))
          - coalesce(sum(i.amount) filter (where not i.is_item), 0) || ' ' || a.currency as found
      from accounts a join items i using (account_id)
      group by a.account_id, a.code, a.days, a.currency
      having coalesce(sum(i.amount) filter (
          where i.is_item and i.created_at < cardloom_now() - make_interval(days => a.days)), 0)
        > coalesce(sum(i.amount) filter (where not i.is_item), 0)`,
  },
];
