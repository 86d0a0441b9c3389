import { isActive } from '../domain/customer.ts';
import { Refusal } from '../domain/errors.ts';
import { type AuditAction, audit } from './audit-log.ts';
import { nowOf, type Trx } from './atomically.ts';
import { endSessions } from './customer-sessions.ts';
import type { Customer } from './customers.ts';
import { openDefaultBalance } from './default-balance.ts';
import { unpairAllDevices } from './devices.ts';
import { startWorkflow } from './outbox.ts';
import { refuseUnsettled } from './removal-guards.ts';

/**
 * Locks a customer held by `lockCustomer`: from the commit on, authorizations and postings of theirs decline
 * (onboarding 1), and their sessions are over. One who is locked already stays as they are. Throws `STATE_CONFLICT` for a deleted one.
 */
export async function markLocked(trx: Trx, customer: Customer, reason: string | null): Promise<void> {
  if (customer.state === 'DELETED') throw deleted();
  if (!isActive(customer.state)) return;
  const before = customer.state === 'VERIFIED' ? 'VERIFIED' : 'UNVERIFIED';
  await changeState(trx, customer, { state: 'LOCKED', state_before_lock: before }, 'customer.locked', reason);
  await endSessions(trx, { customerId: customer.customerId }, 'USER_LOCKED');
}

/**
 * Gives a locked customer the earlier state back, and the default balance that the lock kept from them (onboarding
 * 6.4); one who is not locked stays as they are. Throws `STATE_CONFLICT`.
 */
export async function markUnlocked(
  trx: Trx,
  customer: Customer,
  reason: string | null = null,
): Promise<void> {
  if (customer.state === 'DELETED') throw deleted();
  if (customer.state !== 'LOCKED') return;
  const earlier = customer.stateBeforeLock ?? 'UNVERIFIED';
  await changeState(trx, customer, { state: earlier, state_before_lock: null }, 'customer.unlocked', reason);
  await openDefaultBalance(trx, customer.customerId);
}

/**
 * Deletes a customer held by `lockCustomer` (onboarding 2): phone, e-mail and externalId are free again, and nothing
 * of theirs moves money anew, and their devices are unpaired. Cards, balances and a running verification end by the
 * workflow `customer-removal`. One who is deleted already stays as they are. Throws the refusals of `refuseUnsettled`.
 */
export async function deleteCustomer(trx: Trx, customer: Customer): Promise<void> {
  if (customer.state === 'DELETED') return;
  await refuseUnsettled(trx, { customerId: customer.customerId });
  await changeState(trx, customer, { state: 'DELETED', state_before_lock: null }, 'customer.deleted', null);
  const { customerId } = customer;
  await unpairAllDevices(trx, customerId);
  await startWorkflow(trx, customer, {
    workflow: 'customer-removal',
    id: `customer-removal:${customerId}`,
    input: { customerId },
  });
}

const deleted = () => new Refusal('STATE_CONFLICT', 'The user is deleted.');

async function changeState(
  trx: Trx,
  customer: Customer,
  change: Pick<Customer, 'state'> & { readonly state_before_lock: Customer['stateBeforeLock'] },
  action: AuditAction,
  reason: string | null,
): Promise<void> {
  await trx
    .updateTable('customers')
    .set((set) => ({ ...change, version: set('version', '+', 1), updated_at: nowOf(trx) }))
    .where('customer_id', '=', customer.customerId)
    .execute();
  await audit(trx, {
    action,
    objectType: 'customer',
    objectId: customer.customerId,
    before: { state: customer.state },
    after: { state: change.state, ...(reason === null ? {} : { reason }) },
    partnerId: customer.partnerId,
  });
}
