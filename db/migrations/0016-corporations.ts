import { type Kysely, sql } from 'kysely';
import { protectTenantTable } from '../row-security.ts';

/** Corporations with their employees and addresses, what a decision on a card of theirs reads; imports of users. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql
    .raw(
      `
      alter table programmes
        add column external_kyb boolean not null default false,
        -- Whether employees need kyc of their own to hold a card of their corporation (cards 2).
        add column corporate_holder_kyc text not null default 'required'
          check (corporate_holder_kyc in ('required', 'waived'));

      create table corporations (
        corporation_id uuid primary key,
        subject_id uuid not null unique references subject_keys,
        partner_id int not null references partners,
        programme_id int not null references programmes,
        name text not null,
        country text not null check (length(country) = 2),
        tax_id text not null,
        -- email and phone: JSON under the subject key.
        contact bytea not null,
        legal_form text,
        registry_number text,
        website text,
        external_id text,
        -- The accepted application it was made from; an application makes one corporation.
        kyb_application_id uuid,
        kyb text not null check (kyb in ('NOT_STARTED', 'IN_PROGRESS', 'SUCCESS', 'FAILED')),
        state text not null default 'ACTIVE' check (state in ('ACTIVE', 'LOCKED', 'DELETED')),
        -- Number of distinct transactional lock reasons, so that a decision reads one row.
        transactional_locks smallint not null default 0 check (transactional_locks >= 0),
        version int not null default 1,
        created_at timestamptz not null default cardloom_now(),
        updated_at timestamptz not null default cardloom_now()
      );
      create unique index corporations_tax_id on corporations (programme_id, country, tax_id)
        where state <> 'DELETED';
      create unique index corporations_external_id on corporations (programme_id, external_id)
        where state <> 'DELETED' and external_id is not null;
      create unique index corporations_kyb_application on corporations (kyb_application_id)
        where kyb_application_id is not null;
      create index corporations_of_programme on corporations (programme_id, corporation_id);

      create table corporation_addresses (
        corporation_id uuid not null references corporations,
        type text not null check (type in ('REGISTERED', 'CORRESPONDENCE')),
        partner_id int not null references partners,
        address bytea not null,
        updated_at timestamptz not null default cardloom_now(),
        primary key (corporation_id, type)
      );

      create table employees (
        employee_id uuid primary key,
        corporation_id uuid not null references corporations,
        customer_id bigint not null references customers,
        partner_id int not null references partners,
        role text not null check (role in ('OWNER', 'ADMIN', 'EMPLOYEE')),
        position text,
        state text not null default 'ACTIVE' check (state in ('ACTIVE', 'SUSPENDED', 'REMOVED')),
        created_at timestamptz not null default cardloom_now(),
        updated_at timestamptz not null default cardloom_now()
      );
      -- A person works once for a corporation; decisions find the employee of a card by it.
      create unique index employees_of_corporation on employees (corporation_id, customer_id)
        where state <> 'REMOVED';
      create index employees_listed on employees (corporation_id, employee_id);

      create table user_imports (
        import_id uuid primary key,
        -- Under whose key the file and its chunks are sealed.
        subject_id uuid not null unique references subject_keys,
        partner_id int not null references partners,
        programme_id int not null references programmes,
        mode text not null check (mode in ('CREATE', 'UPSERT')),
        dry_run boolean not null,
        state text not null default 'RECEIVED'
          check (state in ('RECEIVED', 'VALIDATING', 'RUNNING', 'DONE', 'FAILED', 'CANCELLED')),
        -- Of one that is not to go on: rows that are done stay.
        cancelled boolean not null default false,
        file_key text not null,
        file_bytes int not null,
        file_sha256 text not null,
        -- Known once the file is taken apart.
        rows int,
        actor_type text not null,
        actor_id text not null,
        created_at timestamptz not null default cardloom_now(),
        finished_at timestamptz,
        check ((state in ('DONE', 'FAILED', 'CANCELLED')) = (finished_at is not null))
      );
      create index user_imports_of_programme on user_imports (programme_id, import_id);

      -- The rows of a file that waits or runs, sealed; gone when it has ended.
      create table user_import_chunks (
        import_id uuid not null references user_imports,
        chunk_no int not null,
        partner_id int not null references partners,
        rows bytea not null,
        primary key (import_id, chunk_no)
      );

      create table user_import_rows (
        import_id uuid not null references user_imports,
        -- Line of the file's records: the first one below the header is 1.
        row_no int not null,
        partner_id int not null references partners,
        status text not null check (status in ('CREATED', 'UPDATED', 'SKIPPED', 'FAILED')),
        customer_id bigint,
        title text,
        field text,
        primary key (import_id, row_no)
      );

      alter table balances add foreign key (corporation_id) references corporations;
      alter table cards add foreign key (corporation_id) references corporations;
      create index cards_of_corporation on cards (corporation_id, card_id) where corporation_id is not null;
    `,
    )
    .execute(db);
  const readWrite = ['select', 'insert', 'update'] as const;
  await protectTenantTable(db, 'corporations', { app: readWrite, engine: readWrite });
  await protectTenantTable(db, 'corporation_addresses', {
    app: [...readWrite, 'delete'],
    engine: [...readWrite, 'delete'],
  });
  await protectTenantTable(db, 'employees', { app: readWrite, engine: readWrite });
  await protectTenantTable(db, 'user_imports', { app: readWrite, engine: readWrite });
  await protectTenantTable(db, 'user_import_chunks', { engine: ['select', 'insert', 'delete'] });
  await protectTenantTable(db, 'user_import_rows', { app: ['select'], engine: ['select', 'insert'] });
}
