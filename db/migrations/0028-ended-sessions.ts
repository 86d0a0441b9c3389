import { type Kysely, sql } from 'kysely';

/** What ends a session ends also what its caller has under way, and what was handed out to get in by. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql
    .raw(
      `
      -- Channels may not read sessions of operators, but have to know that theirs lives when they commit. The role is
      -- read after the wait for the row.
      create function hold_operator_session(held uuid, ended_by_caller_at timestamptz) returns text
      language plpgsql security definer set search_path = public, pg_temp as $$
      begin
        perform from operator_sessions
        where session_id = held and (ended_at is null or ended_at = ended_by_caller_at) for share;
        if not found then return null; end if;
        return (
          select role from operators join operator_sessions using (operator_id)
          where session_id = held and state = 'ACTIVE');
      end $$;
      revoke execute on function hold_operator_session(uuid, timestamptz) from public;
      grant execute on function hold_operator_session(uuid, timestamptz) to cardloom_app, cardloom_engine;

      create index pairing_tokens_open on pairing_tokens (customer_id) where used_at is null;
      create index one_time_codes_open on one_time_codes (customer_id) where used_at is null;
    `,
    )
    .execute(db);
}
