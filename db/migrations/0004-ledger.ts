import { type Kysely, sql } from 'kysely';
import { protectTenantTable } from '../row-security.ts';

/** Chart of accounts, balances, partner balances and the immutable transfers between accounts. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql
    .raw(
      `
      -- One row per place in the ledger. U, XU and the partner's accounts keep their cached value in balances
      -- and partner_balances under the same account_id; the others have no cached value (money 3.1).
      create table ledger_accounts (
        account_id bigint generated always as identity primary key,
        partner_id int not null references partners,
        programme_id int not null references programmes,
        code text not null check (code in ('U', 'XU', 'XC', 'PC', 'PD', 'CO', 'IT', 'RV', 'WO', 'BK', 'NS', 'NR',
          'PH', 'IC', 'IH', 'PO', 'CB', 'SU', 'FX')),
        currency char(3) not null,
        off_balance boolean generated always as (code in ('XU', 'XC')) stored
      );
      create unique index ledger_accounts_shared on ledger_accounts (programme_id, code, currency)
        where code not in ('U', 'XU');

      create table balances (
        balance_id uuid primary key,
        account_id bigint not null unique references ledger_accounts,
        partner_id int not null references partners,
        programme_id int not null references programmes,
        customer_id bigint,
        corporation_id uuid,
        currency char(3) not null,
        holder text not null check (holder in ('platform', 'external')),
        state text not null check (state in ('LINKING', 'ACTIVE', 'BLOCKED', 'UNLINKING', 'CLOSED')),
        close_reason text,
        automatic boolean not null default false,
        posted bigint not null default 0,
        held bigint not null default 0 check (held >= 0),
        version bigint not null default 0,
        forced_since timestamptz,
        created_at timestamptz not null default cardloom_now(),
        check ((customer_id is null) <> (corporation_id is null)),
        constraint balances_not_overdrawn
          check (holder = 'external' or posted - held >= 0 or forced_since is not null)
      ) with (fillfactor = 60, autovacuum_vacuum_scale_factor = 0.02);
      create index balances_of_customer on balances (customer_id, balance_id);
      create index balances_of_corporation on balances (corporation_id, balance_id) where corporation_id is not null;
      create unique index balances_automatic on balances (customer_id, currency) where automatic;

      create table partner_balances (
        partner_balance_id uuid primary key,
        account_id bigint not null unique references ledger_accounts,
        partner_id int not null references partners,
        programme_id int not null references programmes,
        kind text not null check (kind in ('credit', 'deposit', 'company', 'ibanTechnical')),
        currency char(3) not null,
        enforced boolean not null,
        posted bigint not null default 0,
        held bigint not null default 0 check (held >= 0),
        version bigint not null default 0,
        forced_since timestamptz,
        alert jsonb,
        created_at timestamptz not null default cardloom_now(),
        unique (programme_id, kind, currency),
        constraint partner_balances_not_overdrawn check
          (kind = 'company' or not enforced or posted - held >= 0 or forced_since is not null)
      ) with (fillfactor = 60, autovacuum_vacuum_scale_factor = 0.02);

      create table ledger_transfers (
        transaction_id uuid not null,
        event_seq smallint not null,
        seq smallint not null,
        partner_id int not null,
        debit_account bigint not null,
        credit_account bigint not null,
        amount bigint not null check (amount > 0),
        currency char(3) not null,
        state text not null check (state in ('PENDING', 'POSTED', 'VOIDED')),
        -- The PENDING transfer of the same transaction that this one uses up or frees.
        of_event_seq smallint,
        of_seq smallint,
        debit_after bigint,
        credit_after bigint,
        created_at timestamptz not null default cardloom_now(),
        primary key (transaction_id, event_seq, seq),
        check (debit_account <> credit_account),
        check ((of_event_seq is null) = (of_seq is null)),
        check (state <> 'VOIDED' or of_seq is not null)
      ) partition by range (transaction_id);
      insert into partitioned_tables values ('ledger_transfers');
    `,
    )
    .execute(db);
  await protectTenantTable(db, 'ledger_accounts', {
    app: ['select', 'insert'],
    engine: ['select', 'insert'],
  });
  await protectTenantTable(db, 'balances', {
    app: ['select', 'insert', 'update'],
    engine: ['select', 'insert', 'update'],
  });
  await protectTenantTable(db, 'partner_balances', {
    app: ['select', 'update'],
    engine: ['select', 'insert', 'update'],
  });
  await protectTenantTable(db, 'ledger_transfers', {
    app: ['select', 'insert'],
    engine: ['select', 'insert'],
  });
}
