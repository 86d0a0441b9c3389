import { type Trx } from '../../db/atomically.ts';
import { audit } from '../../db/audit-log.ts';
import { type Customer, listCustomers, readCustomer } from '../../db/customers.ts';
import { lockReasonsOf } from '../../db/transactional-locks.ts';
import { KYC_STATES } from '../../domain/customer.ts';
import type { OperatorRole } from '../../domain/operator.ts';
import type { Vault } from '../../vault/vault.ts';
import { adminRoute, operatorProgrammeIds } from '../operator-principal.ts';
import { emailIndex, openPerson, phoneIndex } from '../personal-data.ts';
import { customerSchema, email, phone, toCustomerAnswer } from '../schemas/customer.ts';
import { listOf, page, pathIntegerId, text, uuid, word, z } from '../schemas/shared.ts';
import { operatorPage, programmesNamed } from './lists.ts';

const reading = { permission: 'customers.read', jwe: 'open', idempotency: 'ignored', method: 'GET' } as const;

const list = adminRoute({
  ...reading,
  operation: 'adminListCustomers',
  path: '/customers',
  summary: 'List users; Employees see no birth dates',
  query: z.strictObject({
    ...page,
    programme: uuid().optional(),
    phone: phone().optional(),
    email: email().optional(),
    externalId: text(1, 64).optional(),
    state: word(['UNVERIFIED', 'VERIFIED', 'LOCKED', 'DELETED']).optional(),
    kyc: word(KYC_STATES).optional(),
  }),
  answers: { 200: { description: 'users, newest first', schema: listOf(customerSchema) } },
  refusals: ['INVALID_CURSOR'],
  handle: async (call) => {
    const { limit, cursor, ...filters } = call.query;
    const { vault } = call.services;
    const { programme, phone: number, email: address, externalId, state, kyc } = filters;
    const filter = {
      ...(number === undefined ? {} : { phoneIndex: phoneIndex(vault, number) }),
      ...(address === undefined ? {} : { emailIndex: emailIndex(vault, address) }),
      ...(externalId === undefined ? {} : { externalId }),
      ...(state === undefined ? {} : { state }),
      ...(kyc === undefined ? {} : { kyc }),
    };
    const scope = programmesNamed(call.principal, programme);
    const body = await call.atomically(async (trx) => {
      const { items, nextCursor } = await operatorPage(call, {
        operation: 'adminListCustomers',
        filters,
        page: { limit, cursor },
        read: (before, most) =>
          listCustomers(trx, scope, filter, {
            limit: most,
            beforeId: before === undefined ? null : Number(before),
          }),
        positionOf: (customer) => customer.customerId,
        toItem: (customer) => customer,
      });
      return { items: await presentAll(trx, vault, call.principal.role, items), nextCursor };
    });
    return { status: 200, body };
  },
});

const read = adminRoute({
  ...reading,
  operation: 'adminReadCustomer',
  path: '/customers/{customerId}',
  summary: 'Read a user; Employees see no birth date',
  params: z.strictObject({ customerId: pathIntegerId() }),
  answers: { 200: { description: 'the user', schema: customerSchema } },
  refusals: ['USER_NOT_FOUND'],
  handle: async (call) => {
    const { customerId } = call.params;
    const body = await call.atomically(async (trx) => {
      const customer = await readCustomer(trx, operatorProgrammeIds(call.principal), customerId);
      const { partnerId } = customer;
      await audit(trx, { action: 'customer.read', objectType: 'customer', objectId: customerId, partnerId });
      return (await presentAll(trx, call.services.vault, call.principal.role, [customer]))[0];
    });
    return { status: 200, body };
  },
});

async function presentAll(trx: Trx, vault: Vault, role: OperatorRole, customers: readonly Customer[]) {
  const reasons = await lockReasonsOf(
    trx,
    customers.map((one) => one.customerId),
  );
  return customers.map((one) => {
    const personal = openPerson(vault, one);
    const shown = role === 'Employee' ? { ...personal, birthDate: MASKED_DATE } : personal;
    return toCustomerAnswer(one, shown, reasons.get(one.customerId) ?? []);
  });
}

const MASKED_DATE = '****-**-**';

export const customers = [list, read];
