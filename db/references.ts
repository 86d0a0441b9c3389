import { firstIdAt } from '../domain/ids.ts';
import type { ReferenceResult } from '../domain/internal-posting.ts';
import { nowOf, type Trx } from './atomically.ts';

const OLDEST_MS = 400 * 24 * 60 * 60 * 1000;

/** The transaction a posting refers to, by the caller's number or by our own id, which needs no search. */
export type Reference =
  { readonly externalId: string; readonly id?: never } | { readonly id: string; readonly externalId?: never };

export interface ResolvedReference {
  readonly result: ReferenceResult;
  /** The lifecycle found, where it is one. */
  readonly found: { readonly id: string; readonly externalId: string } | null;
}

/**
 * Looks among the successful transactions of a balance, at most 400 days old, for the one that is referred to:
 * by its own number or that of one of its later events (money 4.4).
 */
export async function resolveReference(
  trx: Trx,
  balanceId: string,
  reference: Reference,
): Promise<ResolvedReference> {
  const oldest = firstIdAt(nowOf(trx).getTime() - OLDEST_MS);
  let query = trx
    .selectFrom('transactions')
    .select(['id', 'external_id'])
    .where('balance_id', '=', balanceId)
    .where('id', '>=', oldest)
    .where('state', 'not in', ['DECLINED', 'INVALID', 'PENDING_PARTNER']);
  const { externalId } = reference;
  if (externalId === undefined) query = query.where('id', '=', reference.id);
  else {
    query = query.where((row) =>
      row.or([
        row('external_id', '=', externalId),
        row.exists(
          row
            .selectFrom('transaction_events')
            .select('transaction_events.seq')
            .whereRef('transaction_events.transaction_id', '=', 'transactions.id')
            .where('transaction_events.transaction_id', '>=', oldest)
            .where('transaction_events.external_id', '=', externalId)
            .where('transaction_events.result', '=', 'APPROVED'),
        ),
      ]),
    );
  }
  const rows = await query.limit(2).execute();
  const [first] = rows;
  if (first === undefined) return { result: 'NONE', found: null };
  if (rows.length > 1) return { result: 'MANY', found: null };
  return { result: 'FOUND', found: { id: first.id, externalId: first.external_id } };
}
