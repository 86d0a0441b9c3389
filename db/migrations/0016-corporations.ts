import { type Kysely, sql } from 'kysely';
import { protectTenantTable } from '../row-security.ts';

/** Corporations with their employees and addresses, and what a decision on a card of theirs reads. */
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
}
