/** What went to one phone number or e-mail address, and how its codes were guessed at. */
export interface AddressGuard {
  readonly sentAt: readonly Date[];
  readonly killedAt: readonly Date[];
  readonly blockedUntil: Date | null;
}

export const NOTHING_SENT: AddressGuard = { sentAt: [], killedAt: [], blockedUntil: null };

const QUARTER_MS = 15 * 60_000;
const DAY_MS = 86_400_000;
const MOST_A_QUARTER = 3;
const MOST_A_DAY = 10;
const MOST_KILLED = 10;

export type SendVerdict =
  | { readonly verdict: 'SEND'; readonly guard: AddressGuard }
  | { readonly verdict: 'TOO_MANY_REQUESTS' | 'TOO_MANY_ATTEMPTS'; readonly seconds: number };

/** May one more code go out (channels 14: 3 in 15 minutes, 10 a day; channels 11: none while blocked). */
export function chargeSending(guard: AddressGuard, now: Date): SendVerdict {
  if (guard.blockedUntil !== null && guard.blockedUntil > now) {
    return { verdict: 'TOO_MANY_ATTEMPTS', seconds: secondsUntil(guard.blockedUntil.getTime(), now) };
  }
  const sentAt = within(guard.sentAt, DAY_MS, now);
  const quarter = within(sentAt, QUARTER_MS, now);
  const freeAt = Math.max(freedAt(quarter, MOST_A_QUARTER, QUARTER_MS), freedAt(sentAt, MOST_A_DAY, DAY_MS));
  if (freeAt > now.getTime()) return { verdict: 'TOO_MANY_REQUESTS', seconds: secondsUntil(freeAt, now) };
  return { verdict: 'SEND', guard: { ...guard, sentAt: [...sentAt, now], blockedUntil: null } };
}

/** After a code died of wrong guesses: the tenth in a day ends sending for 24 hours. */
export function countKilled(guard: AddressGuard, now: Date): AddressGuard {
  const killedAt = [...within(guard.killedAt, DAY_MS, now), now];
  const blocked = killedAt.length >= MOST_KILLED;
  return {
    ...guard,
    killedAt,
    blockedUntil: blocked ? new Date(now.getTime() + DAY_MS) : guard.blockedUntil,
  };
}

/** Takes one back that `countKilled` has counted at `at`, with the block that it began. */
export function forgetKilled(guard: AddressGuard, at: Date): AddressGuard {
  const counted = guard.killedAt.findIndex((one) => one.getTime() === at.getTime());
  if (counted < 0) return guard;
  const began = guard.blockedUntil?.getTime() === at.getTime() + DAY_MS;
  return {
    ...guard,
    killedAt: guard.killedAt.toSpliced(counted, 1),
    blockedUntil: began ? null : guard.blockedUntil,
  };
}

const within = (times: readonly Date[], spanMs: number, now: Date): Date[] =>
  times.filter((one) => one.getTime() > now.getTime() - spanMs);

/** When the oldest of a full window leaves it; 0 while there is room. `times` are in order. */
function freedAt(times: readonly Date[], most: number, spanMs: number): number {
  const oldest = times.at(-most);
  return oldest === undefined ? 0 : oldest.getTime() + spanMs;
}

const secondsUntil = (atMs: number, now: Date): number =>
  Math.max(1, Math.ceil((atMs - now.getTime()) / 1000));
