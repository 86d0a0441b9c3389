/** What is known of the wrong guesses at one secret. */
export interface GuessGuard {
  /** Charged guesses since the last right one. */
  readonly inARow: number;
  /** Times of the guesses charged in the last 24 hours, oldest first. */
  readonly wrongAt: readonly Date[];
  readonly blockedUntil: Date | null;
  /** Nothing is tried any more until somebody lifts it. */
  readonly closed: boolean;
}

/** How far guessing may go (channels 11, "Lockout"). */
export interface GuessPolicy {
  readonly mostInARow: number;
  readonly blockSeconds: number;
  /** `close`: the last guess in a row ends it for good once it was wrong; `wait`: it goes on after the block. */
  readonly then: 'close' | 'wait';
  /** Guesses in 24 hours that end it for good; null = no such bound. */
  readonly mostADay: number | null;
}

/** App PIN and signature of an installation: 5 in a row lock it. The block only covers guesses under way. */
export const DEVICE_POLICY: GuessPolicy = {
  mostInARow: 5,
  blockSeconds: 30,
  then: 'close',
  mostADay: null,
};

/** Password: 5 in a row wait for 30 minutes, 10 in 24 hours for a reset or an operator. */
export const PASSWORD_POLICY: GuessPolicy = {
  mostInARow: 5,
  blockSeconds: 30 * 60,
  then: 'wait',
  mostADay: 10,
};

export const NO_GUESSES: GuessGuard = { inARow: 0, wrongAt: [], blockedUntil: null, closed: false };

export type Charge =
  | { readonly verdict: 'TRY'; readonly guard: GuessGuard; readonly at: Date }
  | { readonly verdict: 'BLOCKED'; readonly guard: GuessGuard; readonly seconds: number }
  | { readonly verdict: 'CLOSED'; readonly guard: GuessGuard };

const DAY_MS = 86_400_000;

/**
 * Charges one guess as if it were wrong, before anybody looks whether it is: what is cut off in between stays
 * charged, and guesses at the same time are counted each. A guard that says TRY or CLOSED has to be kept.
 */
export function chargeGuess(guard: GuessGuard, policy: GuessPolicy, now: Date): Charge {
  if (guard.closed) return { verdict: 'CLOSED', guard };
  if (guard.blockedUntil !== null && guard.blockedUntil > now) {
    const seconds = Math.ceil((guard.blockedUntil.getTime() - now.getTime()) / 1000);
    return { verdict: 'BLOCKED', guard, seconds };
  }
  const waited = guard.inARow >= policy.mostInARow;
  if (waited && policy.then === 'close') return { verdict: 'CLOSED', guard: { ...guard, closed: true } };
  const inARow = (waited ? 0 : guard.inARow) + 1;
  const wrongAt = [...recent(guard.wrongAt, now), now];
  const charged: GuessGuard = {
    inARow,
    wrongAt,
    blockedUntil: inARow >= policy.mostInARow ? new Date(now.getTime() + policy.blockSeconds * 1000) : null,
    closed: policy.mostADay !== null && wrongAt.length >= policy.mostADay,
  };
  return { verdict: 'TRY', guard: charged, at: now };
}

/** After a right guess: the row starts anew, and the guess charged at `at` was none of the wrong ones. */
export function settleRight(guard: GuessGuard, policy: GuessPolicy, at: Date): GuessGuard {
  const mine = guard.wrongAt.findIndex((one) => one.getTime() === at.getTime());
  const wrongAt = guard.wrongAt.filter((_one, index) => index !== mine);
  const closed = policy.mostADay !== null && wrongAt.length >= policy.mostADay;
  return { inARow: 0, wrongAt, blockedUntil: null, closed };
}

/** After a wrong guess: the last one in a row closes what closes. */
export const settleWrong = (guard: GuessGuard, policy: GuessPolicy): GuessGuard =>
  policy.then === 'close' && guard.inARow >= policy.mostInARow ? { ...guard, closed: true } : guard;

const recent = (times: readonly Date[], now: Date): Date[] =>
  times.filter((one) => one.getTime() > now.getTime() - DAY_MS);
