import { sql } from 'kysely';
import { type AdjustmentReason, type AdjustmentRule, ADJUSTMENTS } from '../domain/adjustment.ts';
import { Refusal } from '../domain/errors.ts';
import { availableOf } from '../domain/ledger.ts';
import { sumFits } from '../domain/money.ts';
import { PROVISIONAL } from '../domain/presentment.ts';
import type { Trx } from './atomically.ts';
import { type LockedBalance, lockBalances } from './books.ts';
import { movesCustomer, postByHand } from './hand-postings.ts';
import { findProgramme } from './partners.ts';
import { refusalOf, refuseExternal } from './postings.ts';
import { resolveReference } from './references.ts';

/** Money moved by an operator, by hand (money 4.6; rows 12, 14, 32, 33). */
export interface Adjustment {
  readonly balanceId: string;
  readonly category: 'CREDIT' | 'DEBIT';
  /** Minor units. */
  readonly amount: number;
  readonly currency: string;
  readonly reason: AdjustmentReason;
  /** For people; kept in the audit row. */
  readonly note: string;
  /** The transaction of the same balance that it is about. */
  readonly referenceId?: string | null;
  /** The operator's number for it. */
  readonly externalId: string;
}

const TITLES: Readonly<Record<AdjustmentReason, string>> = {
  GOODWILL: 'Goodwill',
  CORRECTION: 'Correction',
  WRITE_OFF: 'Write-off',
  PROVISIONAL_CREDIT: 'Provisional credit',
  CHARGEBACK_LOST: 'Chargeback lost',
};

/**
 * Books an adjustment with its transaction, event, transfers, outbox and audit rows; answers the transaction's
 * id. What it leaves below zero, or moves on a closed balance, is put before people. Only CORRECTION and
 * CHARGEBACK_LOST take a balance below zero; WRITE_OFF gives no more than is missing. Throws
 * `BALANCE_NOT_FOUND`, `TRANSACTION_NOT_FOUND`, `CURRENCY_MISMATCH`, `INVALID_AMOUNT`, `INSUFFICIENT_FUNDS`,
 * `STATE_CONFLICT` for a direction that the reason does not have, `SERVICE_UNAVAILABLE` for a balance that the
 * partner holds. Engine or owner.
 */
export async function postAdjustment(trx: Trx, adjustment: Adjustment): Promise<string> {
  const { balanceId, category, amount, reason, referenceId } = adjustment;
  // Transactions are locked before balances, by every writer.
  if (reason === 'PROVISIONAL_CREDIT' && referenceId) await markProvisional(trx, referenceId);
  const balance = (await lockBalances(trx, [balanceId])).get(balanceId);
  if (balance === undefined) throw new Refusal('BALANCE_NOT_FOUND', 'There is no such balance.');
  refuseExternal(balance);
  const rule = ADJUSTMENTS[reason];
  const event = rule[category];
  if (event === undefined) {
    throw new Refusal('STATE_CONFLICT', `The reason ${reason} has no ${category.toLowerCase()}.`);
  }
  const programme = await findProgramme(trx, balance.programme_id);
  if (programme === undefined) throw new Error('a balance names a programme that does not exist');
  refuseAdjustment(adjustment, balance, rule, movesCustomer(event, programme));
  const reference = referenceId ? await referenceOf(trx, balanceId, referenceId) : null;
  return await postByHand(trx, {
    programme,
    balance,
    event,
    type: 'adjustment',
    category,
    adjustmentKind: 'manual',
    amount,
    externalId: adjustment.externalId,
    reference,
    reason,
    description: TITLES[reason],
    transactionData: { adjustmentReasonDescription: 'MANUAL' },
    audited: { note: adjustment.note },
    forced: rule.forced,
  });
}

/** What the network pays later for this purchase belongs to whoever has paid its holder (row 13). */
async function markProvisional(trx: Trx, transactionId: string): Promise<void> {
  await trx
    .updateTable('transactions')
    .set({ flags: sql`array_append(array_remove(coalesce(flags, '{}'), ${PROVISIONAL}), ${PROVISIONAL})` })
    .where('id', '=', transactionId)
    .execute();
}

function refuseAdjustment(
  { category, amount, currency, reason }: Adjustment,
  balance: LockedBalance,
  { forced }: AdjustmentRule,
  moves: boolean,
): void {
  const signed = category === 'CREDIT' ? amount : -amount;
  if (amount <= 0 || (moves && !sumFits(balance.posted, signed))) {
    throw refusalOf({ description: 'INVALID_AMOUNT', reason: null });
  }
  const settled = balance.state !== 'LINKING' && balance.state !== 'UNLINKING';
  const open = balance.state === 'ACTIVE' || balance.state === 'BLOCKED';
  if (!(forced ? settled : open)) throw refusalOf({ description: 'BALANCE_NOT_FOUND', reason: null });
  if (currency !== balance.currency) throw refusalOf({ description: 'CURRENCY_MISMATCH', reason: null });
  if (reason === 'WRITE_OFF' && amount > -balance.posted) {
    throw new Refusal('INVALID_AMOUNT', 'Only what the balance is below zero can be written off.');
  }
  if (category === 'DEBIT' && !forced && availableOf(balance) < amount) {
    throw refusalOf({ description: 'INSUFFICIENT_FUNDS', reason: null });
  }
}

async function referenceOf(trx: Trx, balanceId: string, id: string) {
  const { found } = await resolveReference(trx, balanceId, { id });
  if (found === null) throw new Refusal('TRANSACTION_NOT_FOUND', 'The balance has no such transaction.');
  return found;
}
