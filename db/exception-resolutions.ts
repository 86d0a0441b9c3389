import { Refusal, invalid } from '../domain/errors.ts';
import { adjustmentOf, type Resolution } from '../domain/exception-resolution.ts';
import { holdReleaseId } from '../domain/hold-release.ts';
import { directionOf, type RecordType } from '../domain/presentment-record.ts';
import { postAdjustment } from './adjustments.ts';
import type { Trx } from './atomically.ts';
import { lockBalances } from './books.ts';
import type { ExceptionRow } from './exceptions.ts';
import { postByHand } from './hand-postings.ts';
import { startWorkflow } from './outbox.ts';
import { findProgramme } from './partners.ts';

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
  /** REASSIGN: the card that the record belongs to. */
  readonly cardId: number | null;
}

/** ADJUST (#32) and WRITE_OFF (#33) on the balance of the exception's transaction; answers the posting. */
export async function adjustBalance(
  trx: Trx,
  found: ExceptionRow,
  { resolution, amount, note }: Resolve,
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

/**
 * REASSIGN: a record that came without a card we know is booked on the one that somebody found. Nobody's programme
 * could be named when it came, so both legs of row #34 are booked here at once, which is what rows #8 and #11 say.
 */
export async function reassignRecord(
  trx: Trx,
  found: ExceptionRow,
  { cardId, note }: Resolve,
): Promise<string> {
  if (cardId === null) throw invalid([{ field: 'cardId', message: 'is required with REASSIGN' }]);
  const { recordType, amount, currency, externalTransactionId } = recordOf(found);
  const card = await trx
    .selectFrom('cards')
    .select(['balance_id', 'programme_id'])
    .where('card_id', '=', cardId)
    .executeTakeFirst();
  if (card === undefined) throw new Refusal('CARD_NOT_FOUND', 'There is no such card.');
  const balance = (await lockBalances(trx, [card.balance_id])).get(card.balance_id);
  const programme = await findProgramme(trx, card.programme_id);
  if (balance === undefined || programme === undefined) throw new Error('a card has no balance or programme');
  if (balance.holder === 'external')
    throw new Refusal('SERVICE_UNAVAILABLE', 'The partner holds this balance.');
  if (balance.currency !== currency)
    throw new Refusal('CURRENCY_MISMATCH', 'The balance has another currency.');
  const debit = directionOf(recordType) === 'debit';
  return await postByHand(trx, {
    programme,
    balance,
    event: debit ? 'forcePost' : 'refund',
    type: 'adjustment',
    category: debit ? 'DEBIT' : 'CREDIT',
    adjustmentKind: 'manual',
    amount,
    externalId: externalTransactionId,
    reference: null,
    reason: 'REASSIGNED',
    description: 'Record of an unknown card',
    transactionData: { adjustmentReasonDescription: 'MANUAL' },
    audited: { note, cardId, recordId: found.record_id },
    forced: true,
  });
}

function recordOf({ values }: ExceptionRow) {
  const { recordType, amount, currency, externalTransactionId } = values as Record<string, unknown>;
  const complete =
    typeof recordType === 'string' &&
    typeof amount === 'number' &&
    typeof currency === 'string' &&
    typeof externalTransactionId === 'string';
  if (!complete) throw new Refusal('STATE_CONFLICT', 'The exception does not tell what was to be booked.');
  return { recordType: recordType as RecordType, amount, currency, externalTransactionId };
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
