import { type Kysely, sql } from 'kysely';
import { protectTenantTable } from '../row-security.ts';

/** Partners, their certificates, programmes, card products and connections to their servers. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql
    .raw(
      `
      create table partners (
        partner_id int generated always as identity primary key,
        public_id uuid not null unique,
        code text not null unique,
        name text not null,
        state text not null default 'ACTIVE' check (state in ('ACTIVE', 'SUSPENDED')),
        pinned_public_keys text[] not null default '{}',
        ip_allow_list text[] not null default '{}',
        legacy_integrations boolean not null default true,
        created_at timestamptz not null default cardloom_now()
      );

      -- A certificate of the processor or of a sponsor stands without a partner; the engine looks it up.
      create table certificates (
        certificate_id uuid primary key,
        partner_id int references partners,
        label text not null,
        scopes text[] not null,
        programmes text[] not null default '{}',
        subject text not null,
        contact_email text,
        key_sha256 text not null unique,
        serial text not null,
        fingerprint_sha256 text not null unique,
        not_before timestamptz not null,
        not_after timestamptz not null,
        state text not null check (state in ('PENDING', 'ACTIVE', 'REJECTED', 'REVOKED', 'EXPIRED')),
        revoked_at timestamptz,
        revocation_reason text,
        last_used_at timestamptz,
        created_at timestamptz not null default cardloom_now()
      );
      create function tell_certificate_change() returns trigger language plpgsql as $$
      begin
        perform pg_notify('cardloom_certificates', '');
        return null;
      end $$;
      create trigger tell_certificate_change after update or delete on certificates
        for each statement execute function tell_certificate_change();
      create trigger tell_partner_change after update on partners
        for each statement execute function tell_certificate_change();

      create table connections (
        connection_id int generated always as identity primary key,
        public_id uuid not null unique,
        partner_id int not null references partners,
        name text not null,
        environment text not null check (environment in ('TEST', 'LIVE')),
        base_url text not null,
        auth_kind text not null check (auth_kind in ('MTLS', 'BASIC', 'MTLS_AND_BASIC')),
        client_certificate_pem text,
        client_key_ct bytea,
        basic_ct bytea,
        server_ca_pem text,
        signing_secret_ct bytea,
        wire_style jsonb not null,
        encryption jsonb not null,
        resends smallint not null default 5 check (resends between 0 and 15),
        max_concurrency smallint not null default 16 check (max_concurrency between 1 and 256),
        paused_operations text[] not null default '{}',
        version int not null default 1,
        created_at timestamptz not null default cardloom_now(),
        unique (partner_id, name, environment)
      );

      create table programmes (
        programme_id int generated always as identity primary key,
        public_id uuid not null unique,
        partner_id int not null references partners,
        issuer_code text not null unique check (issuer_code ~ '^[A-Za-z0-9_-]{1,32}$'),
        name text not null,
        state text not null default 'ACTIVE' check (state in ('ACTIVE', 'SUSPENDED')),
        sandbox boolean not null default false,
        balance_holder text not null check (balance_holder in ('platform', 'external')),
        funding text not null check (funding in ('credit', 'deposit')),
        enforce_partner_balance boolean not null default true,
        shared_authorization boolean not null default false,
        -- Who converts a purchase in another currency (money 7).
        fx_mode text not null default 'network' check (fx_mode in ('network', 'platform')),
        default_currency char(3) not null,
        currencies text[] not null,
        auto_create_balance boolean not null default true,
        kyc_mode text not null check (kyc_mode in ('MANUAL', 'AUTOMATIC', 'EXTERNAL')),
        external_kyc boolean not null,
        kyc_provider text,
        min_age smallint not null default 18,
        timezone text not null default 'UTC',
        country char(2) not null,
        -- Durations handed to workflows and hold lifetimes; absent members take the chapter's defaults.
        timings jsonb not null default '{}',
        -- Which connection is told what: {"kyc": 1, "cardLock": 1, "legacyTransaction": 1, ...} by connection_id.
        notifications jsonb not null default '{}',
        include_partner_balances boolean not null default true,
        version int not null default 1,
        created_at timestamptz not null default cardloom_now(),
        check (not (balance_holder = 'external' and funding = 'credit'))
      );

      create table card_products (
        product_id int generated always as identity primary key,
        partner_id int not null references partners,
        programme_id int not null references programmes,
        config_id text not null check (config_id ~ '^[0-9]{1,20}$'),
        name text not null,
        kind text not null check (kind in ('VIRTUAL', 'PHYSICAL')),
        digital_first boolean not null default false,
        print_config_id text,
        currency char(3) not null,
        bin_prefix text not null check (bin_prefix ~ '^[0-9]{6,8}$'),
        range_low text not null check (range_low ~ '^[0-9]{16}$'),
        range_high text not null check (range_high ~ '^[0-9]{16}$'),
        network text not null check (network in ('MASTERCARD', 'VISA')),
        category text not null check (category in ('credit', 'debit', 'prepaid')),
        holder text not null default 'both' check (holder in ('user', 'corporation', 'both')),
        expiry_months smallint not null default 36 check (expiry_months between 1 and 120),
        max_cards_per_balance smallint not null default 10 check (max_cards_per_balance between 1 and 100),
        pin_length smallint not null default 4,
        pin_tries smallint not null default 3,
        activation_proof text not null default 'last4_and_expiry',
        renewal text not null default 'auto',
        customer_lock_codes smallint[] not null default '{1,2,3,4,5,6,7,8,11}',
        processor_product_id text not null,
        anonymous boolean not null default false,
        state text not null default 'ACTIVE' check (state in ('ACTIVE', 'CLOSED')),
        version int not null default 1,
        created_at timestamptz not null default cardloom_now(),
        unique (programme_id, config_id)
      );
    `,
    )
    .execute(db);
  await protectTenantTable(db, 'partners', { app: ['select'], engine: ['select', 'update'] });
  await protectTenantTable(db, 'certificates', { app: ['select'], engine: ['select', 'insert', 'update'] });
  await protectTenantTable(db, 'connections', { app: ['select'], engine: ['select', 'update'] });
  await protectTenantTable(db, 'programmes', { app: ['select'], engine: ['select', 'update'] });
  await protectTenantTable(db, 'card_products', { app: ['select'], engine: ['select', 'update'] });
}
