import type { Trx } from '../../db/atomically.ts';
import { findCredentials } from '../../db/customer-credentials.ts';
import {
  type Customer,
  listCustomers,
  lockCustomer,
  readCustomer,
  updateCustomer,
} from '../../db/customers.ts';
import { passwordGuard } from '../../db/guess-guards.ts';
import { useCode } from '../../db/one-time-codes.ts';
import type { Programme } from '../../db/partners.ts';
import { Refusal } from '../../domain/errors.ts';
import type { Vault } from '../../vault/vault.ts';
import { entryRoute } from '../customer-principal.ts';
import { openPerson, phoneIndex } from '../personal-data.ts';
import { birthDate, phone } from '../schemas/customer.ts';
import { otp, password } from '../schemas/proof.ts';
import { date, uuid, z } from '../schemas/shared.ts';
import { checkCode, issueCode, sendCodeAgain } from './codes.ts';
import { pairingSchema, tokenForPairing } from './pairing.ts';
import { invalidCredentials, provePassword } from './proof.ts';

const ofActivation = z.strictObject({ activationId: uuid() });

const activate = entryRoute({
  operation: 'activate',
  method: 'POST',
  path: '/activations',
  summary:
    'Use the app for the first time as a user of the partner, or on a new device: a code goes to the phone',
  body: z.strictObject({ phone: phone(), birthDate: birthDate() }),
  answers: {
    201: {
      description: 'a code was sent if both match; the same if not',
      schema: z.strictObject({ activationId: uuid(), otpExpiresAt: date(), resendAfter: date() }),
    },
  },
  refusals: ['TOO_MANY_REQUESTS', 'TOO_MANY_ATTEMPTS'],
  handle: async (call) => {
    const { programme } = call.principal;
    const { vault } = call.services;
    const found = await call.atomically((trx) => findUser(trx, vault, programme, call.body));
    const { codeId, otpExpiresAt, resendAfter } = await issueCode(call, {
      programme,
      purpose: 'ACTIVATION',
      customerId: found?.customerId ?? null,
      addressIndex: phoneIndex(vault, call.body.phone),
      to: found === undefined ? null : { sms: call.body.phone },
    });
    return {
      status: 201,
      body: {
        activationId: codeId,
        otpExpiresAt: otpExpiresAt.toISOString(),
        resendAfter: resendAfter.toISOString(),
      },
    };
  },
});

const sendAgain = entryRoute({
  operation: 'resendActivationCode',
  method: 'POST',
  path: '/activations/{activationId}/otp',
  summary: 'Send a new code; the old one dies',
  params: ofActivation,
  answers: { 204: { description: 'sent, if there is somebody to send it to' } },
  refusals: ['ACTIVATION_NOT_FOUND', 'TOO_MANY_REQUESTS', 'TOO_MANY_ATTEMPTS'],
  handle: async (call) => {
    const { programme } = call.principal;
    const { vault } = call.services;
    const look = { codeId: call.params.activationId, purpose: 'ACTIVATION', programme } as const;
    await sendCodeAgain(call, look, async (trx, { customer_id: customerId }) => {
      if (customerId === null) return null;
      const customer = await readCustomer(trx, [programme.programmeId], customerId);
      return customer.state === 'DELETED' ? null : { sms: openPerson(vault, customer).phone };
    });
    return { status: 204 };
  },
});

const confirm = entryRoute({
  operation: 'confirmActivation',
  method: 'POST',
  path: '/activations/{activationId}/confirm',
  summary: 'Confirm the code, and the password where one is set: the user may pair a device',
  params: ofActivation,
  body: z.strictObject({ otp: otp(), password: password().nullish() }),
  answers: { 201: { description: 'the user, and a token for pairing', schema: pairingSchema } },
  refusals: [
    'INVALID_CODE',
    'INVALID_CREDENTIALS',
    'ACTIVATION_NOT_FOUND',
    'USER_LOCKED',
    'TOO_MANY_ATTEMPTS',
  ],
  handle: async (call) => {
    const { programme } = call.principal;
    const { vault } = call.services;
    const look = {
      codeId: call.params.activationId,
      purpose: 'ACTIVATION',
      programmeId: programme.programmeId,
    } as const;
    const code = await checkCode(call, { ...look, code: call.body.otp });
    const { customer_id: customerId } = code;
    if (customerId === null) throw invalidCredentials();
    const credentials = await call.atomically((trx) => findCredentials(trx, customerId));
    if ((credentials?.password_hash ?? null) !== null) {
      if (!call.body.password) throw invalidCredentials();
      const name = passwordGuard(customerId);
      await provePassword(call, programme, name, customerId, call.body.password);
    }
    const body = await call.atomically(async (trx) => {
      const customer = await lockCustomer(trx, [programme.programmeId], customerId);
      if (customer.state === 'LOCKED') throw new Refusal('USER_LOCKED', 'This user is locked.');
      if (customer.state === 'DELETED') throw invalidCredentials();
      await useCode(trx, code);
      // The code has confirmed the phone (onboarding 1).
      if (customer.state === 'UNVERIFIED') {
        await updateCustomer(trx, programme, customer, { state: 'VERIFIED' });
      }
      return await tokenForPairing(trx, vault, { customerId, partnerId: programme.partnerId });
    });
    return { status: 201, body };
  },
});

export const activations = [activate, sendAgain, confirm];

/** The user of the programme with that phone and birth date, or undefined. */
async function findUser(
  trx: Trx,
  vault: Vault,
  programme: Programme,
  wanted: { readonly phone: string; readonly birthDate: string },
): Promise<Customer | undefined> {
  const filter = { phoneIndex: phoneIndex(vault, wanted.phone) };
  const found = await listCustomers(trx, [programme.programmeId], filter, { limit: 10, beforeId: null });
  return found.find(
    (one) => one.state !== 'DELETED' && openPerson(vault, one).birthDate === wanted.birthDate,
  );
}
