/** Days before its end at which people are reminded of a certificate (channels 9). */
const REMINDER_DAYS = [60, 30, 14, 7, 1] as const;

/** The earliest reminder: nothing that ends later has to be looked at. */
export const FIRST_REMINDER_DAYS = REMINDER_DAYS[0];

const DAY_MS = 86_400_000;

/**
 * The reminder that is due for what ends at `notAfter`, by its days; null when none is, or when it was sent already.
 * Where several were missed only the newest is due. `reminded` are the days of the newest one sent.
 */
export function dueReminder(notAfter: Date, now: Date, reminded: number | null): number | null {
  const leftMs = notAfter.getTime() - now.getTime();
  if (leftMs <= 0) return null;
  const due = REMINDER_DAYS.findLast((days) => leftMs <= days * DAY_MS);
  return due === undefined || (reminded !== null && reminded <= due) ? null : due;
}
