import {
  changeCorporationAddress,
  deleteCorporationAddress,
  listCorporationAddresses,
} from '../db/corporation-addresses.ts';
import { holdCorporation, readCorporation } from '../db/corporations.ts';
import { CORPORATION_ADDRESS_TYPES } from '../domain/corporation.ts';
import { namedType, ofCorporation, presentAddress, sealAddress } from './addresses.ts';
import { type Door, doorOf, operationAt } from './door.ts';
import type { Route } from './route.ts';
import { addressBody, addressSchema, toAddress } from './schemas/address.ts';
import { listOf, uuid, word, z } from './schemas/shared.ts';

const params = z.strictObject({ dcCorporationId: uuid(), type: word(CORPORATION_ADDRESS_TYPES) });

/** The calls about the addresses of corporations (onboarding 4). */
export function corporationAddressRoutes<Principal>(door: Door<Principal>): Route[] {
  const list = door.route({
    ...doorOf(door, 'corporations.read'),
    operation: operationAt(door, 'listCorporationAddresses'),
    method: 'GET',
    path: '/corporations/{dcCorporationId}/addresses',
    summary: 'List the addresses of a corporation',
    idempotency: 'ignored',
    params: z.strictObject({ dcCorporationId: uuid() }),
    answers: { 200: { description: 'at most one of each type', schema: listOf(addressSchema) } },
    refusals: ['CORPORATION_NOT_FOUND'],
    handle: async (call) => {
      const { vault } = call.services;
      const items = await call.atomically(async (trx) => {
        const ids = door.scope(call.principal);
        const corporation = await readCorporation(trx, ids, call.params.dcCorporationId);
        const addresses = await listCorporationAddresses(trx, corporation);
        return addresses.map((one) => presentAddress(vault, corporation.subjectKey, ofCorporation, one));
      });
      return { status: 200, body: { items, nextCursor: null } };
    },
  });

  const put = door.route({
    ...doorOf(door, 'corporations.write'),
    operation: operationAt(door, 'putCorporationAddress'),
    method: 'PUT',
    path: '/corporations/{dcCorporationId}/addresses/{type}',
    summary: 'Store the one address of its type',
    idempotency: 'accepted',
    params,
    body: addressBody,
    answers: {
      200: { description: 'replaced', schema: addressSchema },
      201: { description: 'new', schema: addressSchema },
    },
    refusals: ['CORPORATION_NOT_FOUND', 'STATE_CONFLICT'],
    handle: (call) =>
      call.once(async (trx) => {
        const type = namedType(CORPORATION_ADDRESS_TYPES, call.params.type, call.body.type);
        const ids = door.scope(call.principal);
        const held = await holdCorporation(trx, ids, call.params.dcCorporationId);
        const address = toAddress(call.body);
        const sealed = sealAddress(call.services.vault, held.subjectKey, ofCorporation, type, address);
        const result = await changeCorporationAddress(trx, held, { type, address: sealed });
        return { status: result === 'ADDED' ? 201 : 200, body: { type, ...address } };
      }),
  });

  const remove = door.route({
    ...doorOf(door, 'corporations.write'),
    operation: operationAt(door, 'deleteCorporationAddress'),
    method: 'DELETE',
    path: '/corporations/{dcCorporationId}/addresses/{type}',
    summary: 'Delete an address of a corporation',
    idempotency: 'accepted',
    params,
    answers: { 204: { description: 'deleted' } },
    refusals: ['CORPORATION_NOT_FOUND', 'ADDRESS_NOT_FOUND', 'STATE_CONFLICT'],
    handle: (call) =>
      call.once(async (trx) => {
        const ids = door.scope(call.principal);
        const held = await holdCorporation(trx, ids, call.params.dcCorporationId);
        await deleteCorporationAddress(trx, held, call.params.type);
        return { status: 204 };
      }),
  });

  return [list, put, remove];
}
