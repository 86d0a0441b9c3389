import { lockCustomer, readCustomer, updateCustomer } from '../../db/customers.ts';
import { useCode } from '../../db/one-time-codes.ts';
import { invalid } from '../../domain/errors.ts';
import { customerRoute, requireStepUp } from '../customer-principal.ts';
import { emailIndex, openPerson, phoneIndex, sealPerson } from '../personal-data.ts';
import { customerSchema, email, phone } from '../schemas/customer.ts';
import { otp } from '../schemas/proof.ts';
import { uuid, z } from '../schemas/shared.ts';
import { checkCode, dataOf, issueCode, notify } from './codes.ts';
import { presentUser } from './me.ts';

type ContactChange = { readonly phone: string } | { readonly email: string };

const ask = customerRoute({
  operation: 'requestContactChange',
  method: 'POST',
  path: '/me/contact-changes',
  summary: 'Change your phone or e-mail address: a code goes to the new one, a notice to the old',
  jwe: 'open',
  idempotency: 'ignored',
  body: z.strictObject({ phone: phone().nullish(), email: email().nullish() }),
  answers: { 201: { description: 'a code was sent', schema: z.strictObject({ id: uuid() }) } },
  refusals: ['STEP_UP_REQUIRED', 'TOO_MANY_REQUESTS', 'TOO_MANY_ATTEMPTS'],
  handle: async (call) => {
    const { programme, customerId } = call.principal;
    const { vault } = call.services;
    const change = changeOf(call.body);
    const old = await call.atomically(async (trx) => {
      requireStepUp(trx, call.principal);
      return openPerson(vault, await readCustomer(trx, [programme.programmeId], customerId));
    });
    const { codeId } = await issueCode(call, {
      programme,
      purpose: 'CONTACT_CHANGE',
      customerId,
      addressIndex: 'phone' in change ? phoneIndex(vault, change.phone) : emailIndex(vault, change.email),
      to: 'phone' in change ? { sms: change.phone } : { mail: change.email },
      data: change,
    });
    const [oldAddress, what] =
      'phone' in change ? [{ sms: old.phone }, 'phone number'] : [{ mail: old.email }, 'e-mail address'];
    notify(call, oldAddress, `Your ${what} is about to change. Contact us if you did not ask for that.`);
    return { status: 201, body: { id: codeId } };
  },
});

const confirm = customerRoute({
  operation: 'confirmContactChange',
  method: 'POST',
  path: '/me/contact-changes/{id}/confirm',
  summary: 'Confirm the new phone or e-mail address by its code',
  jwe: 'open',
  idempotency: 'ignored',
  params: z.strictObject({ id: uuid() }),
  body: z.strictObject({ otp: otp() }),
  answers: { 200: { description: 'the user', schema: customerSchema } },
  refusals: ['INVALID_CODE', 'PHONE_ALREADY_REGISTERED', 'EMAIL_ALREADY_REGISTERED'],
  handle: async (call) => {
    const { programme, customerId } = call.principal;
    const { vault } = call.services;
    const look = {
      codeId: call.params.id,
      purpose: 'CONTACT_CHANGE',
      programmeId: programme.programmeId,
      customerId,
    } as const;
    const change = dataOf<ContactChange>(vault, await checkCode(call, { ...look, code: call.body.otp }));
    const body = await call.atomically(async (trx) => {
      const customer = await lockCustomer(trx, [programme.programmeId], customerId);
      await useCode(trx, look);
      const person = sealPerson(vault, customer.subjectKey, { ...openPerson(vault, customer), ...change });
      return await presentUser(trx, vault, await updateCustomer(trx, programme, customer, { person }));
    });
    return { status: 200, body };
  },
});

export const contactChanges = [ask, confirm];

/** The one thing that is to change. Throws `VALIDATION_ERROR` for none or both. */
function changeOf(body: {
  readonly phone?: string | null | undefined;
  readonly email?: string | null | undefined;
}): ContactChange {
  const newPhone = body.phone ?? null;
  const newEmail = body.email ?? null;
  if (newPhone !== null && newEmail === null) return { phone: newPhone };
  if (newEmail !== null && newPhone === null) return { email: newEmail };
  throw invalid([{ field: 'phone', message: 'send exactly one of phone and email' }]);
}
