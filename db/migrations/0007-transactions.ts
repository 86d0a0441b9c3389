import { type Kysely, sql } from 'kysely';
import { protectTenantTable } from '../row-security.ts';

/** Transactions as the fold of their events, the events, duplicate keys, tombstones and exceptions. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql
    .raw(
      `
      create table transactions (
        id uuid not null primary key,
        history_id bigint generated always as identity,
        partner_id int not null,
        programme_id int not null,
        state text not null check (state in ('DECLINED', 'INVALID', 'PENDING_PARTNER', 'AUTHORIZED',
          'PARTLY_CLEARED', 'CLEARED', 'REVERSED', 'EXPIRED')),
        type text not null,
        category text not null check (category in ('DEBIT', 'CREDIT')),
        adjustment_kind text,
        resource text not null default 'card',
        card_id bigint,
        customer_id bigint,
        corporation_id uuid,
        balance_id uuid,
        partner_balance_id uuid,
        external_id text not null,
        reference_external_id text,
        network_reference text,
        rrn text,
        stan text,
        local_at text,
        approval_code text,
        amount bigint not null check (amount >= 0),
        currency char(3) not null,
        original_amount bigint,
        original_currency char(3),
        authorized bigint not null default 0 check (authorized >= 0),
        cleared bigint not null default 0 check (cleared >= 0),
        reversed bigint not null default 0 check (reversed >= 0),
        refunded bigint not null default 0 check (refunded >= 0),
        held bigint not null default 0 check (held >= 0),
        expires_at timestamptz,
        result text not null,
        reason text,
        decided_by text,
        description text not null,
        occurred_at timestamptz not null,
        flags text[],
        transaction_data jsonb not null default '{}',
        last_four_digits char(4),
        balance_before bigint,
        balance_after bigint,
        event_count smallint not null default 1,
        cleared_at timestamptz,
        -- The transaction that this one should have been an event of, when it could not be.
        related_id uuid,
        -- Told by clearing records: sum of what the company earns (positive) or pays, and the newest number.
        interchange_amount bigint,
        interchange_currency char(3),
        arn text,
        created_at timestamptz not null default cardloom_now(),
        updated_at timestamptz not null default cardloom_now()
      ) partition by range (id);
      create index transactions_of_card on transactions (card_id, id);
      create index transactions_of_balance on transactions (balance_id, id);
      create index transactions_by_network on transactions (network_reference, card_id)
        where network_reference is not null;
      create index transactions_open_holds on transactions (expires_at) where held > 0;
      insert into partitioned_tables values ('transactions');

      -- Immutable. For card traffic this row is the audit record.
      create table transaction_events (
        transaction_id uuid not null,
        seq smallint not null,
        partner_id int not null,
        kind text not null,
        status text not null check (status in ('AUTHORIZED', 'CLEARED', 'REVERSED')),
        result text not null,
        reason text,
        -- Null where the transaction's own column of the same name holds for this event too.
        amount bigint,
        external_id text,
        occurred_at timestamptz,
        request_id text not null,
        actor text not null,
        answer text,
        trace text,
        created_at timestamptz not null default cardloom_now(),
        primary key (transaction_id, seq)
      ) partition by range (transaction_id);
      insert into partitioned_tables values ('transaction_events');

      -- Uniqueness that outlives partitions: one row per network message or record.
      create table network_keys (
        nk uuid primary key,
        transaction_id uuid,
        seq smallint,
        fingerprint int not null
      );

      create table reversal_tombstones (
        tombstone_id uuid primary key,
        partner_id int not null,
        card_id bigint not null,
        original_stan text,
        original_local_at text,
        network_reference text,
        external_id text,
        -- One of the two at most: what to give back, or what may stay held; both null = everything.
        amount bigint,
        remaining_amount bigint,
        used_by uuid,
        created_at timestamptz not null default cardloom_now()
      );
      create index reversal_tombstones_of_card on reversal_tombstones (card_id) where used_by is null;

      create table exceptions (
        exception_id uuid primary key,
        partner_id int,
        kind text not null,
        severity text not null check (severity in ('INFO', 'WARN', 'CRITICAL')),
        state text not null default 'OPEN' check (state in ('OPEN', 'IN_REVIEW', 'RESOLVED')),
        transaction_id uuid,
        record_id text,
        values jsonb not null default '{}',
        created_at timestamptz not null default cardloom_now()
      );
    `,
    )
    .execute(db);
  await protectTenantTable(db, 'transactions', {
    app: ['select', 'insert', 'update'],
    engine: ['select', 'insert', 'update'],
  });
  await protectTenantTable(db, 'transaction_events', {
    app: ['select', 'insert'],
    engine: ['select', 'insert'],
  });
  await protectTenantTable(db, 'reversal_tombstones', { engine: ['select', 'insert', 'update'] });
  await protectTenantTable(db, 'exceptions', { app: ['select'], engine: ['select', 'insert', 'update'] });
  await sql.raw(`grant select, insert on network_keys to cardloom_engine`).execute(db);
}
