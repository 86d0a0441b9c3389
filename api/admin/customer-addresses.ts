import { deleteAddress } from '../../db/customer-addresses.ts';
import { lockCustomer, readCustomer } from '../../db/customers.ts';
import { ADDRESS_TYPES } from '../../domain/customer.ts';
import { putUserAddress, userAddresses } from '../addresses.ts';
import { adminRoute, operatorProgrammeIds } from '../operator-principal.ts';
import { addressBody, addressSchema } from '../schemas/address.ts';
import { listOf, pathIntegerId, word, z } from '../schemas/shared.ts';

const writing = { permission: 'customers.write', jwe: 'open', idempotency: 'accepted' } as const;

const list = adminRoute({
  operation: 'adminListUserAddresses',
  method: 'GET',
  path: '/customers/{customerId}/addresses',
  summary: 'List the addresses of a user; Employees see the country only',
  permission: 'customers.read',
  jwe: 'open',
  idempotency: 'ignored',
  params: z.strictObject({ customerId: pathIntegerId() }),
  answers: { 200: { description: 'at most one of each type', schema: listOf(addressSchema) } },
  refusals: ['USER_NOT_FOUND'],
  handle: async (call) => {
    const scope = operatorProgrammeIds(call.principal);
    const items = await call.atomically(async (trx) =>
      userAddresses(trx, call.services.vault, await readCustomer(trx, scope, call.params.customerId)),
    );
    const hidden = call.principal.role === 'Employee';
    return { status: 200, body: { items: hidden ? items.map(masked) : items, nextCursor: null } };
  },
});

const MASK = '***';

const masked = (address: z.input<typeof addressSchema>): z.input<typeof addressSchema> => ({
  ...address,
  street: MASK,
  number: MASK,
  apartment: address.apartment === null ? null : MASK,
  city: MASK,
  postCode: MASK,
  region: address.region === null ? null : MASK,
});

const put = adminRoute({
  ...writing,
  operation: 'adminPutUserAddress',
  method: 'PUT',
  path: '/customers/{customerId}/addresses/{type}',
  aliases: [{ method: 'POST', path: '/customers/{customerId}/addresses' }],
  summary: 'Store the one address of its type; with POST the body names the type',
  params: z.strictObject({ customerId: pathIntegerId(), type: word(ADDRESS_TYPES).optional() }),
  body: addressBody,
  answers: {
    200: { description: 'replaced', schema: addressSchema },
    201: { description: 'new', schema: addressSchema },
  },
  refusals: ['USER_NOT_FOUND', 'STATE_CONFLICT'],
  handle: (call) =>
    call.once(async (trx) => {
      const { customerId, type } = call.params;
      const customer = await lockCustomer(trx, operatorProgrammeIds(call.principal), customerId);
      return await putUserAddress(trx, call.services.vault, customer, { type, body: call.body });
    }),
});

const remove = adminRoute({
  ...writing,
  operation: 'adminDeleteUserAddress',
  method: 'DELETE',
  path: '/customers/{customerId}/addresses/{type}',
  summary: 'Delete an address of a user',
  params: z.strictObject({ customerId: pathIntegerId(), type: word(ADDRESS_TYPES) }),
  answers: { 204: { description: 'deleted' } },
  refusals: ['USER_NOT_FOUND', 'ADDRESS_NOT_FOUND', 'STATE_CONFLICT'],
  handle: (call) =>
    call.once(async (trx) => {
      const customer = await lockCustomer(trx, operatorProgrammeIds(call.principal), call.params.customerId);
      await deleteAddress(trx, customer, call.params.type);
      return { status: 204 };
    }),
});

export const customerAddresses = [list, put, remove];
