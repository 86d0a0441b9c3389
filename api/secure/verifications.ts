import { readCustomer } from '../../db/customers.ts';
import { listVerifications, readVerification, verificationNotFound } from '../../db/verifications.ts';
import { readPage } from '../pagination.ts';
import { partnerRoute, programmeIds } from '../partner-principal.ts';
import { listOf, page, pathIntegerId, uuid, z } from '../schemas/shared.ts';
import { toVerificationAnswer, verificationBody, verificationSchema } from '../schemas/verification.ts';
import { FORM_BYTES, SUBMIT_REFUSALS, submitForm } from '../submit-verification.ts';

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
  handle: async (call) => {
    const { customerId } = call.params;
    const body = await call.atomically(async (trx) => {
      await readCustomer(trx, programmeIds(call.principal), customerId);
      const [latest] = await listVerifications(trx, customerId, { limit: 1, beforeId: null });
      if (latest === undefined) throw verificationNotFound();
      return toVerificationAnswer(latest);
    });
    return { status: 200, body };
  },
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
  handle: async (call) => {
    const { customerId } = call.params;
    const { vault, nowMs } = call.services;
    const body = await call.atomically(async (trx) => {
      await readCustomer(trx, programmeIds(call.principal), customerId);
      return await readPage(
        vault,
        {
          principal: call.principal.partnerPublicId,
          operation: 'listVerifications',
          filters: { customerId },
        },
        call.query,
        nowMs(),
        (before, limit) => listVerifications(trx, customerId, { limit, beforeId: before ?? null }),
        (verification) => verification.verificationId,
        toVerificationAnswer,
      );
    });
    return { status: 200, body };
  },
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
  handle: async (call) => {
    const body = await call.atomically((trx) =>
      readVerification(trx, programmeIds(call.principal), call.params),
    );
    return { status: 200, body: toVerificationAnswer(body) };
  },
});

export const verifications = [register, readLatest, list, readOne];
