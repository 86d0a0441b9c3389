import { type Kysely, sql } from 'kysely';

/** Clearing files on their way from the announcement to the report; workflow rows that belong to no partner. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql.raw(CLEARING_FILES).execute(db);
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
