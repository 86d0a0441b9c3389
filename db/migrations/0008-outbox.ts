import { type Kysely, sql } from 'kysely';
import { protectTenantTable } from '../row-security.ts';

/** The outbox, deliveries to partners with their attempts, idempotency keys and the audit log. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql
    .raw(
      `
      -- What one destination is to be told; written with the change, removed by the relay in one transaction
      -- with the delivery it becomes. No body: personal data is rendered when the delivery is made.
      create table outbox (
        id bigint generated always as identity primary key,
        partner_id int not null,
        programme_id int not null,
        destination text not null check (destination in ('partner', 'workflow', 'message')),
        connection_id int,
        -- partner: the operation (cardLocked, transaction, ...); workflow: its name; message: the template.
        kind text not null,
        transaction_id uuid,
        event_seq smallint,
        subject_id text,
        order_key text not null,
        not_before timestamptz,
        data jsonb,
        failures smallint not null default 0,
        created_at timestamptz not null default cardloom_now()
      );
      create function tell_outbox() returns trigger language plpgsql as $$
      begin
        perform pg_notify('cardloom_outbox', '');
        return null;
      end $$;
      create trigger tell_outbox after insert on outbox for each statement execute function tell_outbox();

      create table delivery_batches (
        batch_id uuid primary key,
        partner_id int not null,
        connection_id int not null,
        class text not null check (class in ('NOTICE', 'MONEY')),
        rows int not null,
        started_at timestamptz,
        ended_at timestamptz,
        created_at timestamptz not null default cardloom_now()
      );
      create index delivery_batches_unstarted on delivery_batches (created_at) where started_at is null;
      create index delivery_batches_running on delivery_batches (connection_id) where ended_at is null;

      create table deliveries (
        delivery_id uuid primary key,
        partner_id int not null,
        programme_id int not null,
        connection_id int not null,
        class text not null check (class in ('NOTICE', 'MONEY')),
        operation text not null,
        order_key text not null,
        sequence int not null,
        batch_id uuid not null references delivery_batches,
        status text not null check (status in ('PENDING', 'RETRYING', 'HELD', 'DELIVERED', 'FAILED', 'DEAD', 'RESOLVED')),
        -- The request body, made once and sealed; every attempt sends these bytes.
        body bytea,
        encrypted_request boolean not null default false,
        transaction_id uuid,
        event_seq smallint,
        subject_id text,
        attempts smallint not null default 0,
        last_outcome text,
        next_attempt_at timestamptz,
        created_at timestamptz not null default cardloom_now(),
        finished_at timestamptz,
        unique (connection_id, order_key, sequence)
      );
      create index deliveries_of_batch on deliveries (batch_id);
      create index deliveries_of_transaction on deliveries (transaction_id) where transaction_id is not null;
      create index deliveries_unfinished on deliveries (connection_id, created_at)
        where status in ('PENDING', 'RETRYING', 'HELD');

      create table notification_attempts (
        id uuid not null primary key,
        delivery_id uuid not null,
        partner_id int not null,
        attempt smallint not null,
        outcome text not null,
        http_status smallint,
        response_title text,
        duration_ms int not null,
        body_sha256 text not null,
        manual boolean not null default false,
        created_at timestamptz not null default cardloom_now()
      ) partition by range (id);
      create index notification_attempts_of on notification_attempts (delivery_id, id);
      insert into partitioned_tables values ('notification_attempts');

      create table idempotency_keys (
        scope text not null,
        key text not null,
        partner_id int not null,
        fingerprint bytea not null,
        state text not null check (state in ('IN_PROGRESS', 'DONE')),
        deadline timestamptz,
        status smallint,
        -- The answer as it was given, sealed: it may hold personal data.
        body bytea,
        location text,
        -- Answers with card data: the card and its CVC2 version, read again at a replay; never the data.
        card_id bigint,
        -- What an interrupted first call was about to make, so that a repeat goes on with it.
        subject_id text,
        created_at timestamptz not null default cardloom_now(),
        primary key (scope, key)
      );
      create index idempotency_keys_by_age on idempotency_keys (created_at);
      create index idempotency_keys_running on idempotency_keys (deadline) where state = 'IN_PROGRESS';

      create table audit_log (
        id uuid not null primary key,
        partner_id int,
        actor_type text not null,
        actor_id text not null,
        action text not null,
        object_type text not null,
        object_id text not null,
        result text not null check (result in ('OK', 'DENIED', 'FAILED')),
        request_id text not null,
        ip text,
        before jsonb,
        after jsonb,
        created_at timestamptz not null default cardloom_now()
      ) partition by range (id);
      create index audit_log_of_object on audit_log (object_type, object_id, id);
      insert into partitioned_tables values ('audit_log');

      select create_partitions();
    `,
    )
    .execute(db);
  await sql
    .raw(
      `grant insert on outbox to cardloom_app; grant select, insert, update, delete on outbox to cardloom_engine;`,
    )
    .execute(db);
  await protectTenantTable(db, 'delivery_batches', { engine: ['select', 'insert', 'update'] });
  await protectTenantTable(db, 'deliveries', { app: ['select'], engine: ['select', 'insert', 'update'] });
  await protectTenantTable(db, 'notification_attempts', { app: ['select'], engine: ['select', 'insert'] });
  await protectTenantTable(db, 'idempotency_keys', {
    app: ['select', 'insert', 'update'],
    engine: ['select', 'insert', 'update', 'delete'],
  });
  await protectTenantTable(db, 'audit_log', { app: ['insert'], engine: ['select', 'insert'] });
}
