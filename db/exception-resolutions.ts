import { Refusal, invalid } from '../domain/errors.ts';
import { adjustmentOf, type Resolution } from '../domain/exception-resolution.ts';
import { holdReleaseId } from '../domain/hold-release.ts';
import type { Trx } from './atomically.ts';
import type { ExceptionRow } from './exceptions.ts';
import { startWorkflow } from './outbox.ts';

/** How somebody ends an exception. */
export interface Resolve {
  readonly resolution: Resolution;
  readonly operatorId: string;
  /** Who approved it; money is not moved by one person alone. */
  readonly secondOperatorId: string | null;
  readonly note: string;
  /** LINK: the transaction it belongs to. */
  readonly transactionId: string | null;
  /** ADJUST, WRITE_OFF: minor units of the balance's currency. */
  readonly amount: number | null;
}

/** Postings that a resolution may need; given in, so that the queue knows no ledger. */
export interface MoneyMoves {
  /** Rows 32 and 33: answers the id of the transaction. */
  postAdjustment(trx: Trx, adjustment: ExceptionAdjustment): Promise<string>;
}

export interface ExceptionAdjustment {
  readonly balanceId: string;
  readonly category: 'CREDIT' | 'DEBIT';
  readonly amount: number;
  readonly currency: string;
  readonly reason: 'CORRECTION' | 'WRITE_OFF';
  readonly note: string;
  readonly referenceId: string;
  readonly externalId: string;
}

/** ADJUST (#32) and WRITE_OFF (#33) on the balance of the exception's transaction; answers the posting. */
export async function adjustBalance(
  trx: Trx,
  found: ExceptionRow,
  { resolution, amount, note }: Resolve,
  { postAdjustment }: MoneyMoves,
): Promise<string> {
  if (amount === null || amount <= 0) throw invalid([{ field: 'amount', message: 'must be at least 1' }]);
  const about = await transactionOf(trx, found.transaction_id);
  if (about.balance_id === null) throw notFound();
  const writeOff = resolution === 'WRITE_OFF';
  return await postAdjustment(trx, {
    balanceId: about.balance_id,
    category: writeOff ? 'CREDIT' : (adjustmentOf(found.kind) ?? 'CREDIT'),
    amount,
    currency: about.currency,
    reason: writeOff ? 'WRITE_OFF' : 'CORRECTION',
    note,
    referenceId: about.id,
    externalId: found.exception_id,
  });
}

/**
 * LINK: what was posted by itself is said to belong to another transaction of the same card, and what that one
 * still holds for it is given back.
 */
export async function linkTransaction(
  trx: Trx,
  found: ExceptionRow,
  { transactionId, note, operatorId }: Resolve,
  requestId: string,
): Promise<void> {
  if (transactionId === null) throw invalid([{ field: 'transactionId', message: 'is required with LINK' }]);
  const [first, second] = [found.transaction_id ?? '', transactionId].toSorted();
  if (first === second) throw invalid([{ field: 'transactionId', message: 'must be another transaction' }]);
  const posted = await transactionOf(trx, found.transaction_id);
  const target = await transactionOf(trx, transactionId);
  if (target.card_id !== posted.card_id || target.category !== 'DEBIT') throw notFound();
  await trx
    .updateTable('transactions')
    .set({ related_id: transactionId })
    .where('id', '=', posted.id)
    .execute();
  if (target.held === 0) return;
  const owner = { partnerId: target.partner_id, programmeId: target.programme_id };
  const input = { transactionId, amount: null, reason: note, operatorId, requestId };
  await startWorkflow(trx, owner, { workflow: 'hold-release', id: holdReleaseId(input), input });
}

async function transactionOf(trx: Trx, id: string | null) {
  const row =
    id === null
      ? undefined
      : await trx
          .selectFrom('transactions')
          .select([
            'id',
            'card_id',
            'balance_id',
            'currency',
            'category',
            'held',
            'partner_id',
            'programme_id',
          ])
          .where('id', '=', id)
          .executeTakeFirst();
  if (row === undefined) throw notFound();
  return row;
}

const notFound = (): Refusal => new Refusal('TRANSACTION_NOT_FOUND', 'There is no such transaction.');
