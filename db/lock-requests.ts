import { invalid, Refusal } from '../domain/errors.ts';
import { lockReasonOf, mayEndByItself } from '../domain/transactional-lock.ts';
import { nowOf, type Trx } from './atomically.ts';
import type { Customer } from './customers.ts';
import { customerSubject, hitSummary } from './screening.ts';
import { addTransactionalLock, originsOf, removeTransactionalLock } from './transactional-locks.ts';

/**
 * What partners and operators ask about the transactional locks of a customer held by `lockCustomer`
 * (onboarding 7); what the platform adds and lifts by itself is in transactional-locks.ts.
 */

export interface LockRequest {
  readonly reason: string;
  readonly origin: 'OPERATOR' | 'PARTNER';
  readonly note: string | null;
  /** Only for TEMPORARY_LOCKED, and in the future. */
  readonly until: Date | null;
}

/**
 * Adds a lock; `THERE` when this origin holds the reason already. Throws `VALIDATION_ERROR` for an unknown reason
 * or a wrong `until`, `STATE_CONFLICT` for a deleted customer.
 */
export async function requestLock(
  trx: Trx,
  customer: Customer,
  request: LockRequest,
): Promise<'ADDED' | 'THERE'> {
  const reason = await knownReason(trx, customer, request.reason);
  if (reason === null) throw invalid([{ field: 'lockReason', message: 'is not a known reason' }]);
  const { until } = request;
  if (until !== null && !mayEndByItself(reason)) {
    throw invalid([{ field: 'until', message: 'is for TEMPORARY_LOCKED only' }]);
  }
  if (until !== null && until <= nowOf(trx)) {
    throw invalid([{ field: 'until', message: 'must be in the future' }]);
  }
  if (customer.state === 'DELETED') throw new Refusal('STATE_CONFLICT', 'The user is deleted.');
  return await addTransactionalLock(trx, customer, { ...request, reason });
}

/**
 * Removes the partner's own hold on a reason. Throws `LOCK_REASON_NOT_FOUND` when nobody holds it,
 * `LOCK_REASON_NOT_REMOVABLE` when only others do.
 */
export async function liftLockAsPartner(trx: Trx, customer: Customer, reasonSent: string): Promise<void> {
  const { reason, origins } = await heldReason(trx, customer, reasonSent);
  if (!origins.includes('PARTNER')) {
    throw new Refusal('LOCK_REASON_NOT_REMOVABLE', 'This reason was not added by the partner.');
  }
  await removeTransactionalLock(trx, customer, { reason, origin: 'PARTNER' });
}

/**
 * Removes all holds on a reason, as an operator may. Throws `LOCK_REASON_NOT_FOUND`, and
 * `LOCK_REASON_NOT_REMOVABLE` for SCREENING_DETECTED while a sanction hit is open or confirmed.
 */
export async function liftLockAsOperator(
  trx: Trx,
  customer: Customer,
  reasonSent: string,
  note: string | null,
): Promise<void> {
  const { reason, origins } = await heldReason(trx, customer, reasonSent);
  if (
    reason === 'SCREENING_DETECTED' &&
    (await hitSummary(trx, customerSubject(customer.customerId))).sanction
  ) {
    throw new Refusal('LOCK_REASON_NOT_REMOVABLE', 'A hit on a sanction list is open or confirmed.');
  }
  for (const origin of origins) await removeTransactionalLock(trx, customer, { reason, origin, note });
}

async function heldReason(trx: Trx, customer: Customer, sent: string) {
  const reason = await knownReason(trx, customer, sent);
  const origins = reason === null ? [] : await originsOf(trx, customer, reason);
  if (reason === null || origins.length === 0) {
    throw new Refusal('LOCK_REASON_NOT_FOUND', 'The user is not locked for this reason.');
  }
  return { reason, origins };
}

async function knownReason(trx: Trx, { programmeId }: Customer, sent: string): Promise<string | null> {
  const { extra_lock_reasons: extra } = await trx
    .selectFrom('programmes')
    .select('extra_lock_reasons')
    .where('programme_id', '=', programmeId)
    .executeTakeFirstOrThrow();
  return lockReasonOf(sent, extra);
}
