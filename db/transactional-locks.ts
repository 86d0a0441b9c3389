import { sql } from 'kysely';
import type { LockOrigin, LockReason } from '../domain/transactional-lock.ts';
import { audit } from './audit-log.ts';
import { nowOf, type Trx } from './atomically.ts';
import { openDefaultBalance } from './default-balance.ts';

/** A customer as far as locks need one. */
interface LockedCustomer {
  readonly customerId: number;
  readonly partnerId: number;
}

interface Hold {
  readonly reason: LockReason;
  readonly origin: LockOrigin;
}

/** Distinct reasons that lock a customer, in the order of the alphabet. */
export async function lockReasonsOf(
  trx: Trx,
  customerIds: readonly number[],
): Promise<Map<number, string[]>> {
  const reasons = new Map<number, string[]>(customerIds.map((id) => [id, []]));
  if (customerIds.length === 0) return reasons;
  const rows = await trx
    .selectFrom('transactional_locks')
    .select(['resource_id', 'lock_reason'])
    .distinct()
    .where('resource_type', '=', 'user')
    .where('resource_id', 'in', customerIds.map(String))
    .orderBy('lock_reason')
    .execute();
  for (const row of rows) reasons.get(Number(row.resource_id))?.push(row.lock_reason);
  return reasons;
}

/** Adds one origin's hold on a reason (onboarding 7); one that is there already stays as it is. */
export async function addTransactionalLock(
  trx: Trx,
  customer: LockedCustomer,
  lock: Hold & { readonly note?: string; readonly until?: Date },
): Promise<'ADDED' | 'THERE'> {
  await holdRow(trx, customer);
  const inserted = await trx
    .insertInto('transactional_locks')
    .values({
      resource_type: 'user',
      resource_id: String(customer.customerId),
      lock_reason: lock.reason,
      origin: lock.origin,
      partner_id: customer.partnerId,
      note: lock.note ?? null,
      until: lock.until ?? null,
      added_at: nowOf(trx),
    })
    .onConflict((conflict) => conflict.doNothing())
    .executeTakeFirst();
  if (Number(inserted.numInsertedOrUpdatedRows ?? 0) === 0) return 'THERE';
  await recount(trx, customer);
  await record(trx, customer, 'transactional_lock.added', lock);
  return 'ADDED';
}

/**
 * Removes one origin's hold on a reason; a reason that is not held is no fault. When the last reason goes, the
 * default balance that the lock postponed is opened (onboarding 6.4).
 */
export async function removeTransactionalLock(
  trx: Trx,
  customer: LockedCustomer,
  lock: Hold,
): Promise<'REMOVED' | 'NOT_THERE'> {
  await holdRow(trx, customer);
  const deleted = await trx
    .deleteFrom('transactional_locks')
    .where('resource_type', '=', 'user')
    .where('resource_id', '=', String(customer.customerId))
    .where('lock_reason', '=', lock.reason)
    .where('origin', '=', lock.origin)
    .executeTakeFirst();
  if (Number(deleted.numDeletedRows) === 0) return 'NOT_THERE';
  const left = await recount(trx, customer);
  await record(trx, customer, 'transactional_lock.removed', lock);
  if (left === 0) await openDefaultBalance(trx, customer.customerId);
  return 'REMOVED';
}

// The count is made by a later statement than the row lock, so that it sees what a transaction before us did.
async function holdRow(trx: Trx, customer: LockedCustomer): Promise<void> {
  await trx
    .selectFrom('customers')
    .select('customer_id')
    .where('customer_id', '=', customer.customerId)
    .forNoKeyUpdate()
    .executeTakeFirstOrThrow();
}

async function recount(trx: Trx, { customerId }: LockedCustomer): Promise<number> {
  const row = await trx
    .updateTable('customers')
    .set({
      transactional_locks: sql<number>`(select count(distinct lock_reason)::int from transactional_locks
        where resource_type = 'user' and resource_id = ${String(customerId)})`,
      updated_at: nowOf(trx),
    })
    .where('customer_id', '=', customerId)
    .returning('transactional_locks')
    .executeTakeFirstOrThrow();
  return row.transactional_locks;
}

async function record(
  trx: Trx,
  customer: LockedCustomer,
  action: 'transactional_lock.added' | 'transactional_lock.removed',
  lock: Hold,
): Promise<void> {
  await audit(trx, {
    action,
    objectType: 'customer',
    objectId: customer.customerId,
    partnerId: customer.partnerId,
    after: { reason: lock.reason, origin: lock.origin },
  });
}
