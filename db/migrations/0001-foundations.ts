import { type Kysely, sql } from 'kysely';

/** The clock, time-ordered id bounds, and monthly partitions: what every later table stands on. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql
    .raw(
      `
      revoke create on schema public from public;
      grant usage on schema public to cardloom_app, cardloom_engine, cardloom_vault;

      -- Holds a row in sandbox and test databases only: their tests move the clock.
      create table clock_offset (
        only_row boolean primary key default true check (only_row),
        offset_by interval not null
      );
      grant select on clock_offset to cardloom_app, cardloom_engine, cardloom_vault;

      create function cardloom_now() returns timestamptz language sql stable parallel safe as $$
        select now() + coalesce((select offset_by from public.clock_offset), interval '0')
      $$;

      -- Which migration the database stands at, for roles that may not read the migrator's table.
      create function cardloom_schema_version() returns text language sql stable security definer
      set search_path = public, pg_temp as $$
        select max(name) from kysely_migration
      $$;

      create function id_bound(at timestamptz) returns uuid language sql immutable as $$
        select (lpad(to_hex((extract(epoch from at) * 1000)::bigint), 12, '0') || '00000000000000000000')::uuid
      $$;

      create table partitioned_tables (table_name text primary key);

      -- Creates the monthly partitions from the month before to three months after the clock.
      create function create_partitions() returns void language plpgsql security definer
      set search_path = public, pg_temp as $$
      declare
        one text;
        month_start timestamptz;
        part text;
      begin
        perform pg_advisory_xact_lock(hashtext('create_partitions'));
        for one in select table_name from partitioned_tables loop
          for step in -1..3 loop
            month_start := date_trunc('month', cardloom_now() at time zone 'UTC') at time zone 'UTC'
              + make_interval(months => step);
            part := one || '_' || to_char(month_start at time zone 'UTC', 'YYYY_MM');
            if to_regclass(part) is null then
              execute format('create table %I partition of %I for values from (%L) to (%L)', part, one,
                id_bound(month_start),
                id_bound((month_start at time zone 'UTC' + interval '1 month') at time zone 'UTC'));
            end if;
          end loop;
        end loop;
      end $$;
      revoke execute on function create_partitions() from public;
      grant execute on function create_partitions() to cardloom_engine;
    `,
    )
    .execute(db);
}
