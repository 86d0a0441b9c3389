import { listVerifications, verificationNotFound } from '../../db/verifications.ts';
import { customerRoute } from '../customer-principal.ts';
import { toVerificationAnswer, verificationBody, verificationSchema } from '../schemas/verification.ts';
import { FORM_BYTES, SUBMIT_REFUSALS, submitForm } from '../submit-verification.ts';

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
  handle: async (call) => {
    const { customerId } = call.principal;
    const body = await call.atomically(async (trx) => {
      const [latest] = await listVerifications(trx, customerId, { limit: 1, beforeId: null });
      if (latest === undefined) throw verificationNotFound();
      return toVerificationAnswer(latest);
    });
    return { status: 200, body };
  },
});

export const verifications = [register, readLatest];
