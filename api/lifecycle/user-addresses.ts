import { deleteAddress } from '../../db/customer-addresses.ts';
import { lockCustomer, readCustomer } from '../../db/customers.ts';
import { ADDRESS_TYPES } from '../../domain/customer.ts';
import { putUserAddress, userAddresses as userAddressesOf } from '../addresses.ts';
import { partnerRoute, programmeIds } from '../partner-principal.ts';
import { addressBody, addressSchema } from '../schemas/address.ts';
import { listOf, pathIntegerId, word, z } from '../schemas/shared.ts';

const shared = { role: { scopes: ['partner'] }, owner: 'programme', jwe: 'open' } as const;

const list = partnerRoute({
  ...shared,
  operation: 'listUserAddresses',
  method: 'GET',
  path: '/users/{userId}/addresses',
  summary: 'List the addresses of a user',
  idempotency: 'ignored',
  params: z.strictObject({ userId: pathIntegerId() }),
  answers: { 200: { description: 'at most one of each type', schema: listOf(addressSchema) } },
  refusals: ['USER_NOT_FOUND'],
  handle: async (call) => {
    const { vault } = call.services;
    const items = await call.atomically(async (trx) => {
      const customer = await readCustomer(trx, programmeIds(call.principal), call.params.userId);
      return await userAddressesOf(trx, vault, customer);
    });
    return { status: 200, body: { items, nextCursor: null } };
  },
});

const put = partnerRoute({
  ...shared,
  operation: 'putUserAddress',
  method: 'PUT',
  path: '/users/{userId}/addresses/{type}',
  aliases: [{ method: 'POST', path: '/users/{userId}/addresses' }],
  summary: 'Store the one address of its type; with POST the body names the type',
  idempotency: 'accepted',
  params: z.strictObject({ userId: pathIntegerId(), type: word(ADDRESS_TYPES).optional() }),
  body: addressBody,
  answers: {
    200: { description: 'replaced', schema: addressSchema },
    201: { description: 'new', schema: addressSchema },
  },
  refusals: ['USER_NOT_FOUND', 'STATE_CONFLICT'],
  handle: (call) =>
    call.once(async (trx) => {
      const { userId, type } = call.params;
      const customer = await lockCustomer(trx, programmeIds(call.principal), userId);
      return await putUserAddress(trx, call.services.vault, customer, { type, body: call.body });
    }),
});

const remove = partnerRoute({
  ...shared,
  operation: 'deleteUserAddress',
  method: 'DELETE',
  path: '/users/{userId}/addresses/{type}',
  summary: 'Delete an address of a user',
  idempotency: 'accepted',
  params: z.strictObject({ userId: pathIntegerId(), type: word(ADDRESS_TYPES) }),
  answers: { 204: { description: 'deleted' } },
  refusals: ['USER_NOT_FOUND', 'ADDRESS_NOT_FOUND', 'STATE_CONFLICT'],
  handle: (call) =>
    call.once(async (trx) => {
      const customer = await lockCustomer(trx, programmeIds(call.principal), call.params.userId);
      await deleteAddress(trx, customer, call.params.type);
      return { status: 204 };
    }),
});

export const userAddresses = [list, put, remove];
