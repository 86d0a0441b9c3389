import { nowOf } from '../../db/atomically.ts';
import { acceptTerms } from '../../db/customer-credentials.ts';
import { createCustomer, newSubjectId } from '../../db/customers.ts';
import { useCode } from '../../db/one-time-codes.ts';
import type { PersonalData } from '../../domain/customer.ts';
import { Refusal } from '../../domain/errors.ts';
import { newSubjectKey } from '../../vault/personal-data.ts';
import { entryRoute } from '../customer-principal.ts';
import { phoneIndex, refuseUnderage, sealPerson } from '../personal-data.ts';
import { birthDate, email, language, personName, phone } from '../schemas/customer.ts';
import { otp } from '../schemas/proof.ts';
import { date, text, uuid, z } from '../schemas/shared.ts';
import { checkCode, dataOf, issueCode, sendCodeAgain } from './codes.ts';
import { pairingSchema, tokenForPairing } from './pairing.ts';

const registrationBody = z.strictObject({
  firstName: personName(),
  lastName: personName(),
  phone: phone(),
  email: email(),
  birthDate: birthDate(),
  termsVersion: text(1, 32),
  language: language().nullish(),
});

type Registration = z.output<typeof registrationBody>;

const ofRegistration = z.strictObject({ registrationId: uuid() });

const register = entryRoute({
  operation: 'register',
  method: 'POST',
  path: '/registrations',
  summary: 'Register as a user: a code goes to the phone',
  body: registrationBody,
  answers: {
    201: {
      description: 'a code was sent; the same for a number that is taken',
      schema: z.strictObject({ registrationId: uuid(), otpExpiresAt: date(), resendAfter: date() }),
    },
  },
  refusals: ['ENROLMENT_CLOSED', 'UNDERAGE', 'TOO_MANY_REQUESTS', 'TOO_MANY_ATTEMPTS'],
  handle: async (call) => {
    const { programme } = call.principal;
    const { body } = call;
    if (programme.enrolment === 'CLOSED' || programme.state === 'CLOSED') {
      throw new Refusal('ENROLMENT_CLOSED', 'Users cannot register in this programme.');
    }
    const today = await call.atomically(async (trx) => nowOf(trx).toISOString().slice(0, 10));
    refuseUnderage(body.birthDate, programme.minAge, today);
    const { codeId, otpExpiresAt, resendAfter } = await issueCode(call, {
      programme,
      purpose: 'REGISTRATION',
      customerId: null,
      addressIndex: phoneIndex(call.services.vault, body.phone),
      to: { sms: body.phone },
      data: body,
    });
    return {
      status: 201,
      body: {
        registrationId: codeId,
        otpExpiresAt: otpExpiresAt.toISOString(),
        resendAfter: resendAfter.toISOString(),
      },
    };
  },
});

const sendAgain = entryRoute({
  operation: 'resendRegistrationCode',
  method: 'POST',
  path: '/registrations/{registrationId}/otp',
  summary: 'Send a new code; the old one dies',
  params: ofRegistration,
  answers: { 204: { description: 'sent' } },
  refusals: ['REGISTRATION_NOT_FOUND', 'TOO_MANY_REQUESTS', 'TOO_MANY_ATTEMPTS'],
  handle: async (call) => {
    const { programme } = call.principal;
    const look = { codeId: call.params.registrationId, purpose: 'REGISTRATION', programme } as const;
    await sendCodeAgain(call, look, async (_trx, row) => ({
      sms: dataOf<Registration>(call.services.vault, row).phone,
    }));
    return { status: 204 };
  },
});

const confirm = entryRoute({
  operation: 'confirmRegistration',
  method: 'POST',
  path: '/registrations/{registrationId}/confirm',
  summary: 'Confirm the phone: the user is there and may pair a device',
  params: ofRegistration,
  body: z.strictObject({ otp: otp() }),
  answers: { 201: { description: 'the user, and a token for pairing', schema: pairingSchema } },
  refusals: [
    'INVALID_CODE',
    'REGISTRATION_NOT_FOUND',
    'PHONE_ALREADY_REGISTERED',
    'EMAIL_ALREADY_REGISTERED',
  ],
  handle: async (call) => {
    const { programme } = call.principal;
    const { vault } = call.services;
    const look = {
      codeId: call.params.registrationId,
      purpose: 'REGISTRATION',
      programmeId: programme.programmeId,
    } as const;
    const row = await checkCode(call, { ...look, code: call.body.otp });
    const { termsVersion, ...asked } = dataOf<Registration>(vault, row);
    const person: PersonalData = { ...asked, nationality: null, language: asked.language ?? null };
    const body = await call.atomically(async (trx) => {
      await useCode(trx, look);
      const { partnerId } = programme;
      const subjectKey = newSubjectKey(vault, { subjectId: newSubjectId(trx), partnerId });
      const { customerId } = await createCustomer(trx, programme, {
        ...sealPerson(vault, subjectKey, person),
        subjectKey,
        externalId: null,
        state: 'VERIFIED',
        kyc: 'NOT_STARTED',
        riskLevel: 'LOW',
        documentExpirationDate: null,
      });
      await acceptTerms(trx, { customerId, partnerId }, termsVersion);
      return await tokenForPairing(trx, vault, { customerId, partnerId });
    });
    return { status: 201, body };
  },
});

export const registrations = [register, sendAgain, confirm];
