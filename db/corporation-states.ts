import { Refusal } from '../domain/errors.ts';
import { type AuditAction, audit } from './audit-log.ts';
import { nowOf, type Trx } from './atomically.ts';
import type { Corporation } from './corporations.ts';
import { startWorkflow } from './outbox.ts';
import { refuseUnsettled } from './removal-guards.ts';

/**
 * Locks a corporation held by `holdCorporation`: from the commit on, cards of its balances decline (onboarding 4).
 * One that is locked already stays as it is. Throws `STATE_CONFLICT` for a deleted one.
 */
export async function lockCorporation(
  trx: Trx,
  corporation: Corporation,
  reason: string | null,
): Promise<void> {
  refuseDeleted(corporation);
  if (corporation.state === 'LOCKED') return;
  await changeState(trx, corporation, 'LOCKED', 'corporation.locked', reason);
}

/** Unlocks a corporation; one that is not locked stays as it is. Throws `STATE_CONFLICT` for a deleted one. */
export async function unlockCorporation(trx: Trx, corporation: Corporation): Promise<void> {
  refuseDeleted(corporation);
  if (corporation.state === 'ACTIVE') return;
  await changeState(trx, corporation, 'ACTIVE', 'corporation.unlocked', null);
}

/**
 * Deletes a corporation; one that is deleted already stays as it is. Its taxId and externalId are free again;
 * cards and balances end by the workflow `corporation-removal`. Throws the refusals of `refuseUnsettled`.
 */
export async function deleteCorporation(trx: Trx, corporation: Corporation): Promise<void> {
  if (corporation.state === 'DELETED') return;
  await refuseUnsettled(trx, corporation);
  await changeState(trx, corporation, 'DELETED', 'corporation.deleted', null);
  const { corporationId } = corporation;
  await startWorkflow(trx, corporation, {
    workflow: 'corporation-removal',
    id: `corporation-removal:${corporationId}`,
    input: { corporationId },
  });
}

function refuseDeleted({ state }: Corporation): void {
  if (state === 'DELETED') throw new Refusal('STATE_CONFLICT', 'The corporation is deleted.');
}

async function changeState(
  trx: Trx,
  corporation: Corporation,
  state: Corporation['state'],
  action: AuditAction,
  reason: string | null,
): Promise<void> {
  await trx
    .updateTable('corporations')
    .set((set) => ({ state, version: set('version', '+', 1), updated_at: nowOf(trx) }))
    .where('corporation_id', '=', corporation.corporationId)
    .execute();
  await audit(trx, {
    action,
    objectType: 'corporation',
    objectId: corporation.corporationId,
    before: { state: corporation.state },
    after: { state, ...(reason === null ? {} : { reason }) },
    partnerId: corporation.partnerId,
  });
}

/** Distinct transactional lock reasons of a corporation, in the order of the alphabet. */
export async function corporationLockReasons(trx: Trx, corporationId: string): Promise<string[]> {
  const rows = await trx
    .selectFrom('transactional_locks')
    .select('lock_reason')
    .distinct()
    .where('resource_type', '=', 'corporation')
    .where('resource_id', '=', corporationId)
    .orderBy('lock_reason')
    .execute();
  return rows.map((row) => row.lock_reason);
}
