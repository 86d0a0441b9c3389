import type { Kysely } from 'kysely';
import { SUMMARY_PLACES } from './balance-summary.ts';
import type { Database } from './database.ts';
import { differencesOf, type Invariant, inSnapshot, type LedgerDifference } from './invariant.ts';
import { OPERATION_INVARIANTS } from './operation-invariants.ts';
import { brokenSeals } from './ledger-seals.ts';

export interface LedgerVerdict {
  readonly ok: boolean;
  readonly differences: readonly LedgerDifference[];
}

/** Postings by account: + for credits, - for debits. */
const POSTINGS = `
  select debit_account as account_id, -amount as movement, debit_after as after, currency
    from ledger_transfers where state = 'POSTED'
  union all
  select credit_account, amount, credit_after, currency from ledger_transfers where state = 'POSTED'`;

/** PENDING transfers with what is left of them. */
const OPEN_HOLDS = `
  select p.transaction_id, p.event_seq, p.seq, p.debit_account, p.amount,
    p.amount - coalesce(sum(u.amount), 0) as remaining
  from ledger_transfers p
  left join ledger_transfers u on u.transaction_id = p.transaction_id
    and u.of_event_seq = p.event_seq and u.of_seq = p.seq
  where p.state = 'PENDING'
  group by p.transaction_id, p.event_seq, p.seq, p.debit_account, p.amount`;

/** The rules of the ledger itself. */
export const INVARIANTS: readonly Invariant[] = [
  {
    id: 'I1',
    local: true,
    query: `
      select t.transaction_id || '/' || t.event_seq || '/' || t.seq as subject,
        'accounts of one currency and one side of the balance sheet' as expected,
        coalesce(d.currency, '?') || '>' || coalesce(c.currency, '?') as found
      from ledger_transfers t
      left join ledger_accounts d on d.account_id = t.debit_account
      left join ledger_accounts c on c.account_id = t.credit_account
      where d.currency is distinct from t.currency or c.currency is distinct from t.currency
        or d.off_balance is distinct from c.off_balance
        or d.partner_id is distinct from t.partner_id or c.partner_id is distinct from t.partner_id
      union all
      select transaction_id || '/' || event_seq || '/' || seq, 'used at most ' || amount, remaining || ' left'
      from (${OPEN_HOLDS}) h where remaining < 0
      union all
      select transaction_id || '/' || event_seq, 'numbered without a gap', count(*) || ' up to ' || max(seq)
      from ledger_transfers group by transaction_id, event_seq having count(*) <> max(seq) or min(seq) <> 1`,
  },
  {
    id: 'I2',
    query: `
      select a.currency as subject, '0' as expected, sum(p.movement)::text as found
      from (${POSTINGS}) p join ledger_accounts a on a.account_id = p.account_id
      group by a.currency having sum(p.movement) <> 0`,
  },
  {
    id: 'I3',
    query: `
      with sums as (select account_id, sum(movement) as total from (${POSTINGS}) p group by account_id)
      select 'balance ' || b.balance_id as subject, coalesce(s.total, 0)::text as expected,
        b.posted::text as found
      from balances b left join sums s using (account_id) where b.posted <> coalesce(s.total, 0)
      union all
      select 'partner balance ' || b.partner_balance_id, coalesce(s.total, 0)::text, b.posted::text
      from partner_balances b left join sums s using (account_id) where b.posted <> coalesce(s.total, 0)`,
  },
  {
    id: 'I4',
    query: `
      with open as (select debit_account, sum(remaining) as total from (${OPEN_HOLDS}) h group by 1)
      select 'balance ' || b.balance_id as subject, coalesce(o.total, 0)::text as expected,
        b.held::text as found
      from balances b left join open o on o.debit_account = b.account_id
      where b.held <> coalesce(o.total, 0)
      union all
      select 'partner balance ' || b.partner_balance_id, coalesce(o.total, 0)::text, b.held::text
      from partner_balances b left join open o on o.debit_account = b.account_id
      where b.held <> coalesce(o.total, 0)`,
  },
  {
    id: 'I5',
    local: true,
    query: `
      with open as (select transaction_id, sum(remaining) as total from (${OPEN_HOLDS}) h group by 1)
      select 'transaction ' || t.id as subject, coalesce(o.total, 0)::text as expected, t.held::text as found
      from transactions t left join open o on o.transaction_id = t.id
      where t.held <> coalesce(o.total, 0)
        or t.held > t.authorized - t.reversed
        or (t.held > 0 and t.expires_at is null)
        or (t.held = 0 and t.expires_at is not null and t.category = 'DEBIT')`,
  },
  {
    id: 'I6',
    query: `
      with reserve as (
        select a.programme_id, a.currency, sum(p.movement) as value
        from ledger_accounts a join (${POSTINGS}) p on p.account_id = a.account_id
        where a.code = 'NR' group by 1, 2),
      open as (
        select t.programme_id, t.currency, sum(t.held) as held
        from transactions t join programmes g on g.programme_id = t.programme_id and g.funding = 'deposit'
        where t.held > 0 group by 1, 2)
      select 'programme ' || coalesce(r.programme_id, o.programme_id) || ' ' || coalesce(r.currency, o.currency)
        as subject, coalesce(o.held, 0)::text as expected, coalesce(r.value, 0)::text as found
      from reserve r full join open o on o.programme_id = r.programme_id and o.currency = r.currency
      where coalesce(r.value, 0) <> coalesce(o.held, 0)`,
  },
  {
    id: 'I7',
    query: `
      select 'balance ' || balance_id as subject, 'at least 0, or a forced posting' as expected,
        (posted - held)::text as found
      from balances where holder = 'platform' and posted - held < 0 and forced_since is null
      union all
      select 'partner balance ' || partner_balance_id, 'at least 0, or a forced posting', (posted - held)::text
      from partner_balances
      where kind <> 'company' and enforced and posted - held < 0 and forced_since is null`,
  },
  {
    // Ordered by nothing but themselves, the values before and after all postings of an account must form one
    // unbroken walk from zero to its cached value: each value is left as often as it is reached.
    id: 'I8',
    query: `
      with guarded as (
        select account_id, posted from balances union all select account_id, posted from partner_balances),
      ends as (
        select p.account_id, p.after as value, 1 as weight from (${POSTINGS}) p join guarded g using (account_id)
        union all
        select p.account_id, p.after - p.movement, -1 from (${POSTINGS}) p join guarded g using (account_id)
        union all
        select account_id, posted, -1 from guarded
        union all
        select account_id, 0, 1 from guarded)
      select 'account ' || account_id as subject, 'a walk without a gap' as expected,
        coalesce(value::text, 'no value') as found
      from ends group by account_id, value having sum(weight) <> 0 or value is null`,
  },
  {
    id: 'I9',
    local: true,
    query: `
      select 'transaction ' || id as subject, 'nothing held' as expected, held::text as found
      from transactions where held > 0 and state not in ('AUTHORIZED', 'PARTLY_CLEARED', 'PENDING_PARTNER')`,
  },
  {
    id: 'I10',
    local: true,
    query: `
      with folded as (
        select transaction_id, count(*) as events, max(seq) as last, min(seq) as first,
          (array_agg(status order by seq desc))[1] as status,
          bool_or(result = 'APPROVED') as approved
        from transaction_events group by transaction_id)
      select 'transaction ' || t.id as subject,
        coalesce(f.events::text, 'no') || ' events, ' || coalesce(f.status, '-') as expected,
        t.event_count || ' events, ' || t.state as found
      from transactions t left join folded f on f.transaction_id = t.id
      where f.events is null or t.event_count <> f.events or f.last <> f.events or f.first <> 1
        or f.status <> case
          when t.state in ('CLEARED') then 'CLEARED'
          when t.state in ('REVERSED', 'EXPIRED') then 'REVERSED'
          else 'AUTHORIZED' end
        or (t.state not in ('DECLINED', 'INVALID') and not f.approved)
        or (t.state in ('AUTHORIZED', 'PARTLY_CLEARED') and t.category = 'DEBIT' and t.held = 0)
        or (t.state = 'PARTLY_CLEARED' and t.cleared = 0)`,
  },
  {
    id: 'I11',
    local: true,
    query: `
      select 'event ' || e.transaction_id || '/' || e.seq as subject, 'a network key' as expected,
        'none' as found
      from transaction_events e
      where e.actor like 'PROCESSOR:%' and e.answer is not null and not exists (
        select from network_keys k where k.transaction_id = e.transaction_id and k.seq = e.seq)`,
  },
  {
    id: 'I19',
    query: `
      with booked as (
        select a.programme_id, a.currency,
          case a.code when 'U' then 'users' when 'PC' then 'credit' when 'PD' then 'deposit'
            when 'CO' then 'company' else 'ibanTechnical' end as place,
          sum(p.movement) as value
        from ledger_accounts a join (${POSTINGS}) p on p.account_id = a.account_id
        where a.code in ('U', 'PC', 'PD', 'CO', 'IT') group by 1, 2, 3)
      select 'programme ' || programme_id || ' ' || currency || ' ' || place as subject,
        coalesce(b.value, 0)::text as expected, coalesce(s.posted, 0)::text as found
      from (${SUMMARY_PLACES}) s full join booked b using (programme_id, currency, place)
      where coalesce(s.posted, 0) <> coalesce(b.value, 0)`,
  },
];

/**
 * Proves the ledger from its rows alone (authorization 16: I1 to I11, I15, I19, I20, I22) and its hash chain. All
 * queries see one state of the database. `limit` bounds the differences named for each rule. Engine or owner:
 * other roles see one partner.
 */
export async function verifyLedger(db: Kysely<Database>, limit = 20): Promise<LedgerVerdict> {
  const differences = await inSnapshot(db, async (trx) => {
    const found: LedgerDifference[] = [];
    for (const invariant of [...INVARIANTS, ...OPERATION_INVARIANTS]) {
      found.push(...(await differencesOf(trx, invariant, limit)));
    }
    found.push(...(await brokenSeals(trx, limit)));
    return found;
  });
  return { ok: differences.length === 0, differences };
}
