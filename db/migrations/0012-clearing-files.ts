import { type Kysely, sql } from 'kysely';

/**
 * Clearing files from the announcement to the report, the queue of exceptions, reconciliation runs, the hash chain
 * over events and transfers, and guards that make wrong rows impossible.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql.raw(CLEARING_FILES).execute(db);
  await sql.raw(EXCEPTION_QUEUE).execute(db);
  await sql.raw(RECONCILIATION).execute(db);
  await sql.raw(SEALS).execute(db);
  await sql.raw(GUARDS).execute(db);
}

const CLEARING_FILES = `
  -- A file holds records of cards of all partners: engine only, like network_keys.
  create table clearing_files (
    file_id text primary key,
    -- Label of the processor's certificate: part of the duplicate key of every record.
    processor text not null,
    source text not null check (source in ('PROCESSOR', 'OPERATOR')),
    business_date date not null,
    -- As announced; a file is posted only when it is exactly that.
    records int not null check (records >= 0),
    size bigint not null check (size > 0),
    sha256 text not null check (sha256 ~ '^[0-9a-f]{64}$'),
    status text not null default 'QUEUED' check (status in ('QUEUED', 'LOADING', 'POSTED', 'REJECTED')),
    -- Why it was rejected.
    reason text,
    -- The file with the same bytes that was there before: every record is a duplicate.
    duplicate_of text references clearing_files,
    posted int not null default 0,
    duplicates int not null default 0,
    quarantined int not null default 0,
    created_at timestamptz not null default cardloom_now(),
    -- From here on its blocks may be posted.
    checked_at timestamptz,
    finished_at timestamptz,
    check ((status = 'REJECTED') = (reason is not null)),
    check ((status in ('POSTED', 'REJECTED')) = (finished_at is not null))
  );
  create unique index clearing_files_once on clearing_files (sha256)
    where status in ('LOADING', 'POSTED') and duplicate_of is null;

  -- The bytes as they came, until they are checked: nothing is fetched twice.
  create table clearing_chunks (
    file_id text not null references clearing_files,
    chunk_no int not null,
    bytes bytea not null,
    primary key (file_id, chunk_no)
  );
  alter table clearing_chunks alter column bytes set storage external;

  -- Checked records, as many to a row as one posting transaction takes; results stand beside them.
  create table clearing_blocks (
    file_id text not null references clearing_files,
    block_no int not null,
    first_record int not null,
    records int not null check (records > 0),
    -- One JSON document a record; what cannot be posted is named without its content.
    body jsonb not null,
    -- One [result, transaction id, exception] a record, null until the block is posted.
    results jsonb check (results is null or jsonb_array_length(results) = records),
    primary key (file_id, block_no)
  );
  create index clearing_blocks_open on clearing_blocks (file_id) where results is null;

  grant select, insert, update on clearing_files to cardloom_engine;
  grant select, insert, delete on clearing_chunks to cardloom_engine;
  grant select, insert, update, delete on clearing_blocks to cardloom_engine;

  -- Workflows of the whole installation belong to no partner.
  alter table outbox alter column partner_id drop not null;
  alter table outbox alter column programme_id drop not null;
  alter table outbox add check (destination = 'workflow' or (partner_id is not null and programme_id is not null));
`;

const EXCEPTION_QUEUE = `
  alter table exceptions
    -- Who works on it, and what became of it.
    add column assignee text,
    add column resolution text,
    add column note text,
    add column resolved_by text,
    add column resolved_at timestamptz,
    -- The posting that resolved it, where money was moved.
    add column resolving_transaction_id uuid,
    add check (state <> 'OPEN' or (assignee is null and resolution is null)),
    add check (state <> 'IN_REVIEW' or (assignee is not null and resolution is null));
  create index exceptions_waiting on exceptions (exception_id) where state <> 'RESOLVED';
  create index exceptions_of_transaction on exceptions (transaction_id) where transaction_id is not null;
`;

const RECONCILIATION = `
  -- One row a run of a job: what it looked at and what did not agree (authorization 16). Of nobody: engine only.
  create table recon_runs (
    run_id bigint generated always as identity primary key,
    job text not null,
    -- What was looked at, where it is one thing: a clearing file.
    subject text,
    from_at timestamptz not null,
    to_at timestamptz not null,
    result text not null check (result in ('OK', 'FAILED')),
    evidence jsonb not null,
    created_at timestamptz not null default cardloom_now()
  );
  create index recon_runs_of_job on recon_runs (job, run_id);
  grant select, insert on recon_runs to cardloom_engine;

  -- What was written lately is found without an index entry for each row.
  create index transaction_events_by_age on transaction_events using brin (created_at)
    with (pages_per_range = 32, autosummarize = on);
  create index ledger_transfers_by_age on ledger_transfers using brin (created_at)
    with (pages_per_range = 32, autosummarize = on);
`;

const SEALS = `
  -- The hash chain over events and transfers, sealed in the background: each seal covers all rows created in
  -- [from_at, to_at) and the seal before it. Of nobody: engine only.
  create table ledger_seals (
    seal_no bigint primary key,
    from_at timestamptz not null,
    to_at timestamptz not null,
    -- Sealed while the test clock was moved: later rows may fall into the same window, so it is not compared.
    shifted boolean not null,
    rows bigint not null,
    rows_hash bytea not null,
    hash bytea not null,
    created_at timestamptz not null default cardloom_now(),
    check (to_at > from_at)
  );
  grant select, insert on ledger_seals to cardloom_engine;

  -- Rows of a window in one fixed order and one fixed form, that no setting of the session and no later column
  -- changes.
  create function seal_window(from_time timestamptz, to_time timestamptz, out rows bigint, out rows_hash bytea)
  language sql stable as $$
    with lines as (
      select 0 as kind, transaction_id, seq as first, 0 as second, row(transaction_id, seq, partner_id, kind,
        status, result, reason, amount, external_id, extract(epoch from occurred_at), request_id, actor, answer,
        trace, extract(epoch from created_at))::text as line
      from transaction_events where created_at >= from_time and created_at < to_time
      union all
      select 1, transaction_id, event_seq, seq, row(transaction_id, event_seq, seq, partner_id, debit_account,
        credit_account, amount, currency, state, of_event_seq, of_seq, debit_after, credit_after,
        extract(epoch from created_at))::text
      from ledger_transfers where created_at >= from_time and created_at < to_time)
    select count(*), sha256(coalesce(string_agg(sha256(convert_to(line, 'UTF8')), ''::bytea
      order by kind, transaction_id, first, second), ''::bytea))
    from lines
  $$;

  create function seal_hash(no bigint, from_time timestamptz, to_time timestamptz, moved boolean, rows bigint,
    rows_hash bytea, previous bytea) returns bytea
  language sql immutable as $$
    select sha256(previous || convert_to(row(no, extract(epoch from from_time), extract(epoch from to_time), moved,
      rows)::text, 'UTF8') || rows_hash)
  $$;
`;

const GUARDS = `
  create function refuse_change() returns trigger language plpgsql as $$
  begin
    raise exception 'rows of % are never changed or deleted', tg_table_name using errcode = 'restrict_violation';
  end $$;
  create trigger refuse_change before update or delete on transaction_events
    for each row execute function refuse_change();
  create trigger refuse_change before update or delete on ledger_transfers
    for each row execute function refuse_change();
  create trigger refuse_change before update or delete on audit_log
    for each row execute function refuse_change();
  create trigger refuse_change before update or delete on ledger_seals
    for each row execute function refuse_change();
  create trigger refuse_truncate before truncate on transaction_events execute function refuse_change();
  create trigger refuse_truncate before truncate on ledger_transfers execute function refuse_change();
  create trigger refuse_truncate before truncate on audit_log execute function refuse_change();
  create trigger refuse_truncate before truncate on ledger_seals execute function refuse_change();

  -- One look at all rows of a statement: accounts of one currency, one side of the balance sheet and the row's
  -- partner; POSTED and VOIDED parts use up no more than their PENDING transfer.
  -- A plan that was made while the table was small must not read all of it when it has grown.
  create function check_transfers() returns trigger language plpgsql set enable_seqscan = off as $$
  begin
    if exists (
      select from added t
      left join ledger_accounts d on d.account_id = t.debit_account
      left join ledger_accounts c on c.account_id = t.credit_account
      where d.currency is distinct from t.currency or c.currency is distinct from t.currency
        or d.off_balance is distinct from c.off_balance
        or d.partner_id is distinct from t.partner_id or c.partner_id is distinct from t.partner_id)
    then
      raise exception 'a transfer needs two accounts of its currency, side and partner'
        using errcode = 'check_violation', constraint = 'ledger_transfers_accounts';
    end if;
    if exists (
      select from (
        select distinct transaction_id, of_event_seq, of_seq from added where of_seq is not null) u
      cross join lateral (
        select sum(case when x.of_seq is not null then x.amount when x.state = 'PENDING' then -x.amount end) as over,
          bool_or(x.of_seq is null and x.state = 'PENDING') as pending
        from ledger_transfers x
        where x.transaction_id = u.transaction_id and (
          x.of_event_seq = u.of_event_seq and x.of_seq = u.of_seq
          or x.event_seq = u.of_event_seq and x.seq = u.of_seq)) used
      where not coalesce(used.pending, false) or used.over > 0)
    then
      raise exception 'a transfer uses more than is pending'
        using errcode = 'check_violation', constraint = 'ledger_transfers_pending';
    end if;
    return null;
  end $$;
  create trigger check_transfers after insert on ledger_transfers referencing new table as added
    for each statement execute function check_transfers();
`;
