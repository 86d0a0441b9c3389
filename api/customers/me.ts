import type { Trx } from '../../db/atomically.ts';
import { acceptTerms } from '../../db/customer-credentials.ts';
import { type Customer, lockCustomer, readCustomer, updateCustomer } from '../../db/customers.ts';
import { lockReasonsOf } from '../../db/transactional-locks.ts';
import type { Vault } from '../../vault/vault.ts';
import { customerRoute } from '../customer-principal.ts';
import { openPerson, sealPerson } from '../personal-data.ts';
import { customerSchema, language, toCustomerAnswer } from '../schemas/customer.ts';
import { text, z } from '../schemas/shared.ts';

const readMe = customerRoute({
  operation: 'readMe',
  method: 'GET',
  path: '/me',
  summary: 'Read your own data',
  jwe: 'open',
  idempotency: 'ignored',
  answers: { 200: { description: 'the user', schema: customerSchema } },
  refusals: [],
  handle: async (call) => {
    const { customerId, programme } = call.principal;
    const body = await call.atomically(async (trx) =>
      presentUser(trx, call.services.vault, await readCustomer(trx, [programme.programmeId], customerId)),
    );
    return { status: 200, body };
  },
});

const updateMe = customerRoute({
  operation: 'updateMe',
  method: 'PUT',
  path: '/me',
  summary: 'Change your language, or accept a new version of the terms',
  jwe: 'open',
  idempotency: 'accepted',
  body: z.strictObject({
    language: language().nullable().optional(),
    termsVersion: text(1, 32).optional(),
  }),
  answers: { 200: { description: 'the user', schema: customerSchema } },
  refusals: [],
  handle: (call) =>
    call.once(async (trx) => {
      const { programme, customerId, partnerId } = call.principal;
      const { vault } = call.services;
      const { language: wanted, termsVersion } = call.body;
      let customer = await lockCustomer(trx, [programme.programmeId], customerId);
      if (wanted !== undefined) {
        const person = { ...openPerson(vault, customer), language: wanted };
        const sealed = sealPerson(vault, customer.subjectKey, person);
        customer = await updateCustomer(trx, programme, customer, { person: sealed });
      }
      if (termsVersion !== undefined) await acceptTerms(trx, { customerId, partnerId }, termsVersion);
      return { status: 200, body: await presentUser(trx, vault, customer) };
    }),
});

export const me = [readMe, updateMe];

/** The wire's user with the reasons of their transactional locks. */
export async function presentUser(trx: Trx, vault: Vault, customer: Customer) {
  const reasons = await lockReasonsOf(trx, [customer.customerId]);
  return toCustomerAnswer(customer, openPerson(vault, customer), reasons.get(customer.customerId) ?? []);
}
