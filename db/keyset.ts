import { type RawBuilder, type SelectQueryBuilder, sql } from 'kysely';

/** An order that a caller has chosen, and the row behind which a page begins. */
export interface Keyset<By extends string> {
  readonly by: By;
  readonly descending: boolean;
  /** What the last row of the page before is sorted by, and its id; absent: the first page. */
  readonly after?: readonly [value: string | number, id: string | number] | undefined;
}

/** One page in that order; rows that are equal in it are told apart by `id`. `orders` gives each order its column. */
export function inOrder<DB, TB extends keyof DB, O, By extends string>(
  query: SelectQueryBuilder<DB, TB, O>,
  orders: Readonly<Record<By, RawBuilder<unknown>>> & { readonly id: RawBuilder<unknown> },
  { by, descending, after }: Keyset<By>,
  limit: number,
): SelectQueryBuilder<DB, TB, O> {
  const column: RawBuilder<unknown> = orders[by];
  const direction = descending ? 'desc' : 'asc';
  const behind = sql.raw(descending ? '<' : '>');
  const [value, id] = after ?? [];
  if (by === 'id') {
    // By the id alone: only so whole partitions are left out.
    const ordered = query.orderBy(orders.id, direction).limit(limit);
    return after === undefined ? ordered : ordered.where(sql<boolean>`${orders.id} ${behind} ${id}`);
  }
  const ordered = query.orderBy(column, direction).orderBy(orders.id, direction).limit(limit);
  if (after === undefined) return ordered;
  return ordered.where(sql<boolean>`(${column}, ${orders.id}) ${behind} (${value}, ${id})`);
}

/** Lists whose ids order by time: the newest, or the oldest, first, from behind the id `after`. */
export const byId = (after: string | number | null | undefined, descending = true): Keyset<'id'> => ({
  by: 'id',
  descending,
  ...(after === undefined || after === null ? {} : { after: [after, after] }),
});
