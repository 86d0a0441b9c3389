import { setTimeout as sleep } from 'node:timers/promises';
import { Difference } from './difference.ts';

/** How long a process that was killed may take to come back (operations 2). */
export const PATIENCE_MS = 30_000;

const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 1_000;
const POLL_MS = 100;

/** One try: its result, or why it has to be tried again. */
export type Try<T> = { readonly done: T } | { readonly again: string };

/**
 * Tries until there is a result, for 30 s. The same work is done each time, so an idempotency key must be made
 * before. Throws a `Difference` with the last reason when the time is over.
 */
export async function patiently<T>(what: string, attempt: () => Promise<Try<T>>): Promise<T> {
  const deadlineMs = Date.now() + PATIENCE_MS;
  for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs = Math.min(pauseMs * 2, LONGEST_PAUSE_MS)) {
    const tried = await attempt();
    if ('done' in tried) return tried.done;
    if (Date.now() + pauseMs > deadlineMs) {
      throw new Difference(what, `an answer within ${PATIENCE_MS / 1_000} s`, tried.again);
    }
    await sleep(pauseMs);
  }
}

/** Reads until `isThere`; throws a `Difference` with what was read last when the time is over. */
export async function eventually<T>(
  what: string,
  expected: string,
  read: () => Promise<T>,
  isThere: (value: T) => boolean,
  withinMs = PATIENCE_MS,
): Promise<T> {
  const deadlineMs = Date.now() + withinMs;
  for (;;) {
    const value = await read();
    if (isThere(value)) return value;
    if (Date.now() > deadlineMs)
      throw new Difference(what, `${expected} within ${withinMs / 1_000} s`, value);
    await sleep(POLL_MS);
  }
}
