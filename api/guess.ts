import { audit } from '../db/audit-log.ts';
import { chargeGuard, type Guarded, settleGuard } from '../db/guess-guards.ts';
import { Refusal } from '../domain/errors.ts';
import type { GuessPolicy } from '../domain/guess-guard.ts';
import type { Call } from './route.ts';

type AnyCall = Pick<Call<unknown, unknown, unknown, unknown>, 'atomically'>;

/** `LAST`: wrong, and nothing is tried any more. `CLOSED`: it was not looked at. */
export type GuessOutcome = 'RIGHT' | 'WRONG' | 'LAST' | 'CLOSED';

/**
 * Looks at one guess at a secret. It is charged and committed before `verify` runs, and settled before the verdict
 * is given (channels 11): neither guesses at the same time nor a connection that breaks in between are free. Throws
 * `TOO_MANY_ATTEMPTS` while guesses have to wait.
 */
export async function guess(
  call: AnyCall,
  guarded: Guarded,
  policy: GuessPolicy,
  verify: () => Promise<boolean>,
): Promise<GuessOutcome> {
  const failed = {
    action: 'sign_in.failed',
    objectType: 'guard',
    objectId: guarded.name,
    result: 'DENIED',
  } as const;
  const charge = await call.atomically(async (trx) => {
    const charged = await chargeGuard(trx, guarded, policy);
    if (charged.verdict === 'BLOCKED') await audit(trx, failed);
    return charged;
  });
  if (charge.verdict === 'BLOCKED') throw tooManyAttempts(charge.seconds);
  if (charge.verdict === 'CLOSED') return 'CLOSED';
  const right = await verify();
  const closed = await call.atomically(async (trx) => {
    if (!right) await audit(trx, failed);
    return await settleGuard(trx, guarded, policy, { right, at: charge.at });
  });
  if (right) return 'RIGHT';
  return closed ? 'LAST' : 'WRONG';
}

/** Guessing has to wait. */
export const tooManyAttempts = (seconds: number): Refusal =>
  new Refusal('TOO_MANY_ATTEMPTS', 'Too many wrong tries. Wait before the next one.', {
    retryAfterSeconds: seconds,
  });
