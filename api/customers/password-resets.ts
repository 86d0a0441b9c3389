import { setPassword } from '../../db/customer-credentials.ts';
import { endSessions } from '../../db/customer-sessions.ts';
import { listCustomers, lockCustomer, readCustomer } from '../../db/customers.ts';
import { useCode } from '../../db/one-time-codes.ts';
import { Refusal } from '../../domain/errors.ts';
import { hashSecret } from '../../vault/password.ts';
import { entryRoute } from '../customer-principal.ts';
import { emailIndex, openPerson, phoneIndex } from '../personal-data.ts';
import { email, phone } from '../schemas/customer.ts';
import { otp, password } from '../schemas/proof.ts';
import { uuid, z } from '../schemas/shared.ts';
import { checkCode, issueCode } from './codes.ts';
import { refuseWeakPassword } from './secrets.ts';

const ask = entryRoute({
  operation: 'requestUserPasswordReset',
  method: 'POST',
  path: '/password-resets',
  summary: 'Forgot the password: one code goes to the phone, another to the e-mail address',
  body: z.strictObject({ phone: phone(), email: email() }),
  answers: {
    201: {
      description: 'codes were sent if both are those of one user; the same if not',
      schema: z.strictObject({ resetId: uuid() }),
    },
  },
  refusals: ['TOO_MANY_REQUESTS', 'TOO_MANY_ATTEMPTS'],
  handle: async (call) => {
    const { programme } = call.principal;
    const { vault } = call.services;
    const filter = {
      phoneIndex: phoneIndex(vault, call.body.phone),
      emailIndex: emailIndex(vault, call.body.email),
    };
    const found = (
      await call.atomically((trx) =>
        listCustomers(trx, [programme.programmeId], filter, { limit: 10, beforeId: null }),
      )
    ).find((one) => one.state !== 'DELETED');
    const { codeId } = await issueCode(call, {
      programme,
      purpose: 'PASSWORD_RESET',
      customerId: found?.customerId ?? null,
      addressIndex: filter.phoneIndex,
      to: found === undefined ? null : { sms: call.body.phone },
      second: found === undefined ? null : { mail: call.body.email },
    });
    return { status: 201, body: { resetId: codeId } };
  },
});

const confirm = entryRoute({
  operation: 'confirmUserPasswordReset',
  method: 'POST',
  path: '/password-resets/{resetId}/confirm',
  summary: 'Set a new password by both codes: all sessions end, the lock of the password is lifted',
  params: z.strictObject({ resetId: uuid() }),
  body: z.strictObject({ phoneOtp: otp(), emailOtp: otp(), newPassword: password() }),
  answers: { 204: { description: 'set' } },
  refusals: ['INVALID_CODE', 'WEAK_SECRET'],
  handle: async (call) => {
    const { programme } = call.principal;
    const { vault } = call.services;
    const { body } = call;
    const look = {
      codeId: call.params.resetId,
      purpose: 'PASSWORD_RESET',
      programmeId: programme.programmeId,
    } as const;
    const code = await checkCode(call, { ...look, code: body.phoneOtp, secondCode: body.emailOtp });
    const { customer_id: customerId } = code;
    if (customerId === null) throw new Refusal('INVALID_CODE', 'The code is wrong, used or too old.');
    const person = await call.atomically(async (trx) =>
      openPerson(vault, await readCustomer(trx, [programme.programmeId], customerId)),
    );
    refuseWeakPassword(body.newPassword, person);
    const hash = await hashSecret(vault, body.newPassword);
    await call.atomically(async (trx) => {
      const customer = await lockCustomer(trx, [programme.programmeId], customerId);
      await useCode(trx, code);
      await setPassword(trx, customer, hash);
      await endSessions(trx, { customerId }, 'PASSWORD_RESET');
    });
    return { status: 204 };
  },
});

export const passwordResets = [ask, confirm];
