import { audit } from '../../db/audit-log.ts';
import type { Trx } from '../../db/atomically.ts';
import type { Keyset } from '../../db/keyset.ts';
import { Refusal, type RefusalCode } from '../../domain/errors.ts';
import { csvCell } from '../../domain/user-import.ts';
import type { OperatorPrincipal } from '../operator-principal.ts';
import { readPage } from '../pagination.ts';
import type { Answer, Call } from '../route.ts';
import { page, word } from '../schemas/shared.ts';

export type ListCall = Pick<Call<OperatorPrincipal, unknown, unknown, unknown>, 'principal' | 'services'>;

interface Listing<Row, Item> {
  readonly operation: string;
  /** Path and filters: a cursor of another list is refused. */
  readonly filters: unknown;
  readonly page: { readonly limit: number; readonly cursor?: string | undefined };
  readonly read: (before: string | undefined, limit: number) => Promise<readonly Row[]>;
  readonly positionOf: (row: Row) => string | number;
  readonly toItem: (row: Row) => Item;
}

/** One page of a list for the operator of `call` (channels 6). Throws `INVALID_CURSOR`. */
export const operatorPage = <Row, Item>(
  { principal, services }: ListCall,
  { operation, filters, page: asked, read, positionOf, toItem }: Listing<Row, Item>,
): Promise<{ items: Item[]; nextCursor: string | null }> =>
  readPage(
    services.vault,
    { principal: principal.operatorId, operation, filters },
    asked,
    services.nowMs(),
    read,
    positionOf,
    toItem,
  );

/** `limit`, `cursor`, `sort`, `format` of a list that may be sorted by the fields named (administration 1). */
export const listQuery = (...by: readonly [string, ...string[]]) => ({
  ...page,
  sort: word([...by, ...by.map((one) => `-${one}`)] as [string, ...string[]]).optional(),
  format: word(['csv']).optional(),
});

/** What such a list may be refused with. */
export const LIST_REFUSALS = ['INVALID_CURSOR', 'TOO_LARGE'] as const satisfies readonly RefusalCode[];

interface Asked {
  readonly limit: number;
  readonly cursor?: string | undefined;
  readonly sort?: string | undefined;
  readonly format?: 'csv' | undefined;
}

/** How a list is read, sorted and shown. */
export interface ListOf<Row, By extends string> {
  readonly operation: string;
  /** Path and filters: a cursor of another list is refused. */
  readonly filters: Readonly<Record<string, unknown>>;
  readonly asked: Asked;
  /** Order when none is asked for. */
  readonly usual?: `-createdAt` | 'createdAt';
  /** The orders of the wire by those of the database; `createdAt` is the order of ids. */
  readonly orders: Readonly<Record<string, By | 'id'>>;
  readonly read: (order: Keyset<By | 'id'>, limit: number) => Promise<readonly Row[]>;
  readonly idOf: (row: Row) => string | number;
  /** What a row is sorted by in the orders that are not by id. */
  readonly sortValue?: (row: Row, by: By) => string | number;
  readonly present: (rows: readonly Row[]) => Promise<readonly object[]> | readonly object[];
  /** Columns of the CSV file, by their names in the items: the page's. */
  readonly columns: readonly string[];
}

const MOST_IN_FILE = 10_000;
const BYTE_ORDER_MARK = '\uFEFF';

/**
 * A list in the order asked for, as a page or as a CSV file of all that the filters let through (administration 1),
 * which leaves an audit row. Throws `INVALID_CURSOR`, and `TOO_LARGE` for a file of more than 10,000 rows.
 */
export async function listAnswer<Row, By extends string = never>(
  trx: Trx,
  call: ListCall,
  listing: ListOf<Row, By>,
): Promise<Answer> {
  const { operation, filters, asked, present, idOf } = listing;
  const order = orderOf(listing);
  if (asked.format === 'csv') {
    const rows = await listing.read(order, MOST_IN_FILE + 1);
    if (rows.length > MOST_IN_FILE) {
      throw new Refusal('TOO_LARGE', 'A file may have 10,000 rows. Narrow the filters, or make a report.');
    }
    const used = Object.keys(filters).filter((name) => filters[name] !== undefined);
    await audit(trx, {
      action: 'list.exported',
      objectType: 'list',
      objectId: operation,
      // Values may name somebody.
      after: { filters: used, rows: rows.length },
    });
    return {
      status: 200,
      csv: csvOf(await present(rows), listing.columns),
      headers: { 'Content-Disposition': `attachment; filename="${operation}.csv"` },
    };
  }
  const found = await operatorPage(call, {
    operation,
    filters: { ...filters, sort: asked.sort },
    page: asked,
    read: (after, limit) => listing.read({ ...order, ...positionIn(after) }, limit),
    positionOf: (row) => {
      const { by } = order;
      const value = by === 'id' || listing.sortValue === undefined ? idOf(row) : listing.sortValue(row, by);
      return JSON.stringify([value, idOf(row)]);
    },
    toItem: (row) => row,
  });
  return { status: 200, body: { items: await present(found.items), nextCursor: found.nextCursor } };
}

function orderOf<By extends string>({
  asked,
  usual = '-createdAt',
  orders,
}: Pick<ListOf<never, By>, 'asked' | 'usual' | 'orders'>): Keyset<By | 'id'> {
  const sort = asked.sort ?? usual;
  const descending = sort.startsWith('-');
  return { by: orders[descending ? sort.slice(1) : sort] ?? 'id', descending };
}

const positionIn = (after: string | undefined) =>
  after === undefined ? {} : { after: JSON.parse(after) as [string | number, string | number] };

function csvOf(items: readonly object[], columns: readonly string[]): string {
  const lines = items.map((item) => {
    const cells = new Map<string, unknown>(Object.entries(item));
    return columns.map((column) => csvCell(cellOf(cells.get(column)))).join(',');
  });
  return [`${BYTE_ORDER_MARK}${columns.join(',')}`, ...lines, ''].join('\r\n');
}

function cellOf(value: unknown): string | number | null {
  if (value === null || value === undefined) return null;
  if (Array.isArray(value)) return value.map(String).join('|');
  if (typeof value === 'object') return JSON.stringify(value);
  return typeof value === 'number' ? value : String(value as string | boolean);
}

/** `programme` or `programmeId` of a filter as inner ids: all of the operator's scope without one, none of another's. */
export const programmesNamed = (principal: OperatorPrincipal, publicId: string | undefined): number[] =>
  principal.programmes
    .filter((one) => publicId === undefined || one.publicId === publicId)
    .map((one) => one.programmeId);
