import { boundsOf } from './statements.ts';

/** A column of a set-based statement: `type` is how its values travel, `cast` what they become in the table. */
export interface Column<Row> {
  readonly name: string;
  readonly type: string;
  readonly cast?: string;
  readonly value: (row: Row) => string | number | boolean | null;
}

/** A named statement over many rows: one array parameter a column. */
export interface Bulk<Row> {
  readonly name: string;
  readonly text: string;
  readonly columns: readonly Column<Row>[];
  /** True when the time of the batch is its last parameter. */
  readonly stamped: boolean;
  /** True when the least and the greatest of its keys are its last parameters. */
  readonly bounded?: boolean;
}

/** A statement as the driver takes it. */
export interface Query {
  readonly name: string;
  readonly text: string;
  readonly values: unknown[];
}

const parameters = (columns: readonly { readonly type: string }[]): string =>
  columns.map(({ type }, at) => `$${at + 1}::${type}[]`).join(', ');

const aliases = (columns: readonly unknown[]): string => columns.map((_one, at) => `c${at}`).join(', ');

const valueOf = (column: { readonly cast?: string }, at: number): string =>
  column.cast === undefined ? `x.c${at}` : `x.c${at}::${column.cast}`;

/** `insert into table` of all rows at once. `suffix` is appended, for example a conflict clause. */
export function bulkInsert<Row>(table: string, columns: readonly Column<Row>[], suffix = ''): Bulk<Row> {
  const names = columns.map(({ name }) => name).join(', ');
  const values = columns.map(valueOf).join(', ');
  return {
    name: `insert ${table}`,
    text: `insert into ${table} (${names}) select ${values}
      from unnest(${parameters(columns)}) x(${aliases(columns)}) ${suffix}`,
    columns,
    stamped: false,
  };
}

/**
 * The same; the columns that `stamps` names, separated by commas, get the batch's own time: their default would
 * ask the clock's table for it, row by row.
 */
export function stampedInsert<Row>(
  table: string,
  stamps: string,
  columns: readonly Column<Row>[],
): Bulk<Row> {
  const now = `$${columns.length + 1}::timestamptz`;
  const names = [...columns.map(({ name }) => name), stamps].join(', ');
  const values = [...columns.map(valueOf), ...stamps.split(',').map(() => now)].join(', ');
  return {
    name: `insert ${table}`,
    text: `insert into ${table} (${names}) select ${values}
      from unnest(${parameters(columns)}) x(${aliases(columns)})`,
    columns,
    stamped: true,
  };
}

/** `update table` of all rows at once, found by the first column, whose bounds prune a `partitioned` table. */
export function bulkUpdate<Row>(
  name: string,
  table: string,
  columns: readonly Column<Row>[],
  partitioned = false,
): Bulk<Row> {
  const [key, ...others] = columns;
  if (key === undefined) throw new Error('an update needs a key');
  const assignments = others.map((column, at) => `${column.name} = ${valueOf(column, at + 1)}`).join(', ');
  return {
    name,
    text: `update ${table} t set ${assignments}
      from unnest(${parameters(columns)}) x(${aliases(columns)})
      where t.${key.name} = x.c0${partitioned ? boundsAt(key, columns.length) : ''}`,
    columns,
    stamped: false,
    bounded: partitioned,
  };
}

const boundsAt = ({ name, type }: Column<never>, before: number): string =>
  ` and t.${name} >= $${before + 1}::${type} and t.${name} <= $${before + 2}::${type}`;

/** The statement for these rows; `now` is the batch's time. */
export const bulkQuery = <Row>(bulk: Bulk<Row>, rows: readonly Row[], now: Date): Query => ({
  name: bulk.name,
  text: bulk.text,
  values: [
    ...bulk.columns.map((column) => arrayLiteral(column, rows)),
    ...(bulk.stamped ? [now.toISOString()] : []),
    ...(bulk.bounded === true ? boundsOf(rows.map((row) => String(bulk.columns[0]?.value(row)))) : []),
  ],
});

/** Types whose values need no quotes in an array. */
const BARE = new Set(['int', 'bigint', 'smallint', 'uuid', 'date', 'timestamptz', 'boolean']);

/** The array of one column as PostgreSQL reads it: the driver would look at every value for what it may be. */
function arrayLiteral<Row>({ type, value }: Column<Row>, rows: readonly Row[]): string {
  const bare = BARE.has(type);
  let text = '{';
  for (const row of rows) {
    const one = value(row);
    if (text.length > 1) text += ',';
    if (one === null || one === undefined) text += 'NULL';
    else text += bare ? String(one) : quoted(String(one));
  }
  return `${text}}`;
}

const quoted = (value: string): string =>
  `"${/["\\]/.test(value) ? value.replaceAll(/["\\]/g, '\\$&') : value}"`;

const merged = new Map<string, { readonly name: string; readonly text: string }>();

/**
 * Several writes of different tables as one statement, a `with` of all but the last: one parse, one snapshot and
 * one answer instead of one each. Which of them come together varies little, so each kind is prepared once.
 */
export function mergeQueries(queries: readonly Query[]): Query {
  const kind = queries.map(({ name }) => name).join(', ');
  const known = merged.get(kind) ?? { name: `write ${merged.size + 1}`, text: mergedText(queries) };
  merged.set(kind, known);
  return { ...known, values: queries.flatMap(({ values }) => values) };
}

function mergedText(queries: readonly Query[]): string {
  let before = 0;
  const parts = queries.map(({ text, values }) => {
    const offset = before;
    before += values.length;
    return text.replaceAll(/\$([0-9]+)/g, (_all, number: string) => `$${Number(number) + offset}`);
  });
  const last = parts.pop() ?? '';
  const others = parts.map((part, at) => `w${at} as (${part})`);
  return others.length === 0 ? last : `with ${others.join(', ')} ${last}`;
}
