import { type Kysely, sql } from 'kysely';
import { protectTenantTable } from '../row-security.ts';

/** Cards, their locks, the state row a decision works on, and what the processor is yet to be told. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql
    .raw(
      `
      create table cards (
        card_id bigint generated always as identity (start with 1001) primary key,
        resource_id uuid not null unique,
        partner_id int not null references partners,
        programme_id int not null references programmes,
        product_id int not null references card_products,
        balance_id uuid not null references balances,
        customer_id bigint,
        corporation_id uuid,
        kind text not null check (kind in ('VIRTUAL', 'PHYSICAL', 'DIGITAL_FIRST')),
        -- What the card is apart from locks and expiry; the wire state is derived (cards 3).
        base_state text not null check (base_state in ('PENDING', 'INACTIVE', 'ACTIVE', 'REMOVED', 'FAILED')),
        -- Our reference at the processor: 32 hexadecimal characters.
        reference text not null unique,
        processor_card_id text unique,
        holder_name bytea,
        label text,
        last_four_digits char(4),
        bin char(6),
        expiry_date date,
        cvc_version int not null default 0,
        pin_set boolean not null default false,
        failure_reason text,
        replaces_card_id bigint,
        replaced_by_card_id bigint,
        claimed boolean not null default false,
        created_at timestamptz not null default cardloom_now(),
        activated_at timestamptz,
        removed_at timestamptz,
        check (base_state in ('PENDING', 'FAILED') or (processor_card_id is not null and expiry_date is not null))
      );
      create index cards_of_balance on cards (balance_id, card_id);
      create index cards_of_customer on cards (customer_id, card_id) where customer_id is not null;
      create index cards_unclaimed on cards (created_at) where not claimed and base_state in ('PENDING', 'ACTIVE');

      create table card_locks (
        lock_id uuid primary key,
        card_id bigint not null references cards,
        partner_id int not null references partners,
        code smallint not null check (code in (1, 2, 3, 4, 5, 6, 7, 8, 11)),
        placed_by text not null check (placed_by in ('customer', 'partner', 'operator', 'processor', 'system')),
        placed_at timestamptz not null default cardloom_now(),
        lifted_at timestamptz,
        lifted_by text,
        check (lifted_at is null or code not in (1, 2, 5, 8))
      );
      create unique index card_locks_open on card_locks (card_id, code, placed_by) where lifted_at is null;

      -- One row per card with all that a decision needs and changes (data-model, "Hot tables").
      create table card_states (
        processor_card_id text primary key,
        card_id bigint not null unique,
        partner_id int not null,
        programme_id int not null,
        product_id int not null,
        balance_id uuid not null,
        customer_id bigint,
        corporation_id uuid,
        base_state text not null,
        locks smallint[] not null default '{}',
        expiry_date date not null,
        last_four_digits char(4) not null,
        pin_tries_left smallint not null,
        cvc_tries_left smallint not null default 5,
        controls jsonb,
        limits_version int not null default 0,
        -- Consumed minor units: daily, weekly, monthly of general, ecommerce, atm, foreign_amount, then budget.
        consumed bigint[] not null default '{0,0,0,0,0,0,0,0,0,0,0,0,0}',
        consumed_on date
      ) with (fillfactor = 60, autovacuum_vacuum_scale_factor = 0.02);

      -- What the processor has to be told about a card, in order (cards 4.5): sent by processor-instruction:{cardId}.
      create table processor_instructions (
        instruction_id bigint generated always as identity primary key,
        card_id bigint not null references cards,
        partner_id int not null references partners,
        kind text not null check (kind in ('LOCK', 'UNLOCK')),
        codes smallint[] not null,
        status text not null default 'WAITING' check (status in ('WAITING', 'DONE', 'REFUSED')),
        attempts int not null default 0,
        last_outcome text,
        created_at timestamptz not null default cardloom_now(),
        finished_at timestamptz
      );
      create index processor_instructions_waiting on processor_instructions (card_id, instruction_id)
        where status = 'WAITING';
    `,
    )
    .execute(db);
  const readWrite = ['select', 'insert', 'update'] as const;
  await protectTenantTable(db, 'cards', { app: readWrite, engine: readWrite });
  await protectTenantTable(db, 'card_locks', { app: readWrite, engine: readWrite });
  await protectTenantTable(db, 'card_states', { app: readWrite, engine: readWrite });
  await protectTenantTable(db, 'processor_instructions', { app: ['select', 'insert'], engine: readWrite });
}
