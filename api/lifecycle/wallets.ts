import { listCustomers, lockCustomer, readCustomer } from '../../db/customers.ts';
import { invalid } from '../../domain/errors.ts';
import { readPage } from '../pagination.ts';
import { partnerRoute, programmeIds, soleProgramme } from '../partner-principal.ts';
import {
  customerChangeBody,
  customerQuery,
  customerSchema,
  newCustomerBody,
  toCustomerAnswer,
} from '../schemas/customer.ts';
import { listOf, pathIntegerId, z } from '../schemas/shared.ts';
import {
  CHANGED_USER_REFUSALS,
  changeUser,
  createUser,
  NEW_USER_REFUSALS,
  presentUser,
  presentUsers,
  userFilter,
} from '../users.ts';

const shared = { role: { scopes: ['partner'] }, owner: 'programme', jwe: 'open' } as const;

const createWallet = partnerRoute({
  ...shared,
  operation: 'createUser',
  method: 'POST',
  path: '/wallet',
  aliases: [{ path: '/users' }],
  summary: 'Add a user',
  idempotency: 'accepted',
  body: newCustomerBody,
  answers: { 201: { description: 'the user', schema: customerSchema } },
  refusals: NEW_USER_REFUSALS,
  handle: (call) =>
    call.once(async (trx) => {
      const { vault } = call.services;
      const programme = soleProgramme(call.principal);
      const { customer, personal } = await createUser(trx, vault, programme, call.body);
      return {
        status: 201,
        body: toCustomerAnswer(customer, personal, []),
        location: `/lifecycle/v1/users/${customer.customerId}`,
      };
    }),
});

const listUsers = partnerRoute({
  ...shared,
  operation: 'listUsers',
  method: 'GET',
  path: '/users',
  summary: 'List users',
  idempotency: 'ignored',
  query: customerQuery,
  answers: { 200: { description: 'users, newest first', schema: listOf(customerSchema) } },
  refusals: ['INVALID_CURSOR'],
  handle: async (call) => {
    const { limit, cursor, ...filters } = call.query;
    const { vault, nowMs } = call.services;
    const { programmeId } = soleProgramme(call.principal);
    const filter = userFilter(vault, filters);
    const body = await call.atomically(async (trx) => {
      const { items, nextCursor } = await readPage(
        vault,
        {
          principal: call.principal.partnerPublicId,
          operation: 'listUsers',
          filters: { programmeId, ...filters },
        },
        { limit, cursor },
        nowMs(),
        (before, most) =>
          listCustomers(trx, [programmeId], filter, {
            limit: most,
            beforeId: before === undefined ? null : Number(before),
          }),
        (customer) => customer.customerId,
        (customer) => customer,
      );
      return { items: await presentUsers(trx, vault, items), nextCursor };
    });
    return { status: 200, body };
  },
});

const readUser = partnerRoute({
  ...shared,
  operation: 'readUser',
  method: 'GET',
  path: '/users/{userId}',
  aliases: [{ path: '/wallet/{userId}' }],
  summary: 'Read a user',
  idempotency: 'ignored',
  params: z.strictObject({ userId: pathIntegerId() }),
  answers: { 200: { description: 'the user', schema: customerSchema } },
  refusals: ['USER_NOT_FOUND'],
  handle: async (call) => {
    const body = await call.atomically(async (trx) =>
      presentUser(
        trx,
        call.services.vault,
        await readCustomer(trx, programmeIds(call.principal), call.params.userId),
      ),
    );
    return { status: 200, body };
  },
});

const updateUser = partnerRoute({
  ...shared,
  operation: 'updateUser',
  method: 'PUT',
  path: '/users/{userId}',
  aliases: [{ path: '/wallet/{userId}' }, { path: '/user/{userId}' }, { path: '/user' }],
  summary: 'Change a user; on /user the body names it',
  idempotency: 'accepted',
  params: z.strictObject({ userId: pathIntegerId().optional() }),
  body: customerChangeBody,
  answers: { 200: { description: 'the user', schema: customerSchema } },
  refusals: CHANGED_USER_REFUSALS,
  handle: async (call) => {
    const userId = namedUser(call.params.userId, call.body.userId);
    return await call.once(async (trx) => {
      const { vault } = call.services;
      const programme = soleProgramme(call.principal);
      const customer = await lockCustomer(trx, [programme.programmeId], userId);
      const { userId: _named, ...change } = call.body;
      const changed = await changeUser(trx, vault, programme, customer, change);
      return { status: 200, body: await presentUser(trx, vault, changed) };
    });
  },
});

export const wallets = [createWallet, listUsers, readUser, updateUser];

/** The one user that path or body names. Throws `VALIDATION_ERROR` when both or none do. */
function namedUser(inPath: number | undefined, inBody: number | undefined): number {
  if (inPath !== undefined && inBody !== undefined) {
    throw invalid([{ field: 'userId', message: 'is not known here' }]);
  }
  const userId = inPath ?? inBody;
  if (userId === undefined) throw invalid([{ field: 'userId', message: 'is required' }]);
  return userId;
}
