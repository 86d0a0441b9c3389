import { type Kysely, sql } from 'kysely';
import { protectTenantTable } from '../row-security.ts';

/** The mobile channel: devices, sessions, one-time codes and the counters that end guessing (channels 11). */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql
    .raw(
      `
      alter table programmes
        add column enrolment text not null default 'BOTH' check (enrolment in ('OPEN', 'CLOSED', 'BOTH')),
        add column session_minutes smallint not null default 10 check (session_minutes between 1 and 60),
        add column app_pin_length smallint not null default 6 check (app_pin_length between 4 and 8),
        add column step_up text not null default 'REQUIRED' check (step_up in ('REQUIRED', 'APP'));

      create table customer_credentials (
        customer_id bigint primary key references customers,
        partner_id int not null references partners,
        password_hash text,
        terms_version text,
        updated_at timestamptz not null default cardloom_now()
      );

      create table device_installations (
        installation_id uuid primary key,
        partner_id int not null references partners,
        programme_id int not null references programmes,
        customer_id bigint not null references customers,
        device_id text not null,
        platform text not null check (platform in ('IOS', 'ANDROID', 'WEB', 'OTHER')),
        name text,
        model text,
        os_version text,
        app_version text,
        -- RFC 7638: the one key that answers of this installation are encrypted to.
        public_key_thumbprint text not null,
        -- P-256 SPKI for sign-in by signature.
        signing_key bytea,
        -- Sealed under the subject's key.
        push_token bytea,
        app_pin_hash text not null,
        state text not null default 'ACTIVE' check (state in ('ACTIVE', 'LOCKED', 'REPLACED', 'UNPAIRED')),
        paired_at timestamptz not null default cardloom_now(),
        last_seen_at timestamptz not null default cardloom_now(),
        ended_at timestamptz
      );
      create unique index device_installations_live on device_installations (customer_id, device_id)
        where state in ('ACTIVE', 'LOCKED');
      create index device_installations_of on device_installations (customer_id, installation_id);

      create table customer_sessions (
        session_id uuid primary key,
        -- Shared by a session and all that came out of it by refresh.
        family_id uuid not null,
        partner_id int not null references partners,
        programme_id int not null references programmes,
        customer_id bigint not null references customers,
        installation_id uuid not null references device_installations,
        token_hash bytea not null unique,
        created_at timestamptz not null default cardloom_now(),
        last_used_at timestamptz not null default cardloom_now(),
        absolute_expires_at timestamptz not null,
        step_up_until timestamptz,
        replaced_at timestamptz,
        ended_at timestamptz,
        end_reason text
      );
      create index customer_sessions_live on customer_sessions (customer_id, session_id) where ended_at is null;
      create index customer_sessions_family on customer_sessions (family_id) where ended_at is null;

      create table sign_in_challenges (
        challenge_id uuid primary key,
        partner_id int not null references partners,
        -- As the caller named it: an unknown one is answered alike.
        installation_id uuid not null,
        challenge bytea not null,
        expires_at timestamptz not null,
        used_at timestamptz
      );

      create table pairing_tokens (
        token_hash bytea primary key,
        partner_id int not null references partners,
        customer_id bigint not null references customers,
        expires_at timestamptz not null,
        used_at timestamptz
      );

      create table one_time_codes (
        code_id uuid primary key,
        partner_id int not null references partners,
        programme_id int not null references programmes,
        purpose text not null
          check (purpose in ('REGISTRATION', 'ACTIVATION', 'PASSWORD_RESET', 'CONTACT_CHANGE')),
        -- Null where nobody was found: the row exists so that the answers are alike.
        customer_id bigint references customers,
        -- Keyed index of the number or address whose limits the code counts on.
        address_index bytea not null,
        code_hash bytea not null,
        -- Of a password reset: the second code, which went by e-mail.
        second_code_hash bytea,
        -- What the confirmation will do, sealed.
        data bytea,
        tries smallint not null default 0 check (tries between 0 and 5),
        resends smallint not null default 0 check (resends between 0 and 3),
        created_at timestamptz not null default cardloom_now(),
        sent_at timestamptz not null,
        code_expires_at timestamptz not null,
        expires_at timestamptz not null,
        used_at timestamptz,
        killed_at timestamptz
      );
      create index one_time_codes_old on one_time_codes (expires_at);

      -- Per phone number or e-mail address: what was sent to it and how often its codes were guessed at.
      create table address_guards (
        programme_id int not null references programmes,
        address_index bytea not null,
        partner_id int not null references partners,
        sent_at timestamptz[] not null default '{}',
        killed_at timestamptz[] not null default '{}',
        blocked_until timestamptz,
        primary key (programme_id, address_index)
      );

      -- Wrong passwords and app PINs, of accounts that exist and of ids that do not.
      create table guess_guards (
        programme_id int not null references programmes,
        guarded text not null,
        partner_id int not null references partners,
        in_a_row smallint not null default 0,
        wrong_at timestamptz[] not null default '{}',
        blocked_until timestamptz,
        closed boolean not null default false,
        updated_at timestamptz not null default cardloom_now(),
        primary key (programme_id, guarded)
      );
    `,
    )
    .execute(db);
  const readWrite = ['select', 'insert', 'update'] as const;
  const all = [...readWrite, 'delete'] as const;
  await protectTenantTable(db, 'customer_credentials', { app: readWrite, engine: readWrite });
  await protectTenantTable(db, 'device_installations', { app: readWrite, engine: readWrite });
  await protectTenantTable(db, 'customer_sessions', { app: readWrite, engine: all });
  await protectTenantTable(db, 'sign_in_challenges', { app: readWrite, engine: all });
  await protectTenantTable(db, 'pairing_tokens', { app: readWrite, engine: all });
  await protectTenantTable(db, 'one_time_codes', { app: readWrite, engine: all });
  await protectTenantTable(db, 'address_guards', { app: readWrite, engine: all });
  await protectTenantTable(db, 'guess_guards', { app: all, engine: all });
}
