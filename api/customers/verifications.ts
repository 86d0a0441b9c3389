import { customerRoute } from '../customer-principal.ts';
import { listOf, page, uuid, z } from '../schemas/shared.ts';
import { verificationBody, verificationSchema } from '../schemas/verification.ts';
import { FORM_BYTES, SUBMIT_REFUSALS, submitForm } from '../submit-verification.ts';
import { listVerificationsOf, readLatestOf, readVerificationOf } from '../verifications.ts';

const register = customerRoute({
  operation: 'submitOwnVerification',
  method: 'POST',
  path: '/me/register',
  aliases: [{ path: '/me/verification' }],
  summary: 'Send your verification form',
  jwe: 'open',
  idempotency: 'accepted',
  contentType: 'multipart/form-data',
  maxBodyBytes: FORM_BYTES,
  body: verificationBody,
  answers: { 201: { description: 'the verification', schema: verificationSchema } },
  refusals: SUBMIT_REFUSALS,
  handle: (call) =>
    submitForm(call, { customerId: call.principal.customerId, channel: 'CUSTOMER', location: null }),
});

const readLatest = customerRoute({
  operation: 'readOwnVerification',
  method: 'GET',
  path: '/me/register',
  aliases: [{ path: '/me/verification' }],
  summary: 'Read your latest verification',
  jwe: 'open',
  idempotency: 'ignored',
  answers: { 200: { description: 'the verification', schema: verificationSchema } },
  refusals: ['VERIFICATION_NOT_FOUND'],
  handle: (call) => readLatestOf(call, call.principal.customerId),
});

const list = customerRoute({
  operation: 'listOwnVerifications',
  method: 'GET',
  path: '/me/verifications',
  summary: 'List your verifications',
  jwe: 'open',
  idempotency: 'ignored',
  query: z.strictObject(page),
  answers: { 200: { description: 'verifications, newest first', schema: listOf(verificationSchema) } },
  refusals: ['INVALID_CURSOR'],
  handle: (call) => listVerificationsOf(call, call.principal.customerId, call.query),
});

const readOne = customerRoute({
  operation: 'readOneOfOwnVerifications',
  method: 'GET',
  path: '/me/verifications/{verificationId}',
  summary: 'Read one of your verifications',
  jwe: 'open',
  idempotency: 'ignored',
  params: z.strictObject({ verificationId: uuid() }),
  answers: { 200: { description: 'the verification', schema: verificationSchema } },
  refusals: ['VERIFICATION_NOT_FOUND'],
  handle: (call) => readVerificationOf(call, { ...call.params, customerId: call.principal.customerId }),
});

export const verifications = [register, readLatest, list, readOne];
