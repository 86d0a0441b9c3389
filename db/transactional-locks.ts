import { type Selectable, sql } from 'kysely';
import type { LockOrigin } from '../domain/transactional-lock.ts';
import { audit } from './audit-log.ts';
import { nowOf, type Trx } from './atomically.ts';
import type { TransactionalLocksTable } from './database.ts';
import { openDefaultBalance } from './default-balance.ts';
import { emit, type EventOwner } from './outbox.ts';

/** Whose money stands still: a customer or a corporation, as far as locks need one. */
export type LockHolder = (CustomerHolder | CorporationHolder) & { readonly partnerId: number };

interface CustomerHolder {
  readonly customerId: number;
}

interface CorporationHolder {
  readonly corporationId: string;
}

interface Hold {
  /** A reason of the platform or of the programme, as `lockReasonOf` gives it. */
  readonly reason: string;
  readonly origin: LockOrigin;
}

/** One origin's hold on one reason. */
export interface TransactionalLock extends Hold {
  readonly note: string | null;
  readonly until: Date | null;
  readonly addedAt: Date;
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

/** Every hold on a resource, by reason and origin. */
export async function locksOf(trx: Trx, holder: LockHolder): Promise<TransactionalLock[]> {
  const rows = await rowsOf(trx, holder).orderBy('lock_reason').orderBy('origin').execute();
  return rows.map((row) => ({
    reason: row.lock_reason,
    origin: row.origin,
    note: row.note,
    until: row.until,
    addedAt: row.added_at,
  }));
}

/**
 * Adds one origin's hold on a reason (onboarding 7); one that is there already stays as it is. The partner is told
 * of the first hold on a reason.
 */
export async function addTransactionalLock(
  trx: Trx,
  holder: LockHolder,
  lock: Hold & { readonly note?: string | null; readonly until?: Date | null },
): Promise<'ADDED' | 'THERE'> {
  const owner = await holdRow(trx, holder);
  const { type, id } = resourceOf(holder);
  const inserted = await trx
    .insertInto('transactional_locks')
    .values({
      resource_type: type,
      resource_id: id,
      lock_reason: lock.reason,
      origin: lock.origin,
      partner_id: holder.partnerId,
      note: lock.note ?? null,
      until: lock.until ?? null,
      added_at: nowOf(trx),
    })
    .onConflict((conflict) => conflict.doNothing())
    .executeTakeFirst();
  if (Number(inserted.numInsertedOrUpdatedRows ?? 0) === 0) return 'THERE';
  await recount(trx, holder);
  await record(trx, holder, 'transactional_lock.added', lock);
  if ((await originsOf(trx, holder, lock.reason)).length === 1) {
    await tell(trx, owner, holder, 'transactional_lock.added', lock.reason);
  }
  return 'ADDED';
}

/**
 * Removes one origin's hold on a reason, with `dueBy` only one that ends by then; a reason that is not held is no
 * fault. When the last reason goes, the
 * default balance that the lock postponed is opened (onboarding 6.4).
 */
export async function removeTransactionalLock(
  trx: Trx,
  holder: LockHolder,
  lock: Hold & { readonly note?: string | null; readonly dueBy?: Date },
): Promise<'REMOVED' | 'NOT_THERE'> {
  const owner = await holdRow(trx, holder);
  const { type, id } = resourceOf(holder);
  let hold = trx
    .deleteFrom('transactional_locks')
    .where('resource_type', '=', type)
    .where('resource_id', '=', id)
    .where('lock_reason', '=', lock.reason)
    .where('origin', '=', lock.origin);
  if (lock.dueBy !== undefined) hold = hold.where('until', '<=', lock.dueBy);
  const deleted = await hold.executeTakeFirst();
  if (Number(deleted.numDeletedRows) === 0) return 'NOT_THERE';
  const left = await recount(trx, holder);
  await record(trx, holder, 'transactional_lock.removed', lock);
  if ((await originsOf(trx, holder, lock.reason)).length === 0) {
    await tell(trx, owner, holder, 'transactional_lock.removed', lock.reason);
  }
  if (left === 0 && isCustomer(holder)) await openDefaultBalance(trx, holder.customerId);
  return 'REMOVED';
}

/** Origins that hold a reason. */
export async function originsOf(trx: Trx, holder: LockHolder, reason: string): Promise<LockOrigin[]> {
  const rows = await rowsOf(trx, holder).where('lock_reason', '=', reason).execute();
  return rows.map((row) => row.origin);
}

const isCustomer = (holder: LockHolder): holder is CustomerHolder & LockHolder => 'customerId' in holder;

/** Whom a stored lock is about. */
export function lockHolderOf(
  row: Pick<Selectable<TransactionalLocksTable>, 'resource_type' | 'resource_id' | 'partner_id'>,
): LockHolder {
  const partnerId = row.partner_id;
  return row.resource_type === 'user'
    ? { customerId: Number(row.resource_id), partnerId }
    : { corporationId: row.resource_id, partnerId };
}

const resourceOf = (holder: LockHolder) =>
  isCustomer(holder)
    ? { type: 'user' as const, id: String(holder.customerId) }
    : { type: 'corporation' as const, id: holder.corporationId };

function rowsOf(trx: Trx, holder: LockHolder) {
  const { type, id } = resourceOf(holder);
  return trx
    .selectFrom('transactional_locks')
    .selectAll()
    .where('resource_type', '=', type)
    .where('resource_id', '=', id);
}

// The count is made by a later statement than the row lock, so that it sees what a transaction before us did.
async function holdRow(trx: Trx, holder: LockHolder): Promise<EventOwner> {
  const row = isCustomer(holder)
    ? await trx
        .selectFrom('customers')
        .select(['partner_id', 'programme_id'])
        .where('customer_id', '=', holder.customerId)
        .forNoKeyUpdate()
        .executeTakeFirstOrThrow()
    : await trx
        .selectFrom('corporations')
        .select(['partner_id', 'programme_id'])
        .where('corporation_id', '=', holder.corporationId)
        .forNoKeyUpdate()
        .executeTakeFirstOrThrow();
  return { partnerId: row.partner_id, programmeId: row.programme_id };
}

async function recount(trx: Trx, holder: LockHolder): Promise<number> {
  const { type, id } = resourceOf(holder);
  const counted = {
    transactional_locks: sql<number>`(select count(distinct lock_reason)::int from transactional_locks
      where resource_type = ${type} and resource_id = ${id})`,
    updated_at: nowOf(trx),
  };
  const row = isCustomer(holder)
    ? await trx
        .updateTable('customers')
        .set(counted)
        .where('customer_id', '=', holder.customerId)
        .returning('transactional_locks')
        .executeTakeFirstOrThrow()
    : await trx
        .updateTable('corporations')
        .set(counted)
        .where('corporation_id', '=', holder.corporationId)
        .returning('transactional_locks')
        .executeTakeFirstOrThrow();
  return row.transactional_locks;
}

type LockEvent = 'transactional_lock.added' | 'transactional_lock.removed';

async function tell(
  trx: Trx,
  owner: EventOwner,
  holder: LockHolder,
  kind: LockEvent,
  lockReason: string,
): Promise<void> {
  const { type: resourceType, id: resourceId } = resourceOf(holder);
  await emit(trx, owner, { kind, resourceType, resourceId, lockReason, at: nowOf(trx).toISOString() });
}

async function record(
  trx: Trx,
  holder: LockHolder,
  action: LockEvent,
  lock: Hold & { readonly note?: string | null },
): Promise<void> {
  await audit(trx, {
    action,
    objectType: isCustomer(holder) ? 'customer' : 'corporation',
    objectId: isCustomer(holder) ? holder.customerId : holder.corporationId,
    partnerId: holder.partnerId,
    // A note is a person's free text and may name somebody: that there is one is enough here.
    after: { reason: lock.reason, origin: lock.origin, note: (lock.note ?? null) !== null },
  });
}
