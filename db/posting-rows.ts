import type { PostingRefusal } from '../domain/internal-posting.ts';
import { responseOf } from '../domain/response-code.ts';
import { advance, EMPTY_FOLD, type EventKind, type Movement, wireStatus } from '../domain/transaction.ts';
import { type AuditAction, audit } from './audit-log.ts';
import { callerOf, newId, nowOf, type Trx } from './atomically.ts';
import { emit } from './outbox.ts';

/** A transaction with one event, as a posting leaves it; `refused` null = it moved money. */
export interface PostedTransaction {
  readonly programme: { readonly partnerId: number; readonly programmeId: number };
  readonly type: string;
  readonly category: 'CREDIT' | 'DEBIT';
  readonly adjustmentKind?: string;
  readonly resource: string;
  readonly customerId?: number | null;
  readonly corporationId?: string | null;
  readonly balanceId?: string | null;
  readonly partnerBalanceId?: string | null;
  readonly externalId: string;
  /** The lifecycle it refers to, and the number by which it does. */
  readonly reference?: { readonly id: string | null; readonly externalId: string | null } | null;
  readonly amount: number;
  readonly currency: string;
  readonly refused: PostingRefusal | null;
  /** Of a posting that moved money: why it was made. */
  readonly reason?: string;
  readonly description: string;
  readonly transactionData?: Readonly<Record<string, unknown>>;
  /** Available before and after; null where no balance has them. */
  readonly before: number | null;
  readonly after: number | null;
  readonly event: Extract<EventKind, 'POSTING' | 'CORRECTION'>;
  readonly action: Extract<AuditAction, 'transaction.posted' | 'partner_balance.posted' | 'balance.adjusted'>;
  /** Beside type, amount and result, what the audit row says. */
  readonly audited?: Readonly<Record<string, unknown>>;
  readonly tellPartner: boolean;
}

/** Writes the transaction, its event, what the partner is told, and the audit row; answers its id. */
export async function insertPosting(trx: Trx, posted: PostedTransaction): Promise<string> {
  const { programme, refused } = posted;
  const id = newId(trx);
  const result = refused?.description ?? 'APPROVED';
  const reason = refused === null ? (posted.reason ?? null) : refused.reason;
  const data = posted.transactionData ?? {};
  const fold = advance(EMPTY_FOLD, movementOf(trx, posted));
  await trx
    .insertInto('transactions')
    .values({
      id,
      partner_id: programme.partnerId,
      programme_id: programme.programmeId,
      state: fold.state,
      cleared: fold.cleared,
      event_count: fold.eventCount,
      cleared_at: fold.state === 'CLEARED' ? nowOf(trx) : null,
      type: posted.type,
      category: posted.category,
      adjustment_kind: posted.adjustmentKind ?? null,
      resource: posted.resource,
      customer_id: posted.customerId ?? null,
      corporation_id: posted.corporationId ?? null,
      balance_id: posted.balanceId ?? null,
      partner_balance_id: posted.partnerBalanceId ?? null,
      external_id: posted.externalId,
      reference_external_id: posted.reference?.externalId ?? null,
      related_id: posted.reference?.id ?? null,
      amount: posted.amount,
      currency: posted.currency,
      result,
      reason,
      decided_by: null,
      description: posted.description,
      occurred_at: nowOf(trx),
      rrn: textOf(data, 'retrievalReferenceNumber'),
      last_four_digits: textOf(data, 'lastFourDigits'),
      transaction_data: JSON.stringify(data),
      balance_before: posted.before,
      balance_after: posted.after,
    })
    .execute();
  const caller = callerOf(trx);
  await trx
    .insertInto('transaction_events')
    .values({
      transaction_id: id,
      seq: 1,
      partner_id: programme.partnerId,
      kind: posted.event,
      status: wireStatus(fold.state),
      result,
      reason,
      request_id: caller.requestId,
      actor: `${caller.actor.type}:${caller.actor.id}`,
    })
    .execute();
  if (posted.tellPartner) {
    await emit(trx, programme, { kind: 'transaction.changed', transactionId: id, eventSeq: 1 });
  }
  await audit(trx, {
    action: posted.action,
    objectType: 'transaction',
    objectId: id,
    result: refused === null ? 'OK' : 'DENIED',
    after: { type: posted.type, amount: posted.amount, result, ...posted.audited },
    partnerId: programme.partnerId,
  });
  return id;
}

function movementOf(trx: Trx, { amount, refused }: PostedTransaction): Movement {
  if (refused === null) return { kind: 'post', amount, atMs: nowOf(trx).getTime() };
  const invalid = responseOf(refused.description, refused.reason).processingStatus === 'INVALID';
  return { kind: 'refuse', state: invalid ? 'INVALID' : 'DECLINED' };
}

const textOf = (data: Readonly<Record<string, unknown>>, name: string): string | null =>
  typeof data[name] === 'string' ? data[name] : null;
