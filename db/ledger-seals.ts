import { type Kysely, sql } from 'kysely';
import { nowOf, type Trx } from './atomically.ts';
import type { Database } from './database.ts';
import type { LedgerDifference } from './invariant.ts';

/**
 * Rows are stamped with the time at which their transaction began. Writers give up after seconds, so a minute
 * later nobody can still add a row to a window.
 */
const SETTLED_MS = 60_000;
/** Longest window of one seal: bounds what it reads, and what a difference points at. */
const LONGEST_MS = 60_000;
const SEALS_A_RUN = 60;

/**
 * Seals what was written since the last seal into the hash chain (architecture 5), off the path of those who write;
 * answers how many seals were added. Two sealers at once are harmless: one waits for the other. Engine only.
 */
export async function sealLedger(trx: Trx, settledMs = SETTLED_MS): Promise<number> {
  await sql`select pg_advisory_xact_lock(hashtext('seal-ledger'))`.execute(trx);
  const until = new Date(nowOf(trx).getTime() - settledMs);
  let added = 0;
  while (added < SEALS_A_RUN && (await sealNext(trx, until))) added += 1;
  return added;
}

/** False when nothing is settled that is not sealed. */
async function sealNext(trx: Trx, until: Date): Promise<boolean> {
  const { rows } = await sql<{ sealed: boolean }>`
    with last as (
      select seal_no, hash from ledger_seals order by seal_no desc limit 1),
    clock as (
      select coalesce((select offset_by > interval '0' from clock_offset), false) as moved),
    -- Where the chain stands: what was sealed under a moved test clock is not behind us yet.
    edge as (
      select coalesce(max(to_at), timestamptz '2000-01-01 00:00:00+00') as from_at
      from ledger_seals where not shifted or (select moved from clock)),
    -- A window reaches over the time in which nothing was written; without rows there is nothing to seal.
    span as (
      select from_at, least(${until}, (
        select min(created_at) from transaction_events where created_at >= from_at and created_at < ${until})
        + make_interval(secs => ${LONGEST_MS / 1000})) as to_at
      from edge),
    added as (
      insert into ledger_seals (seal_no, from_at, to_at, shifted, rows, rows_hash, hash)
      select coalesce(l.seal_no, 0) + 1, s.from_at, s.to_at, c.moved, w.rows, w.rows_hash,
        seal_hash(coalesce(l.seal_no, 0) + 1, s.from_at, s.to_at, c.moved, w.rows, w.rows_hash,
          coalesce(l.hash, sha256('cardloom-ledger')))
      from span s cross join clock c left join last l on true
        cross join lateral seal_window(s.from_at, s.to_at) w
      where w.rows > 0
      returning true as sealed)
    select sealed from added`.execute(trx);
  return rows.length > 0;
}

/** Seals that do not fit the rows they cover, or the seal before them; the oldest first. Engine or owner. */
export async function brokenSeals(db: Kysely<Database>, limit: number): Promise<LedgerDifference[]> {
  const { rows } = await sql<Omit<LedgerDifference, 'invariant'>>`
    select 'seal ' || s.seal_no || ' of ' || to_char(s.from_at at time zone 'UTC', 'YYYY-MM-DD HH24:MI:SS') as subject,
      s.rows || ' rows, ' || encode(substr(s.rows_hash, 1, 8), 'hex') as expected,
      w.rows || ' rows, ' || encode(substr(w.rows_hash, 1, 8), 'hex')
        || case when s.hash is distinct from seal_hash(s.seal_no, s.from_at, s.to_at, s.shifted, s.rows, s.rows_hash,
          s.previous) then ', chain broken' else '' end as found
    from (
      select *, coalesce(lag(hash) over (order by seal_no), sha256('cardloom-ledger')) as previous,
        lag(seal_no, 1, 0::bigint) over (order by seal_no) as before
      from ledger_seals) s
    cross join lateral seal_window(s.from_at, s.to_at) w
    where s.before <> s.seal_no - 1
      or s.hash is distinct from
        seal_hash(s.seal_no, s.from_at, s.to_at, s.shifted, s.rows, s.rows_hash, s.previous)
      or (not s.shifted and (w.rows <> s.rows or w.rows_hash <> s.rows_hash))
    order by s.seal_no limit ${limit}`.execute(db);
  return rows.map((row) => ({ invariant: 'SEAL', ...row }));
}
