import { partnerRoute } from '../partner-principal.ts';
import { listOf, page, pathIntegerId, uuid, z } from '../schemas/shared.ts';
import { verificationBody, verificationSchema } from '../schemas/verification.ts';
import { FORM_BYTES, SUBMIT_REFUSALS, submitForm } from '../submit-verification.ts';
import { listVerificationsOf, readLatestOf, readVerificationOf } from '../verifications.ts';

const shared = { role: { scopes: ['partner'] }, owner: 'programme', jwe: 'open' } as const;

const ofCustomer = z.strictObject({ customerId: pathIntegerId() });

const register = partnerRoute({
  ...shared,
  operation: 'submitVerification',
  method: 'POST',
  path: '/customers/{customerId}/register',
  aliases: [{ path: '/customers/{customerId}/verification' }],
  summary: 'Send the verification form of a user',
  idempotency: 'accepted',
  contentType: 'multipart/form-data',
  maxBodyBytes: FORM_BYTES,
  params: ofCustomer,
  body: verificationBody,
  answers: { 201: { description: 'the verification', schema: verificationSchema } },
  refusals: ['USER_NOT_FOUND', ...SUBMIT_REFUSALS],
  handle: (call) =>
    submitForm(call, {
      customerId: call.params.customerId,
      channel: 'SERVER',
      location: `/secure/customers/${call.params.customerId}/verifications`,
    }),
});

const readLatest = partnerRoute({
  ...shared,
  operation: 'readLatestVerification',
  method: 'GET',
  path: '/customers/{customerId}/verification',
  summary: 'Read the latest verification of a user',
  idempotency: 'ignored',
  params: ofCustomer,
  answers: { 200: { description: 'the verification', schema: verificationSchema } },
  refusals: ['USER_NOT_FOUND', 'VERIFICATION_NOT_FOUND'],
  handle: (call) => readLatestOf(call, call.params.customerId),
});

const list = partnerRoute({
  ...shared,
  operation: 'listVerifications',
  method: 'GET',
  path: '/customers/{customerId}/verifications',
  summary: 'List the verifications of a user',
  idempotency: 'ignored',
  params: ofCustomer,
  query: z.strictObject(page),
  answers: { 200: { description: 'verifications, newest first', schema: listOf(verificationSchema) } },
  refusals: ['USER_NOT_FOUND', 'INVALID_CURSOR'],
  handle: (call) => listVerificationsOf(call, call.params.customerId, call.query),
});

const readOne = partnerRoute({
  ...shared,
  operation: 'readVerification',
  method: 'GET',
  path: '/customers/{customerId}/verifications/{verificationId}',
  summary: 'Read a verification of a user',
  idempotency: 'ignored',
  params: z.strictObject({ customerId: pathIntegerId(), verificationId: uuid() }),
  answers: { 200: { description: 'the verification', schema: verificationSchema } },
  refusals: ['VERIFICATION_NOT_FOUND'],
  handle: (call) => readVerificationOf(call, call.params),
});

export const verifications = [register, readLatest, list, readOne];
