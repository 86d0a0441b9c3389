import { invalid, Refusal } from '../domain/errors.ts';
import { lockReasonOf, mayEndByItself } from '../domain/transactional-lock.ts';
import { nowOf, type Trx } from './atomically.ts';
import type { Corporation } from './corporations.ts';
import type { Customer } from './customers.ts';
import { isCompanySanctioned } from './kyb-screening.ts';
import { customerSubject, hitSummary } from './screening.ts';
import {
  addTransactionalLock,
  locksOf,
  originsOf,
  removeTransactionalLock,
  type TransactionalLock,
} from './transactional-locks.ts';

/**
 * What partners and operators ask about the transactional locks of a customer or corporation whose row the caller
 * holds (onboarding 7); what the platform adds and lifts by itself is in transactional-locks.ts.
 */

/** A customer held by `lockCustomer`, or a corporation held by `holdCorporation`. */
export type Lockable = Customer | Corporation;

export interface LockRequest {
  readonly reason: string;
  readonly origin: 'OPERATOR' | 'PARTNER';
  readonly note: string | null;
  /** Only for TEMPORARY_LOCKED, and in the future. */
  readonly until: Date | null;
}

/**
 * Adds a lock; `THERE` when this origin holds the reason already. Throws `VALIDATION_ERROR` for an unknown reason
 * or a wrong `until`, `STATE_CONFLICT` for a deleted resource.
 */
export async function requestLock(
  trx: Trx,
  lockable: Lockable,
  request: LockRequest,
): Promise<{ readonly outcome: 'ADDED' | 'THERE'; readonly lock: TransactionalLock }> {
  const reason = await knownReason(trx, lockable, request.reason);
  if (reason === null) throw invalid([{ field: 'lockReason', message: 'is not a known reason' }]);
  const { until } = request;
  if (until !== null && !mayEndByItself(reason)) {
    throw invalid([{ field: 'until', message: 'is for TEMPORARY_LOCKED only' }]);
  }
  if (until !== null && until <= nowOf(trx)) {
    throw invalid([{ field: 'until', message: 'must be in the future' }]);
  }
  if (lockable.state === 'DELETED') throw new Refusal('STATE_CONFLICT', 'It is deleted.');
  const outcome = await addTransactionalLock(trx, lockable, { ...request, reason });
  const held = (await locksOf(trx, lockable)).find(
    (one) => one.reason === reason && one.origin === request.origin,
  );
  if (held === undefined) throw new Error('a lock that was added is missing');
  return { outcome, lock: held };
}

/**
 * Removes the partner's own hold on a reason. Throws `LOCK_REASON_NOT_FOUND` when nobody holds it,
 * `LOCK_REASON_NOT_REMOVABLE` when only others do.
 */
export async function liftLockAsPartner(trx: Trx, lockable: Lockable, reasonSent: string): Promise<void> {
  const { reason, origins } = await heldReason(trx, lockable, reasonSent);
  if (!origins.includes('PARTNER')) {
    throw new Refusal('LOCK_REASON_NOT_REMOVABLE', 'This reason was not added by the partner.');
  }
  await removeTransactionalLock(trx, lockable, { reason, origin: 'PARTNER' });
}

/**
 * Removes all holds on a reason, as an operator may. Throws `LOCK_REASON_NOT_FOUND`, and
 * `LOCK_REASON_NOT_REMOVABLE` for SCREENING_DETECTED while a sanction hit is open or confirmed.
 */
export async function liftLockAsOperator(
  trx: Trx,
  lockable: Lockable,
  reasonSent: string,
  note: string | null,
): Promise<void> {
  const { reason, origins } = await heldReason(trx, lockable, reasonSent);
  if (reason === 'SCREENING_DETECTED' && (await isSanctioned(trx, lockable))) {
    throw new Refusal('LOCK_REASON_NOT_REMOVABLE', 'A hit on a sanction list is open or confirmed.');
  }
  for (const origin of origins) await removeTransactionalLock(trx, lockable, { reason, origin, note });
}

const isSanctioned = async (trx: Trx, lockable: Lockable): Promise<boolean> =>
  'customerId' in lockable
    ? (await hitSummary(trx, customerSubject(lockable.customerId))).sanction
    : await isCompanySanctioned(trx, lockable.corporationId);

async function heldReason(trx: Trx, lockable: Lockable, sent: string) {
  const reason = await knownReason(trx, lockable, sent);
  const origins = reason === null ? [] : await originsOf(trx, lockable, reason);
  if (reason === null || origins.length === 0) {
    throw new Refusal('LOCK_REASON_NOT_FOUND', 'There is no lock for this reason.');
  }
  return { reason, origins };
}

async function knownReason(trx: Trx, { programmeId }: Lockable, sent: string): Promise<string | null> {
  const { extra_lock_reasons: extra } = await trx
    .selectFrom('programmes')
    .select('extra_lock_reasons')
    .where('programme_id', '=', programmeId)
    .executeTakeFirstOrThrow();
  return lockReasonOf(sent, extra);
}
