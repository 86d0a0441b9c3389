import pg from 'pg';

/** Rows and newest writer of every table: two equal states mean that nothing was written in between. */
export type TableState = Readonly<Record<string, string>>;

export interface TableWatch {
  /** All tables but `audit_log`, which also records what was refused. */
  state(): Promise<TableState>;
  end(): Promise<void>;
}

const TABLES = `
  select format('%I.%I', n.nspname, c.relname) as name
  from pg_class c join pg_namespace n on n.oid = c.relnamespace
  where c.relkind = 'r' and n.nspname in ('public', 'vault') and not (
    c.oid in (select inhrelid from pg_inherits where inhparent = 'audit_log'::regclass)
    or c.oid = 'audit_log'::regclass)
  order by 1`;

// Any call moves the time of last use of its certificate: of those rows the rest is compared.
const writerIn = (table: string): string =>
  table === 'public.certificates'
    ? `hashtext((to_jsonb(t) - 'last_used_at')::text)::bigint`
    : 'xmin::text::bigint';

/** Watches a database as its superuser. */
export async function watchTables(adminUrl: string): Promise<TableWatch> {
  const client = new pg.Client({ connectionString: adminUrl });
  await client.connect();
  return {
    async state() {
      // Partitions are made while a test runs, so the tables are looked up each time.
      const { rows: tables } = await client.query<{ name: string }>(TABLES);
      const counts = tables.map(
        ({ name }) =>
          `select '${name}' as name, count(*) || ' rows, ' || coalesce(sum(${writerIn(name)}), 0) as state from ${name} t`,
      );
      const { rows } = await client.query<{ name: string; state: string }>(counts.join(' union all '));
      return Object.fromEntries(rows.map((row) => [row.name, row.state]));
    },
    end: () => client.end(),
  };
}
