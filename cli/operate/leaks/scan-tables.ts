import { type Kysely, sql } from 'kysely';
import type { Database } from '../../../db/database.ts';
import { type Detector, type Leak, TEST_BIN } from './detector.ts';
import type { Scanned } from './scan-logs.ts';

/** Columns that hold the bounds of number ranges, which are numbers of no card. */
const RANGE_COLUMNS = new Set(['card_products.range_low', 'card_products.range_high']);

const BYTEA = /^\\x([0-9a-f]*)$/;

/** Reads every table outside the schema `vault`, as the owner; bytes are looked at as text too. */
export async function scanTables(
  owner: Kysely<Database>,
  detect: Detector,
  knownPans: readonly string[],
): Promise<Scanned> {
  const leaks: Leak[] = [];
  let looked = 0;
  for (const table of await tablesOf(owner)) {
    const { rows, total } = await suspectRows(owner, table, knownPans);
    looked += total;
    for (const row of rows) leaks.push(...leaksOf(table, row, detect));
  }
  return { leaks, looked };
}

interface Table {
  readonly schema: string;
  readonly name: string;
}

interface SuspectRow {
  readonly at: string;
  readonly content: Readonly<Record<string, unknown>>;
}

async function tablesOf(owner: Kysely<Database>): Promise<Table[]> {
  const { rows } = await sql<Table>`
    select schemaname as schema, tablename as name from pg_tables
    where schemaname not in ('vault', 'pg_catalog', 'information_schema')
      and not exists (
        select from pg_partitioned_table where partrelid = format('%I.%I', schemaname, tablename)::regclass
      )
    order by 1, 2`.execute(owner);
  return rows;
}

/** The rows that could show something; the exact look is the detector's. */
async function suspectRows(
  owner: Kysely<Database>,
  { schema, name }: Table,
  knownPans: readonly string[],
): Promise<{ rows: SuspectRow[]; total: number }> {
  const table = sql.id(schema, name);
  const { rows: counted } = await sql<{ total: number }>`select count(*) as total from ${table}`.execute(
    owner,
  );
  const pattern = [...new Set([TEST_BIN, ...knownPans.map((pan) => pan.slice(0, 6))])]
    .flatMap((prefix) => [prefix, Buffer.from(prefix).toString('hex')])
    .concat(['cvv', 'cvc', 'card_?verification'])
    .join('|');
  const { rows } = await sql<SuspectRow>`
    select ctid::text as at, to_jsonb(one) as content from ${table} one
    where regexp_replace(one::text, '[ -]', '', 'g') ~* ${pattern}`.execute(owner);
  return { rows, total: counted[0]?.total ?? 0 };
}

function leaksOf({ schema, name }: Table, row: SuspectRow, detect: Detector): Leak[] {
  return Object.entries(row.content).flatMap(([column, value]) => {
    if (RANGE_COLUMNS.has(`${name}.${column}`)) return [];
    const text = typeof value === 'string' ? value : JSON.stringify(value);
    const bytes = BYTEA.exec(text)?.[1];
    const decoded = bytes === undefined ? '' : Buffer.from(bytes, 'hex').toString('latin1');
    const kinds = new Set([...detect(text), ...detect(`"${column}": ${text}`), ...detect(decoded)]);
    const place = `${schema}.${name}.${column} at ${row.at}`;
    return [...kinds].map((kind) => ({ kind, where: 'table' as const, place }));
  });
}
