import type { Call } from '../route.ts';
import type { OperatorPrincipal } from '../operator-principal.ts';
import { readPage } from '../pagination.ts';

type ListCall = Pick<Call<OperatorPrincipal, unknown, unknown, unknown>, 'principal' | 'services'>;

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
  { operation, filters, page, read, positionOf, toItem }: Listing<Row, Item>,
): Promise<{ items: Item[]; nextCursor: string | null }> =>
  readPage(
    services.vault,
    { principal: principal.operatorId, operation, filters },
    page,
    services.nowMs(),
    read,
    positionOf,
    toItem,
  );

/** `programme` or `programmeId` of a filter as inner ids: all of the operator's scope without one, none of another's. */
export const programmesNamed = (principal: OperatorPrincipal, publicId: string | undefined): number[] =>
  principal.programmes
    .filter((one) => publicId === undefined || one.publicId === publicId)
    .map((one) => one.programmeId);
