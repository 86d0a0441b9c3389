import { holdCorporation, readCorporation } from '../db/corporations.ts';
import { changeCorporation, CORPORATION_REFUSALS, presentCorporation } from './corporations.ts';
import { type Door, doorOf, operationAt } from './door.ts';
import type { Route } from './route.ts';
import { corporationChangeBody, corporationSchema } from './schemas/corporation.ts';
import { uuid, z } from './schemas/shared.ts';

const params = z.strictObject({ dcCorporationId: uuid() });

/** Read and change corporations (onboarding 4). */
export function corporationRoutes<Principal>(door: Door<Principal>): Route[] {
  const read = door.route({
    ...doorOf(door, 'corporations.read'),
    operation: operationAt(door, 'readCorporation'),
    method: 'GET',
    path: '/corporations/{dcCorporationId}',
    summary: 'Read a corporation',
    idempotency: 'ignored',
    params,
    answers: { 200: { description: 'the corporation', schema: corporationSchema } },
    refusals: ['CORPORATION_NOT_FOUND'],
    handle: async (call) => ({
      status: 200,
      body: await call.atomically(async (trx) =>
        presentCorporation(
          trx,
          call.services.vault,
          await readCorporation(trx, door.scope(call.principal), call.params.dcCorporationId),
        ),
      ),
    }),
  });

  const update = door.route({
    ...doorOf(door, 'corporations.write'),
    operation: operationAt(door, 'updateCorporation'),
    method: 'PUT',
    path: '/corporations/{dcCorporationId}',
    summary: 'Change a corporation',
    idempotency: 'accepted',
    params,
    body: corporationChangeBody,
    answers: { 200: { description: 'the corporation', schema: corporationSchema } },
    refusals: ['CORPORATION_NOT_FOUND', 'STATE_CONFLICT', ...CORPORATION_REFUSALS],
    handle: (call) =>
      call.once(async (trx) => {
        const { vault } = call.services;
        const held = await holdCorporation(trx, door.scope(call.principal), call.params.dcCorporationId);
        const programme = door.programmeOf(call.principal, held.programmeId);
        const changed = await changeCorporation(trx, vault, programme, held, call.body);
        return { status: 200, body: await presentCorporation(trx, vault, changed) };
      }),
  });

  return [read, update];
}
