import { localDay } from './limit-periods.ts';

/** Wrong passwords or codes in a row that lock an operator out (channels 12). */
export const OPERATOR_TRIES = 5;
const LEAST_MS = 30 * 60 * 1_000;
const QUARTER_HOUR_MS = 15 * 60 * 1_000;

/**
 * When a lock-out that begins at `now` ends: at the next midnight of `timeZone` (an IANA name), at least 30 minutes
 * later. A day begins on a whole quarter of an hour in every zone, also where the clocks change.
 */
export function lockedUntil(now: Date, timeZone: string): Date {
  const today = localDay(now.getTime(), timeZone);
  let midnight = Math.floor(now.getTime() / QUARTER_HOUR_MS) * QUARTER_HOUR_MS;
  while (localDay(midnight, timeZone) <= today) midnight += QUARTER_HOUR_MS;
  return new Date(Math.max(now.getTime() + LEAST_MS, midnight));
}
