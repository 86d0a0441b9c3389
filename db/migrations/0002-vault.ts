import { type Kysely, sql } from 'kysely';

/**
 * Schema `vault`: ciphertext and wrapped keys behind functions of the role cardloom_vault, which nobody logs in
 * with (data-model, "Roles"). Keys in clear never enter the database. Parameters start with `p_`.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql.raw('create schema vault authorization cardloom_vault').execute(db);
  await sql.raw('set local role cardloom_vault').execute(db);
  await sql.raw(TABLES).execute(db);
  await sql.raw(ROW_SECURITY).execute(db);
  await sql.raw(KEY_FUNCTIONS).execute(db);
  await sql.raw(CARD_FUNCTIONS).execute(db);
  await sql.raw(RIGHTS).execute(db);
  await sql.raw('set local role cardloom_owner').execute(db);
}

const TABLES = `
  create table vault.keys (
    purpose text not null check (purpose ~ '^[a-z][a-z0-9-]{0,31}$'),
    version int not null check (version > 0),
    wrapped bytea not null,
    kek_version int not null,
    created_at timestamptz not null default public.cardloom_now(),
    state text not null default 'ACTIVE' check (state in ('ACTIVE', 'RETIRED')),
    primary key (purpose, version)
  );

  -- The CVC2 is computed, never stored; its version and key version say how.
  create table vault.cards (
    card_id bigint primary key,
    partner_id int not null,
    processor_card_id text not null unique,
    expiry_date date not null,
    pan_idx bytea not null unique,
    pan_idx_version int not null,
    pan_ct bytea not null,
    wrapped_dek bytea not null,
    kek_version int not null,
    cvk_version int not null,
    cvc_version int not null default 0,
    created_at timestamptz not null default public.cardloom_now()
  );

  create table vault.card_access (
    access_id bigint generated always as identity primary key,
    at timestamptz not null default public.cardloom_now(),
    partner_id int not null,
    card_id bigint not null,
    reason text not null check (reason in ('STORE', 'FULL_DATA', 'CVC2_CHECK')),
    actor_type text not null,
    actor_id text not null,
    request_id text not null
  );
  create index card_access_of_card on vault.card_access (card_id, access_id);
  revoke update, delete, truncate on vault.card_access from cardloom_vault;
`;

// The functions run as cardloom_vault, so the policies look at who logged in: the engine works for all partners.
const IS_OWN = `(session_user = 'cardloom_engine'
  or partner_id = nullif(current_setting('app.partner', true), '')::int)`;

const ROW_SECURITY = ['vault.cards', 'vault.card_access']
  .map(
    (table) => `
      alter table ${table} enable row level security;
      alter table ${table} force row level security;
      create policy own_partner on ${table} to cardloom_vault using ${IS_OWN} with check ${IS_OWN};
    `,
  )
  .join('');

const DEFINER = `security definer set search_path = pg_catalog, pg_temp`;

const KEY_FUNCTIONS = `
  create function vault.load_keys()
  returns table (purpose text, version int, wrapped bytea, kek_version int, created_at timestamptz)
  language sql stable ${DEFINER} as $$
    select k.purpose, k.version, k.wrapped, k.kek_version, k.created_at
    from vault.keys k where k.state = 'ACTIVE' order by k.purpose, k.version
  $$;

  create function vault.store_key(p_purpose text, p_version int, p_wrapped bytea, p_kek_version int)
  returns boolean language plpgsql ${DEFINER} as $$
  begin
    insert into vault.keys (purpose, version, wrapped, kek_version)
    values (p_purpose, p_version, p_wrapped, p_kek_version)
    on conflict do nothing;
    return found;
  end $$;
`;

const CARD_FUNCTIONS = `
  create function vault.require_partner(p_partner_id int) returns void
  language plpgsql stable set search_path = pg_catalog, pg_temp as $$
  begin
    if session_user <> 'cardloom_engine'
      and p_partner_id is distinct from nullif(current_setting('app.partner', true), '')::int then
      raise exception 'vault: not the partner of this transaction' using errcode = 'insufficient_privilege';
    end if;
  end $$;

  create function vault.store_card(p_partner_id int, p_card_id bigint, p_processor_card_id text,
    p_expiry_date date, p_pan_idx bytea, p_pan_idx_version int, p_pan_ct bytea, p_wrapped_dek bytea,
    p_kek_version int, p_cvk_version int, p_cvc_version int, p_actor_type text, p_actor_id text,
    p_request_id text)
  returns text language plpgsql ${DEFINER} as $$
  begin
    perform vault.require_partner(p_partner_id);
    insert into vault.cards (card_id, partner_id, processor_card_id, expiry_date, pan_idx, pan_idx_version,
      pan_ct, wrapped_dek, kek_version, cvk_version, cvc_version)
    values (p_card_id, p_partner_id, p_processor_card_id, p_expiry_date, p_pan_idx, p_pan_idx_version,
      p_pan_ct, p_wrapped_dek, p_kek_version, p_cvk_version, p_cvc_version)
    on conflict do nothing;
    if found then
      insert into vault.card_access (partner_id, card_id, reason, actor_type, actor_id, request_id)
      values (p_partner_id, p_card_id, 'STORE', p_actor_type, p_actor_id, p_request_id);
      return 'STORED';
    end if;
    if exists (select from vault.cards c where c.card_id = p_card_id and c.partner_id = p_partner_id
      and c.processor_card_id = p_processor_card_id and c.pan_idx = p_pan_idx) then
      return 'SAME';
    end if;
    return 'CONFLICT';
  end $$;

  create function vault.read_card(p_partner_id int, p_card_id bigint, p_reason text, p_actor_type text,
    p_actor_id text, p_request_id text)
  returns table (processor_card_id text, expiry_date text, pan_ct bytea, wrapped_dek bytea,
    cvk_version int, cvc_version int)
  language plpgsql ${DEFINER} as $$
  begin
    perform vault.require_partner(p_partner_id);
    return query
      select c.processor_card_id, to_char(c.expiry_date, 'YYYY-MM-DD'), c.pan_ct, c.wrapped_dek,
        c.cvk_version, c.cvc_version
      from vault.cards c where c.card_id = p_card_id and c.partner_id = p_partner_id;
    if found then
      insert into vault.card_access (partner_id, card_id, reason, actor_type, actor_id, request_id)
      values (p_partner_id, p_card_id, p_reason, p_actor_type, p_actor_id, p_request_id);
    end if;
  end $$;

  create function vault.find_card(p_pan_idx bytea[]) returns table (card_id bigint, partner_id int)
  language sql stable ${DEFINER} as $$
    select c.card_id, c.partner_id from vault.cards c where c.pan_idx = any (p_pan_idx)
  $$;
`;

const RIGHTS = `
  revoke execute on all functions in schema vault from public;
  grant usage on schema vault to cardloom_app, cardloom_engine;
  grant execute on function vault.load_keys, vault.store_key, vault.find_card to cardloom_engine;
  grant execute on function vault.store_card, vault.read_card to cardloom_app, cardloom_engine;
`;
