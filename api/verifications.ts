import { readCustomer } from '../db/customers.ts';
import { listVerifications, readVerification, verificationNotFound } from '../db/verifications.ts';
import { readPage } from './pagination.ts';
import { programmeIds, type Reach } from './reach.ts';
import type { Answer, Call } from './route.ts';
import { toVerificationAnswer } from './schemas/verification.ts';

type VerificationCall = Call<Reach, unknown, unknown, unknown>;

/** Answers a user's newest verification. Throws `USER_NOT_FOUND`, `VERIFICATION_NOT_FOUND`. */
export async function readLatestOf(call: VerificationCall, customerId: number): Promise<Answer> {
  const latest = await call.atomically(async (trx) => {
    await readCustomer(trx, programmeIds(call.principal), customerId);
    return (await listVerifications(trx, customerId, { limit: 1, beforeId: null }))[0];
  });
  if (latest === undefined) throw verificationNotFound();
  return { status: 200, body: toVerificationAnswer(latest) };
}

/** Answers a page of a user's verifications. Throws `USER_NOT_FOUND`, `INVALID_CURSOR`. */
export async function listVerificationsOf(
  call: VerificationCall,
  customerId: number,
  page: { readonly limit: number; readonly cursor?: string | undefined },
): Promise<Answer> {
  const { vault, nowMs } = call.services;
  const body = await call.atomically(async (trx) => {
    await readCustomer(trx, programmeIds(call.principal), customerId);
    return await readPage(
      vault,
      { principal: call.principal.reader, operation: 'listVerifications', filters: { customerId } },
      page,
      nowMs(),
      (before, limit) => listVerifications(trx, customerId, { limit, beforeId: before ?? null }),
      (verification) => verification.verificationId,
      toVerificationAnswer,
    );
  });
  return { status: 200, body };
}

/** Answers one verification of a user. Throws `VERIFICATION_NOT_FOUND`. */
export async function readVerificationOf(
  call: VerificationCall,
  named: { readonly customerId: number; readonly verificationId: string },
): Promise<Answer> {
  const found = await call.atomically((trx) => readVerification(trx, programmeIds(call.principal), named));
  return { status: 200, body: toVerificationAnswer(found) };
}
