/**
 * Bounds stand beside every list of ids of a partitioned table: a plan that is made once for all batches prunes by
 * them, not by the list.
 */
export const boundsOf = (ids: readonly string[]): readonly [string | undefined, string | undefined] => {
  const sorted = ids.toSorted();
  return [sorted[0], sorted.at(-1)];
};

/** Statements that read and lock what a batch needs; all are prepared once per connection by their name. */
interface Statement {
  readonly name: string;
  readonly text: string;
}

/**
 * S1: the time of the batch, and the locks on the names of its cards, in one order for everybody. Who may make a
 * transaction shares its card; who looks for one that may be under way has the card alone (authorization 9).
 */
export const BEGIN: Statement = {
  name: 'begin batch',
  text: `select cardloom_now() as now, (
      select count(case when alone then pg_advisory_xact_lock(hashtextextended(card, 0))
        else pg_advisory_xact_lock_shared(hashtextextended(card, 0)) end)
      from unnest($1::text[], $2::boolean[]) x(card, alone))`,
};

export const KNOWN_KEYS: Statement = {
  name: 'known keys',
  text: `select nk, transaction_id, seq, fingerprint from network_keys where nk = any ($1::uuid[])`,
};

export const STORED_ANSWERS: Statement = {
  name: 'stored answers',
  text: `select e.transaction_id, e.seq, e.answer
    from unnest($1::uuid[], $2::smallint[]) x(transaction_id, seq)
    join transaction_events e on e.transaction_id = x.transaction_id and e.seq = x.seq
    where e.transaction_id >= $3::uuid and e.transaction_id <= $4::uuid`,
};

/**
 * What was booked before its authorization, which may be one of this batch (authorization 11). Read without a lock, in
 * the first round trip: it is seldom that one is found, and then the batch starts again in the usual order.
 */
export const CLEARED_FIRST: Statement = {
  name: 'cleared first',
  text: `select 1 from unasked_transactions
    where network_reference = any ($1::text[]) and created_at > cardloom_now() - interval '7 days' limit 1`,
};

/**
 * Ids of transactions that a message or a record may mean; the rules choose among them once locked. The reference of
 * the network has an index, and a record that it finds needs nothing else. All other references are looked for among
 * the newest thousand transactions of the card, so that no card, however busy, makes a batch slow. A merchant alone is
 * the weakest reference and may fit every purchase of a card: it counts when nothing better is found, and of those two
 * are enough to tell whether there is one, the one with the same amount first.
 */
export const CANDIDATES: Statement = {
  name: 'candidates',
  text: `with asked as materialized (
      select x.*, c.card_id
      from unnest($1::int[], $2::text[], $3::uuid[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[],
          $9::text[], $10::text[], $11::uuid[], $12::bigint[], $13::boolean[], $14::boolean[])
        x(item, card, oldest, stan, local_at, network_reference, external_id, approval_code, rrn, merchant,
          merchant_oldest, amount, refund, network_first)
      join card_states c on c.processor_card_id = x.card),
    named as materialized (
      select x.item, t.id,
        not x.refund or t.category = 'CREDIT' or t.authorized + t.cleared > 0 as suits
      from asked x
      join transactions t on t.network_reference = x.network_reference and t.card_id = x.card_id
        and t.id >= x.oldest and t.id >= $15::uuid
      where t.type <> 'balance_inquiry' and not (t.type = 'adjustment' and t.state = 'INVALID')),
    possible as (
      select x.item, t.id, is_named, has_code,
        bool_or(is_named and t.category = 'DEBIT' and (not x.refund or t.authorized + t.cleared > 0))
          over (partition by x.item) as found,
        row_number() over (partition by x.item, is_named, has_code order by
          case when x.refund then t.cleared else t.held end = x.amount desc, t.id desc) as place
      from asked x
      cross join lateral (
        select * from transactions n
        where n.card_id = x.card_id and n.id >= x.oldest and n.id >= $15::uuid
        order by n.id desc limit 1000) t,
      lateral (select
        coalesce((t.stan = x.stan and t.local_at = x.local_at) or t.network_reference = x.network_reference
          or t.external_id = x.external_id or (t.approval_code = x.approval_code and t.rrn = x.rrn), false)
          as is_named,
        coalesce(t.approval_code = x.approval_code, false) as has_code,
        coalesce(t.transaction_data ->> 'merchantIdentifier' = x.merchant and t.category = 'DEBIT'
          and t.id >= x.merchant_oldest
          and case when x.refund then greatest(t.authorized, t.cleared) >= x.amount else case when t.authorized > 0 then t.authorized - t.reversed else t.amount end = x.amount end,
          false) as is_merchant) as reference
      where not (x.network_first and exists (select from named where named.item = x.item and suits))
        and t.type <> 'balance_inquiry' and not (t.type = 'adjustment' and t.state = 'INVALID')
        and (is_named or has_code or is_merchant))
    select item, id from named
    union
    select item, id from possible where is_named or has_code or (place <= 2 and not found)`,
};

export const LOCK_LIFECYCLES: Statement = {
  name: 'lock lifecycles',
  text: `select id, balance_id, type, category, external_id, network_reference, rrn, stan, local_at,
      approval_code, amount, currency, transaction_data ->> 'merchantIdentifier' as merchant_identifier,
      adjustment_kind, original_currency, transaction_data ->> 'captureMode' as capture_mode,
      (transaction_data ->> 'cashbackPosAmount')::bigint as cashback, transaction_data ->> 'mcc' as mcc,
      transaction_data ->> 'acquirerCountry' as country,
      created_at, state, authorized, cleared, reversed, refunded, held, expires_at, flags, event_count,
      cleared_at, interchange_amount, interchange_currency, arn
    from transactions where id = any ($1::uuid[]) and id >= $2::uuid and id <= $3::uuid
    order by id for no key update`,
};

export const OPEN_HOLDS: Statement = {
  name: 'open holds',
  text: `select p.transaction_id, p.event_seq, p.seq, p.amount - coalesce((
        select sum(u.amount) from ledger_transfers u
        where u.transaction_id = p.transaction_id and u.of_event_seq = p.event_seq and u.of_seq = p.seq
      ), 0)::bigint as remaining
    from ledger_transfers p
    where p.transaction_id = any ($1::uuid[]) and p.transaction_id >= $2::uuid and p.transaction_id <= $3::uuid
      and p.state = 'PENDING'
    order by p.transaction_id, p.event_seq, p.seq`,
};

/**
 * Cards and their balances, locked by the statement that reads them, in the one order of all writers. PostgreSQL
 * locks the tables of a row as `of` names them: with the card first, two cards of one balance could deadlock.
 */
export const LOCK_CARDS: Statement = {
  name: 'lock cards',
  text: `select c.processor_card_id, c.card_id, c.partner_id, c.programme_id, c.product_id, c.customer_id,
      c.corporation_id, c.base_state, c.locks, c.expiry_date, c.last_four_digits, c.pin_tries_left,
      c.cvc_tries_left, c.limits::text as limits, c.limits_version, c.consumed::text as consumed, c.consumed_on, c.budget_since,
      c.newest_fingerprint, c.newest_at, b.balance_id, b.account_id, b.currency, b.holder, b.state as balance_state, b.posted,
      b.held, b.version, b.forced_since
    from card_states c join balances b on b.balance_id = c.balance_id
    where c.processor_card_id = any ($1::text[])
    order by b.balance_id, c.card_id
    for no key update of b, c`,
};

/** Who holds the cards, under which versions of the configuration; read without a lock. */
export const OWNERS: Statement = {
  name: 'owners',
  text: `select c.processor_card_id, u.state, u.kyc, u.transactional_locks, p.version as programme_version,
      d.version as product_version, exists (
        select from reversal_tombstones r where r.card_id = c.card_id and r.used_by is null) as has_tombstone,
      exists (select from customer_limits l where l.customer_id = c.customer_id) as customer_limited
    from card_states c
    join programmes p on p.programme_id = c.programme_id
    join card_products d on d.product_id = c.product_id
    left join customers u on u.customer_id = c.customer_id
    where c.processor_card_id = any ($1::text[])`,
};

/** Customers for whom somebody set limits; most have no row here. */
export const LOCK_CUSTOMER_LIMITS: Statement = {
  name: 'lock customer limits',
  text: `select customer_id, limits::text as limits, limits_version, consumed::text as consumed, consumed_on, budget_since, created_at
    from customer_limits where customer_id = any ($1::bigint[]) order by customer_id for no key update`,
};

export const TOMBSTONES: Statement = {
  name: 'tombstones',
  text: `select tombstone_id, card_id, original_stan, original_local_at, network_reference, external_id, amount,
      remaining_amount, created_at
    from reversal_tombstones
    where card_id = any ($1::bigint[]) and used_by is null
      and created_at > cardloom_now() - interval '30 days'
    order by tombstone_id`,
};

/** Partner balances come last: they are the hottest rows and are held for the shortest time. */
export const LOCK_PARTNER_BALANCES: Statement = {
  name: 'lock partner balances',
  text: `select partner_balance_id, account_id, programme_id, kind, currency, enforced, posted, held, version,
      forced_since
    from partner_balances
    where (programme_id, kind, currency) in (
      select * from unnest($1::int[], $2::text[], $3::char(3)[]))
    order by partner_balance_id
    for no key update`,
};
