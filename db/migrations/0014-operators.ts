import { type Kysely, sql } from 'kysely';
import { protectTenantTable } from '../row-security.ts';

/**
 * Operators with their passwords, log-ins, links and sessions, what waits for a second pair of eyes, and the hash
 * chains over the audit log.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql.raw(OPERATORS).execute(db);
  await sql.raw(APPROVALS).execute(db);
  await sql.raw(AUDIT_SEALS).execute(db);
  await protectTenantTable(db, 'operators', {
    app: ['select', 'insert', 'update'],
    engine: ['select', 'insert', 'update'],
  });
  // Secrets and what guards them are the engine's alone; channels reach them through their own calls.
  await protectTenantTable(db, 'operator_passwords', { engine: ['select', 'insert'] });
  await protectTenantTable(db, 'operator_logins', { engine: ['select', 'insert', 'update'] });
  await protectTenantTable(db, 'operator_links', { app: ['insert'], engine: ['select', 'insert', 'update'] });
  await protectTenantTable(db, 'operator_sessions', { engine: ['select', 'insert', 'update'] });
  await protectTenantTable(db, 'approvals', {
    app: ['select', 'insert', 'update'],
    engine: ['select', 'insert', 'update'],
  });
}

const OPERATORS = `
  create table operators (
    operator_id uuid primary key,
    -- The only partner an operator of scope PARTNER works for.
    partner_id int references partners,
    email text not null constraint operators_email unique check (email = lower(email)),
    first_name text not null,
    last_name text not null,
    role text not null check (role in ('Admin', 'Manager', 'Employee')),
    scope text not null check (scope in ('PARTNER', 'PLATFORM')),
    state text not null default 'INVITED' check (state in ('INVITED', 'ACTIVE', 'DISABLED')),
    -- LOCKED is ACTIVE with a time ahead of the clock in it.
    locked_until timestamptz,
    -- Sealed; the first is in use, the second waits for its first code.
    totp_secret bytea,
    totp_offered bytea,
    -- Time step of the newest code taken: none is taken twice.
    totp_step bigint,
    -- Made by the demo data: no such operator may exist in production.
    demo boolean not null default false,
    last_login_at timestamptz,
    version int not null default 1,
    created_at timestamptz not null default cardloom_now(),
    check ((scope = 'PARTNER') = (partner_id is not null))
  );
  create index operators_of_partner on operators (partner_id);

  -- The newest is the password; the last four are not taken again.
  create table operator_passwords (
    password_id bigint generated always as identity primary key,
    operator_id uuid not null references operators,
    partner_id int,
    hash text not null,
    created_at timestamptz not null default cardloom_now()
  );
  create index operator_passwords_of on operator_passwords (operator_id, password_id);

  -- Tries by the keyed hash of the address, so that unknown addresses count like known ones. Engine only.
  create table operator_sign_ins (
    email_hash bytea primary key,
    -- Wrong passwords and codes in a row.
    failures int not null default 0,
    locked_until timestamptz,
    window_started_at timestamptz not null default cardloom_now(),
    sign_ins int not null default 0,
    codes_started_at timestamptz not null default cardloom_now(),
    codes int not null default 0
  );
  grant select, insert, update on operator_sign_ins to cardloom_engine;

  -- A log-in between password and second factor.
  create table operator_logins (
    login_id uuid primary key,
    operator_id uuid not null references operators,
    partner_id int,
    second_factor text not null check (second_factor in ('EMAIL_CODE', 'TOTP')),
    code_hash bytea,
    wrong int not null default 0,
    expires_at timestamptz not null,
    ended_at timestamptz,
    check ((second_factor = 'EMAIL_CODE') = (code_hash is not null))
  );

  create table operator_links (
    token_hash bytea primary key,
    operator_id uuid not null references operators,
    partner_id int,
    purpose text not null check (purpose in ('INVITATION', 'PASSWORD_RESET')),
    expires_at timestamptz not null,
    used_at timestamptz,
    created_at timestamptz not null default cardloom_now()
  );
  create index operator_links_of on operator_links (operator_id) where used_at is null;

  create table operator_sessions (
    token_hash bytea primary key,
    session_id uuid not null unique,
    operator_id uuid not null references operators,
    partner_id int,
    created_at timestamptz not null default cardloom_now(),
    last_used_at timestamptz not null default cardloom_now(),
    absolute_expires_at timestamptz not null,
    -- When a code was last given.
    stepped_up_at timestamptz not null default cardloom_now(),
    -- A freshly mailed step-up code, where the second factor is the mail.
    code_hash bytea,
    code_expires_at timestamptz,
    ended_at timestamptz,
    ip text
  );
  create index operator_sessions_of on operator_sessions (operator_id) where ended_at is null;

  -- Mails to operators of the platform belong to no partner.
  alter table outbox drop constraint outbox_check;
  alter table outbox add constraint outbox_owner check (
    destination in ('workflow', 'message') or (partner_id is not null and programme_id is not null));
`;

const APPROVALS = `
  create table approvals (
    approval_id uuid primary key,
    -- Whose objects the request touches, as the one who asked sees them; null = asked by the platform.
    partner_id int references partners,
    kind text not null,
    operation text not null,
    subject_type text not null,
    subject_id text not null,
    summary text not null,
    -- Path, query and body as they were validated, sealed; and what they hash to.
    request bytea not null,
    request_sha256 bytea not null,
    requested_by uuid not null references operators,
    state text not null default 'PENDING'
      check (state in ('PENDING', 'APPROVED', 'FAILED', 'REJECTED', 'CANCELLED', 'EXPIRED')),
    expires_at timestamptz not null,
    decided_by uuid references operators,
    decided_at timestamptz,
    -- What the one who decided wrote.
    comment text,
    result_title text,
    created_at timestamptz not null default cardloom_now(),
    check (state <> 'APPROVED' or decided_by <> requested_by),
    check ((state = 'PENDING') = (decided_at is null))
  );
  create unique index approvals_once on approvals (kind, subject_type, subject_id) where state = 'PENDING';
  create index approvals_waiting on approvals (expires_at) where state = 'PENDING';
`;

const AUDIT_SEALS = `
  -- One chain for each partner and one of the platform (administration 7), sealed in the background: each row holds
  -- the place of one audit row in its chain. Engine only.
  create table audit_seals (
    -- Public id of the partner, or 'platform'.
    chain text not null,
    seq bigint not null check (seq > 0),
    audit_id uuid not null unique,
    -- SHA-256 over the hash before and the canonical form of the row.
    hash bytea not null,
    sealed_at timestamptz not null default cardloom_now(),
    primary key (chain, seq)
  );
  create index audit_seals_by_age on audit_seals (sealed_at);
  create trigger refuse_change before update or delete on audit_seals
    for each row execute function refuse_change();
  create trigger refuse_truncate before truncate on audit_seals execute function refuse_change();
  grant select, insert on audit_seals to cardloom_engine;
`;
