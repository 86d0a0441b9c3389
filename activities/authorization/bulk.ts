/** A column of a set-based statement: `type` is how its values travel, `cast` what they become in the table. */
export interface Column<Row> {
  readonly name: string;
  readonly type: string;
  readonly cast?: string;
  readonly value: (row: Row) => unknown;
}

/** A named statement over many rows: one array parameter a column. */
export interface Bulk<Row> {
  readonly name: string;
  readonly text: string;
  readonly columns: readonly Column<Row>[];
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
  };
}

/** `update table` of all rows at once, found by the first column. */
export function bulkUpdate<Row>(name: string, table: string, columns: readonly Column<Row>[]): Bulk<Row> {
  const [key, ...others] = columns;
  if (key === undefined) throw new Error('an update needs a key');
  const assignments = others.map((column, at) => `${column.name} = ${valueOf(column, at + 1)}`).join(', ');
  return {
    name,
    // The plain list beside the join lets the planner prune partitions and use the primary key.
    text: `update ${table} t set ${assignments}
      from unnest(${parameters(columns)}) x(${aliases(columns)})
      where t.${key.name} = x.c0 and t.${key.name} = any ($1::${key.type}[])`,
    columns,
  };
}

/** The statement as the driver takes it. */
export const bulkQuery = <Row>(bulk: Bulk<Row>, rows: readonly Row[]) => ({
  name: bulk.name,
  text: bulk.text,
  values: bulk.columns.map((column) => rows.map((row) => column.value(row))),
});
