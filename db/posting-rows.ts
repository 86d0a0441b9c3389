import { sql } from 'kysely';
import { availableOf, type Transfer } from '../domain/ledger.ts';
import type { Description } from '../domain/response-code.ts';
import { advance, EMPTY_FOLD, type Movement, wireStatus } from '../domain/transaction.ts';
import { audit } from './audit-log.ts';
import { callerOf, nowOf, type Trx } from './atomically.ts';
import type { AccountScope } from './ledger.ts';
import { emit } from './outbox.ts';
import type { Programme } from './partners.ts';

/** A partner balance as a posting needs it. */
export interface PartnerBalanceValue {
  readonly partner_balance_id: string;
  readonly account_id: number;
  readonly enforced: boolean;
  readonly posted: number;
  readonly held: number;
}

/** Locks the partner balance of a programme, kind and currency; null when it was never opened. */
export async function lockPartnerBalance(
  trx: Trx,
  { programmeId, kind, currency }: Omit<AccountScope, 'partnerId'> & { kind: 'credit' | 'deposit' },
): Promise<PartnerBalanceValue | null> {
  const row = await trx
    .selectFrom('partner_balances')
    .select(['partner_balance_id', 'account_id', 'enforced', 'posted', 'held'])
    .where('programme_id', '=', programmeId)
    .where('kind', '=', kind)
    .where('currency', '=', currency)
    .forNoKeyUpdate()
    .executeTakeFirst();
  return row ?? null;
}

/** Writes the value of a locked partner balance after one entry. */
export async function setPartnerBalance(
  trx: Trx,
  partnerBalanceId: string,
  value: { readonly posted: number; readonly held: number },
): Promise<void> {
  await trx
    .updateTable('partner_balances')
    .set((row) => ({
      posted: value.posted,
      version: sql<number>`${row.ref('version')} + 1`,
      ...(availableOf(value) >= 0 ? { forced_since: null } : {}),
    }))
    .where('partner_balance_id', '=', partnerBalanceId)
    .execute();
}

/** Columns of a transaction whose only event is `movement`. */
export function foldColumns(trx: Trx, movement: Movement) {
  const fold = advance(EMPTY_FOLD, movement);
  return {
    state: fold.state,
    cleared: fold.cleared,
    event_count: fold.eventCount,
    cleared_at: fold.state === 'CLEARED' ? nowOf(trx) : null,
  };
}

/** A transfer with its accounts, and their values after it where they have one. */
export interface StoredTransfer {
  readonly transactionId: string;
  readonly partnerId: number;
  readonly transfer: Transfer;
  readonly debitAccount: number;
  readonly creditAccount: number;
  readonly currency: string;
  readonly debitAfter: number | null;
  readonly creditAfter: number | null;
}

/** Writes the one transfer of a posting. */
export async function insertTransfer(trx: Trx, stored: StoredTransfer): Promise<void> {
  const { transfer } = stored;
  await trx
    .insertInto('ledger_transfers')
    .values({
      transaction_id: stored.transactionId,
      event_seq: 1,
      seq: transfer.seq,
      partner_id: stored.partnerId,
      debit_account: stored.debitAccount,
      credit_account: stored.creditAccount,
      amount: transfer.amount,
      currency: stored.currency,
      state: transfer.state,
      of_event_seq: null,
      of_seq: null,
      debit_after: stored.debitAfter,
      credit_after: stored.creditAfter,
    })
    .execute();
}

/** How a posting ended, in the words of a transaction. */
export interface PostingOutcome {
  readonly description: Description;
  readonly reason: string | null;
}

/** The event row, what the partner is told, and the audit row. */
export async function finishPosting(
  trx: Trx,
  programme: Pick<Programme, 'partnerId' | 'programmeId'>,
  transactionId: string,
  { description: result, reason }: PostingOutcome,
  posting: { readonly amount: number; readonly type: string },
  action: 'transaction.posted' | 'partner_balance.posted' = 'transaction.posted',
  tellPartner = true,
): Promise<void> {
  const caller = callerOf(trx);
  const state = result === 'APPROVED' ? 'CLEARED' : 'DECLINED';
  await trx
    .insertInto('transaction_events')
    .values({
      transaction_id: transactionId,
      seq: 1,
      partner_id: programme.partnerId,
      kind: 'POSTING',
      status: wireStatus(state),
      result,
      reason,
      request_id: caller.requestId,
      actor: `${caller.actor.type}:${caller.actor.id}`,
    })
    .execute();
  if (tellPartner) await emit(trx, programme, { kind: 'transaction.changed', transactionId, eventSeq: 1 });
  await audit(trx, {
    action,
    objectType: 'transaction',
    objectId: transactionId,
    result: result === 'APPROVED' ? 'OK' : 'DENIED',
    after: { type: posting.type, amount: posting.amount, result },
    partnerId: programme.partnerId,
  });
}
