import { chargeOf } from './authorization-checks.ts';
import type { AuthorizationCommand, AuthorizationView } from './authorization-view.ts';
import type { Lifecycle } from './transaction.ts';

const DAY_MS = 86_400_000;
/** How long after its clearing an authorization is still put to it (authorization 11). */
export const CLEARED_FIRST_DAYS = 7;

/** The forced clearing that came before this authorization: same reference and amount, never authorized. */
export function clearedFirst(
  view: AuthorizationView,
  command: AuthorizationCommand,
  nowMs: number,
): Lifecycle | null {
  if (command.kind !== 'AUTHORIZATION' || command.networkReference === null) return null;
  const amount = chargeOf(view, command);
  const found = view.candidates.find(
    (one) =>
      one.networkReference === command.networkReference &&
      one.category === 'DEBIT' &&
      one.state === 'CLEARED' &&
      one.authorized === 0 &&
      one.amount === amount &&
      // One that was authorized late has the event of it already.
      one.eventCount === 1 &&
      one.createdAtMs >= nowMs - CLEARED_FIRST_DAYS * DAY_MS,
  );
  return found ?? null;
}
