import { findCard, readCard } from '../db/cards.ts';
import { findBalance } from '../db/balances.ts';
import { findTransaction, listTransactions, type TransactionRow } from '../db/transactions.ts';
import type { Trx } from '../db/atomically.ts';
import { invalid, Refusal } from '../domain/errors.ts';
import { VALID_STATES } from '../domain/transaction.ts';
import { readPage } from './pagination.ts';
import { programmeIds, type Reach } from './reach.ts';
import type { Answer, Call } from './route.ts';
import { dateTime, page, pathIntegerId, text, uuid, word, z } from './schemas/shared.ts';
import { toTransaction } from './schemas/transaction.ts';

// What the channels of partners and of users share of the calls on transactions (money 4.6).

type TransactionCall = Call<Reach, unknown, unknown, unknown>;

const LONGEST_SPAN_MS = 400 * 24 * 60 * 60 * 1000;

/** Query of the lists that an owner reads. */
export const transactionListQuery = z.strictObject({
  ...page,
  from: dateTime().optional(),
  to: dateTime().optional(),
  type: text(1, 64).optional(),
  category: word(['CREDIT', 'DEBIT']).optional(),
  balanceId: uuid().optional(),
  cardId: pathIntegerId().optional(),
  transactionId: text(1, 64).optional(),
});

/** Answers a transaction; with `customerId` only that user's. Throws `TRANSACTION_NOT_FOUND`. */
export async function showTransaction(
  call: TransactionCall,
  look: { readonly transactionId: string; readonly customerId?: number | undefined },
): Promise<Answer> {
  const body = await call.atomically(async (trx) => {
    const row = await findTransaction(trx, look.transactionId, {
      programmeIds: programmeIds(call.principal),
      customerId: look.customerId,
    });
    if (row === undefined) throw new Refusal('TRANSACTION_NOT_FOUND', 'There is no such transaction.');
    return await present(trx, row);
  });
  return { status: 200, body };
}

/**
 * Answers a page of a user's transactions, without those that were no transactions (INVALID). Throws
 * `BALANCE_NOT_FOUND`, `CARD_NOT_FOUND`, `INVALID_CURSOR`.
 */
export async function listTransactionsOf(
  call: TransactionCall,
  customerId: number,
  { limit, cursor, ...filters }: z.output<typeof transactionListQuery>,
): Promise<Answer> {
  refuseSpan(filters.from, filters.to);
  const { transactionId: externalId, ...others } = filters;
  const own = { programmeIds: programmeIds(call.principal), customerId };
  const body = await call.atomically(async (trx) => {
    if (filters.balanceId !== undefined && !(await findBalance(trx, filters.balanceId, own))) {
      throw new Refusal('BALANCE_NOT_FOUND', 'There is no such balance.');
    }
    if (filters.cardId !== undefined && !(await findCard(trx, filters.cardId, own))) {
      throw new Refusal('CARD_NOT_FOUND', 'There is no such card.');
    }
    const found = await readPage(
      call.services.vault,
      {
        principal: call.principal.reader,
        operation: 'listTransactions',
        filters: { customerId, ...filters },
      },
      { limit, cursor },
      call.services.nowMs(),
      (before, most) =>
        listTransactions(trx, { ...own, ...others, externalId, states: VALID_STATES, before, limit: most }),
      (row) => row.id,
      (row) => row,
    );
    const items = [];
    for (const row of found.items) items.push(await present(trx, row));
    return { items, nextCursor: found.nextCursor };
  });
  return { status: 200, body };
}

/** Refuses a span that ends before it begins or is longer than 400 days. Throws `VALIDATION_ERROR`. */
export function refuseSpan(from: Date | undefined, to: Date | undefined): void {
  if (from === undefined || to === undefined) return;
  const span = to.getTime() - from.getTime();
  if (span < 0) throw invalid([{ field: 'to', message: 'must not be before from' }]);
  if (span > LONGEST_SPAN_MS)
    throw invalid([{ field: 'to', message: 'must be at most 400 days after from' }]);
}

async function present(trx: Trx, row: TransactionRow): Promise<ReturnType<typeof toTransaction>> {
  const card = row.card_id === null ? null : await readCard(trx, row.card_id);
  return toTransaction(row, card?.resource_id ?? null);
}
