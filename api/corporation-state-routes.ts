import { deleteCorporation, lockCorporation, unlockCorporation } from '../db/corporation-states.ts';
import { holdCorporation } from '../db/corporations.ts';
import { type Door, doorOf, operationAt } from './door.ts';
import type { Route } from './route.ts';
import { lockReasonBody, uuid, z } from './schemas/shared.ts';

const change = {
  idempotency: 'accepted',
  params: z.strictObject({ dcCorporationId: uuid() }),
} as const;

/** Lock, unlock and delete corporations (onboarding 4). */
export function corporationStateRoutes<Principal>(door: Door<Principal>): Route[] {
  const lock = door.route({
    ...doorOf(door, 'corporations.write'),
    ...change,
    operation: operationAt(door, 'lockCorporation'),
    method: 'POST',
    path: '/corporations/{dcCorporationId}/lock',
    summary: 'Lock a corporation: all authorizations on its balances decline',
    body: lockReasonBody,
    answers: { 204: { description: 'locked, or already so' } },
    refusals: ['CORPORATION_NOT_FOUND', 'STATE_CONFLICT'],
    handle: (call) =>
      call.once(async (trx) => {
        const ids = door.scope(call.principal);
        const held = await holdCorporation(trx, ids, call.params.dcCorporationId);
        await lockCorporation(trx, held, call.body.reason ?? null);
        return { status: 204 };
      }),
  });

  const unlock = door.route({
    ...doorOf(door, 'corporations.write'),
    ...change,
    operation: operationAt(door, 'unlockCorporation'),
    method: 'POST',
    path: '/corporations/{dcCorporationId}/unlock',
    summary: 'Unlock a corporation',
    answers: { 204: { description: 'unlocked, or already so' } },
    refusals: ['CORPORATION_NOT_FOUND', 'STATE_CONFLICT'],
    handle: (call) =>
      call.once(async (trx) => {
        const ids = door.scope(call.principal);
        await unlockCorporation(trx, await holdCorporation(trx, ids, call.params.dcCorporationId));
        return { status: 204 };
      }),
  });

  const remove = door.route({
    ...doorOf(door, 'corporations.delete'),
    ...change,
    operation: operationAt(door, 'deleteCorporation'),
    method: 'DELETE',
    path: '/corporations/{dcCorporationId}',
    summary: 'Delete a corporation whose balances are at zero',
    answers: { 204: { description: 'deleted, or already so' } },
    refusals: ['CORPORATION_NOT_FOUND', 'BALANCE_NOT_EMPTY', 'BALANCE_HAS_HOLDS', 'PARTNER_UNAVAILABLE'],
    handle: (call) =>
      call.once(async (trx) => {
        const ids = door.scope(call.principal);
        await deleteCorporation(trx, await holdCorporation(trx, ids, call.params.dcCorporationId));
        return { status: 204 };
      }),
  });

  return [lock, unlock, remove];
}
