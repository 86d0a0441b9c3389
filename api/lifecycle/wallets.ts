import { nowOf, type Trx } from '../../db/atomically.ts';
import {
  type Customer,
  type CustomerChange,
  listCustomers,
  lockCustomer,
  readCustomer,
  updateCustomer,
} from '../../db/customers.ts';
import { lockReasonsOf } from '../../db/transactional-locks.ts';
import { invalid } from '../../domain/errors.ts';
import type { Vault } from '../../vault/vault.ts';
import { readPage } from '../pagination.ts';
import { partnerRoute, programmeIds, soleProgramme } from '../partner-principal.ts';
import { emailIndex, openPerson, phoneIndex, refuseUnderage, sealPerson } from '../personal-data.ts';
import {
  customerChangeBody,
  customerQuery,
  customerSchema,
  newCustomerBody,
  toCustomerAnswer,
} from '../schemas/customer.ts';
import { listOf, pathIntegerId, type z, z as schema } from '../schemas/shared.ts';
import { createUser, NEW_USER_REFUSALS } from '../users.ts';

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
    const { phone, email, externalId, state, kyc } = filters;
    const filter = {
      ...(phone === undefined ? {} : { phoneIndex: phoneIndex(vault, phone) }),
      ...(email === undefined ? {} : { emailIndex: emailIndex(vault, email) }),
      ...(externalId === undefined ? {} : { externalId }),
      ...(state === undefined ? {} : { state }),
      ...(kyc === undefined ? {} : { kyc }),
    };
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
      const reasons = await lockReasonsOf(
        trx,
        items.map((one) => one.customerId),
      );
      return {
        items: items.map((one) => present(vault, one, reasons.get(one.customerId) ?? [])),
        nextCursor,
      };
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
  params: schema.strictObject({ userId: pathIntegerId() }),
  answers: { 200: { description: 'the user', schema: customerSchema } },
  refusals: ['USER_NOT_FOUND'],
  handle: async (call) => {
    const body = await call.atomically(async (trx) =>
      presentWithLocks(
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
  params: schema.strictObject({ userId: pathIntegerId().optional() }),
  body: customerChangeBody,
  answers: { 200: { description: 'the user', schema: customerSchema } },
  refusals: ['USER_NOT_FOUND', 'STATE_CONFLICT', 'VERIFICATION_IN_PROGRESS', ...NEW_USER_REFUSALS],
  handle: async (call) => {
    const userId = namedUser(call.params.userId, call.body.userId);
    return await call.once(async (trx) => {
      const { vault } = call.services;
      const programme = soleProgramme(call.principal);
      const customer = await lockCustomer(trx, [programme.programmeId], userId);
      const changed = await updateCustomer(trx, programme, customer, toChange(vault, customer, call.body));
      if (call.body.birthDate !== undefined) {
        refuseUnderage(call.body.birthDate, programme.minAge, today(trx));
      }
      return { status: 200, body: await presentWithLocks(trx, vault, changed) };
    });
  },
});

export const wallets = [createWallet, listUsers, readUser, updateUser];

const today = (trx: Trx): string => nowOf(trx).toISOString().slice(0, 10);

/** The one user that path or body names. Throws `VALIDATION_ERROR` when both or none do. */
function namedUser(inPath: number | undefined, inBody: number | undefined): number {
  if (inPath !== undefined && inBody !== undefined) {
    throw invalid([{ field: 'userId', message: 'is not known here' }]);
  }
  const userId = inPath ?? inBody;
  if (userId === undefined) throw invalid([{ field: 'userId', message: 'is required' }]);
  return userId;
}

function toChange(
  vault: Vault,
  customer: Customer,
  body: z.output<typeof customerChangeBody>,
): CustomerChange {
  const { userId: _userId, state, kyc, externalId, riskLvl, documentExpirationDate, ...person } = body;
  const sent = Object.entries(person).filter(([, value]) => value !== undefined);
  return {
    ...(sent.length === 0 || customer.state === 'DELETED'
      ? {}
      : {
          person: sealPerson(vault, customer.subjectKey, {
            ...openPerson(vault, customer),
            ...Object.fromEntries(sent),
          }),
        }),
    ...(state === undefined ? {} : { state }),
    ...(kyc === undefined ? {} : { kyc }),
    ...(externalId === undefined ? {} : { externalId }),
    ...(riskLvl === undefined ? {} : { riskLevel: riskLvl }),
    ...(documentExpirationDate === undefined ? {} : { documentExpirationDate }),
  };
}

const present = (vault: Vault, customer: Customer, reasons: readonly string[]) =>
  toCustomerAnswer(customer, openPerson(vault, customer), reasons);

async function presentWithLocks(trx: Trx, vault: Vault, customer: Customer) {
  const reasons = await lockReasonsOf(trx, [customer.customerId]);
  return present(vault, customer, reasons.get(customer.customerId) ?? []);
}
