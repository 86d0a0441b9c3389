import { authorizedTotal, chargeOf } from './authorization-checks.ts';
import type { AuthorizationCommand, AuthorizationView } from './authorization-view.ts';
import { isOpen, type Lifecycle } from './transaction.ts';

const DAY_MS = 86_400_000;
/** How long after its clearing an authorization is still put to it (authorization 11). */
export const CLEARED_FIRST_DAYS = 7;

const isForcedClearing = (one: Lifecycle): boolean => one.state === 'CLEARED' && one.authorized === 0;

const isStandIn = (one: Lifecycle): boolean => isOpen(one) && one.flags.includes('standIn');

/** Flag of a forced clearing that has met its authorization: it meets no second one. */
export const AUTHORIZED_LATE = 'authorizedLate';

/**
 * What came before this authorization, of the same reference and amount: a forced clearing, or the advice of the
 * network that has approved it in our place.
 */
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
      (isForcedClearing(one) ? one.amount === amount : isStandIn(one) && authorizedTotal(one) === amount) &&
      !one.flags.includes(AUTHORIZED_LATE) &&
      one.createdAtMs >= nowMs - CLEARED_FIRST_DAYS * DAY_MS,
  );
  return found ?? null;
}
