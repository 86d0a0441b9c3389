import { type Kysely, sql } from 'kysely';
import { protectTenantTable } from '../row-security.ts';

/** Customers with their personal data under a key of their own, and the verification of who they are. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql
    .raw(
      `
      -- Destroying this row makes everything personal of the subject unreadable.
      create table subject_keys (
        subject_id uuid primary key,
        partner_id int not null references partners,
        wrapped bytea not null,
        kek_version int not null
      );

      create table customers (
        customer_id bigint generated always as identity (start with 1001) primary key,
        subject_id uuid not null unique references subject_keys,
        partner_id int not null references partners,
        programme_id int not null references programmes,
        -- firstName, lastName, phone, email, birthDate, nationality, language: JSON under the subject key.
        personal bytea not null,
        phone_index bytea,
        email_index bytea,
        external_id text,
        state text not null check (state in ('UNVERIFIED', 'VERIFIED', 'LOCKED', 'DELETED')),
        state_before_lock text check (state_before_lock in ('UNVERIFIED', 'VERIFIED')),
        kyc text not null check (kyc in ('NOT_STARTED', 'IN_PROGRESS', 'SUCCESS', 'FAILED')),
        -- Counts changes to SUCCESS: names the workflow external-verification:{customerId}:{n}.
        kyc_successes int not null default 0,
        risk_level text not null default 'LOW' check (risk_level in ('LOW', 'MEDIUM', 'HIGH')),
        document_expiration_date date,
        pep boolean not null default false,
        -- Number of distinct transactional lock reasons, so that a decision reads one row.
        transactional_locks smallint not null default 0 check (transactional_locks >= 0),
        version int not null default 1,
        created_at timestamptz not null default cardloom_now(),
        updated_at timestamptz not null default cardloom_now()
      );
      create unique index customers_phone on customers (programme_id, phone_index) where state <> 'DELETED';
      create unique index customers_email on customers (programme_id, email_index) where state <> 'DELETED';
      create unique index customers_external_id on customers (programme_id, external_id)
        where state <> 'DELETED' and external_id is not null;
      create index customers_of_programme on customers (programme_id, customer_id);

      create table customer_addresses (
        customer_id bigint not null references customers,
        type text not null check (type in ('RESIDENCE', 'CORRESPONDENCE', 'DELIVERY')),
        partner_id int not null references partners,
        address bytea not null,
        updated_at timestamptz not null default cardloom_now(),
        primary key (customer_id, type)
      );

      create table transactional_locks (
        resource_type text not null check (resource_type in ('user', 'corporation')),
        resource_id text not null,
        lock_reason text not null,
        origin text not null check (origin in ('SYSTEM', 'OPERATOR', 'PARTNER')),
        partner_id int not null references partners,
        note text,
        until timestamptz,
        added_at timestamptz not null default cardloom_now(),
        primary key (resource_type, resource_id, lock_reason, origin)
      );

      create table verifications (
        verification_id uuid primary key,
        partner_id int not null references partners,
        programme_id int not null references programmes,
        customer_id bigint not null references customers,
        status text not null check (status in ('IN_PROGRESS', 'ACCEPTED', 'REJECTED')),
        reason text,
        stage text not null check (stage in ('RECEIVED', 'PROVIDER', 'REVIEW', 'CLOSED')),
        mode text not null check (mode in ('MANUAL', 'AUTOMATIC', 'EXTERNAL')),
        source text not null check (source in ('INTERNAL', 'EXTERNAL')),
        channel text not null check (channel in ('CUSTOMER', 'SERVER', 'ADMIN')),
        form bytea not null,
        flags text[] not null default '{}',
        risk_level text not null check (risk_level in ('LOW', 'MEDIUM', 'HIGH')),
        pep boolean not null default false,
        document_expiration_date date not null,
        provider_code text,
        applicant_id text,
        check_id text,
        provider_outcome text,
        provider_reasons text[] not null default '{}',
        decided_by text,
        note text,
        version int not null default 1,
        created_at timestamptz not null default cardloom_now(),
        decided_at timestamptz
      );
      create unique index verifications_running on verifications (customer_id) where status = 'IN_PROGRESS';
      create index verifications_of_customer on verifications (customer_id, verification_id);
      create index verifications_of_check on verifications (provider_code, check_id) where check_id is not null;

      create table verification_documents (
        document_id uuid primary key,
        verification_id uuid not null references verifications,
        partner_id int not null references partners,
        kind text not null check (kind in ('FACE', 'FRONT', 'BACK')),
        media_type text not null,
        bytes int not null,
        sha256 text not null,
        store_key text not null,
        created_at timestamptz not null default cardloom_now()
      );
      create index verification_documents_of on verification_documents (verification_id);

      -- Events of providers already seen (onboarding 9.2): a repeat has no second effect.
      create table provider_events (
        provider_code text not null,
        event_id text not null,
        partner_id int not null references partners,
        verification_id uuid not null,
        received_at timestamptz not null default cardloom_now(),
        primary key (provider_code, event_id)
      );

      create table screening_entries (
        entry_id text not null,
        list_code text not null check (list_code in ('OFAC_SDN', 'UN', 'EU', 'PEP', 'CUSTOM')),
        kind text not null check (kind in ('PERSON', 'ENTITY')),
        -- Names and aliases as they are compared: onboarding 6.7.
        normalized_names text[] not null,
        birth_years smallint[] not null default '{}',
        primary key (list_code, entry_id)
      );
      grant select on screening_entries to cardloom_engine;

      create table screening_hits (
        hit_id uuid primary key,
        partner_id int not null references partners,
        subject_type text not null check (subject_type in ('CUSTOMER', 'CORPORATION', 'PERSON')),
        subject_ref text not null,
        verification_id uuid,
        list_code text not null,
        entry_id text not null,
        score real not null,
        state text not null default 'OPEN' check (state in ('OPEN', 'FALSE_POSITIVE', 'CONFIRMED')),
        note text,
        decided_by text,
        created_at timestamptz not null default cardloom_now(),
        unique (subject_type, subject_ref, list_code, entry_id)
      );
    `,
    )
    .execute(db);
  const readWrite = ['select', 'insert', 'update'] as const;
  await protectTenantTable(db, 'subject_keys', { app: ['select', 'insert'], engine: readWrite });
  await protectTenantTable(db, 'customers', { app: readWrite, engine: readWrite });
  await protectTenantTable(db, 'customer_addresses', {
    app: [...readWrite, 'delete'],
    engine: [...readWrite, 'delete'],
  });
  await protectTenantTable(db, 'transactional_locks', {
    app: [...readWrite, 'delete'],
    engine: [...readWrite, 'delete'],
  });
  await protectTenantTable(db, 'verifications', { app: readWrite, engine: readWrite });
  await protectTenantTable(db, 'verification_documents', {
    app: ['select', 'insert'],
    engine: ['select', 'insert'],
  });
  await protectTenantTable(db, 'provider_events', { engine: ['select', 'insert'] });
  await protectTenantTable(db, 'screening_hits', { app: ['select'], engine: readWrite });
}
