import {
  authorizedTotal,
  CARD_STEPS,
  chargeOf,
  CURRENCY_STEP,
  firstRefusal,
  incremented,
  MONEY_STEPS,
  PROOF_STEPS,
  REFERENCE_STEP,
  type RefusedAt,
} from './authorization-checks.ts';
import {
  balanceOf,
  type DecisionIds,
  type ForcedFlags,
  NO_FLAGS,
  laterEventOf,
  proofEffects,
  refusal,
  refusedEvent,
  traceOf,
  triesAfter,
} from './authorization-record.ts';
import type { AuthorizationCommand, AuthorizationView } from './authorization-view.ts';
import { type Effects, type NetworkAnswer, NO_EFFECTS, type Outcome } from './decision.ts';
import { holdExpiry } from './hold.ts';
import { entryOf, fundingKindOf } from './ledger.ts';
import { subtract } from './money.ts';
import { answerOf, refusalAnswer } from './network-answer.ts';
import { advance, type Lifecycle } from './transaction.ts';

/**
 * Decides an increment: every check on what is added; approved, the hold grows and its time starts again; refused,
 * the old hold stays (authorization 11).
 */
export function decideIncrement(
  view: AuthorizationView,
  command: AuthorizationCommand,
  nowMs: number,
  ids: DecisionIds,
): Outcome<NetworkAnswer> {
  const early = firstRefusal([...CARD_STEPS, REFERENCE_STEP], view, command, nowMs);
  const lifecycle = incremented(view, command);
  if (early !== null || lifecycle === null) {
    return early !== null && lifecycle !== null
      ? refusedIncrement(view, command, lifecycle, early)
      : refusal(view, command, ids, early ?? { description: 'UNKNOWN_ERROR', reason: 'INTERNAL', step: 8 });
  }
  const increment = incrementOf(asPartOf(command, lifecycle), lifecycle);
  // A total that is reached already adds nothing: there is nothing to ask funds for.
  const money = increment.amount > 0 ? MONEY_STEPS : [];
  const late = firstRefusal([...PROOF_STEPS, CURRENCY_STEP, ...money], view, increment, nowMs);
  if (late !== null) return refusedIncrement(view, increment, lifecycle, late);
  return {
    answer: {
      ...answerOf('APPROVED', 'APPROVED', null),
      id: lifecycle.id,
      authorizationCode: lifecycle.approvalCode ?? ids.approvalCode,
      approvedAmount: chargeOf(view, increment),
      currency: balanceOf(view).currency,
    },
    effects: {
      ...increasedBy(view, increment, lifecycle, nowMs, NO_FLAGS),
      tries: triesAfter(view, command),
    },
  };
}

/** Where and how the money is spent, as far as the increment itself does not say. */
const asPartOf = (command: AuthorizationCommand, lifecycle: Lifecycle): AuthorizationCommand => ({
  ...command,
  type: lifecycle.type,
  captureMode: lifecycle.captureMode ?? command.captureMode,
  mcc: command.mcc ?? lifecycle.mcc,
  country: command.country ?? lifecycle.country,
});

/** The command with what is to be added in the balance's currency as its amount. */
export function incrementOf(command: AuthorizationCommand, lifecycle: Lifecycle): AuthorizationCommand {
  const { cumulativeAmount } = command;
  if (cumulativeAmount === null) return command;
  const amount = Math.max(0, subtract(cumulativeAmount, authorizedTotal(lifecycle)));
  return { ...command, amount, originalAmount: null, originalCurrency: null };
}

/** What a larger hold changes (row 2); the command's amount is what is added. */
export function increasedBy(
  view: AuthorizationView,
  command: AuthorizationCommand,
  lifecycle: Lifecycle,
  nowMs: number,
  said: ForcedFlags,
): Effects {
  const amount = chargeOf(view, command) ?? 0;
  const facts = { ...command, type: lifecycle.type, programmeDays: view.programme.holdDays };
  // What made the first hold last longer, a pre-authorization, is not said again.
  const expiresAtMs = Math.max(lifecycle.expiresAtMs ?? 0, holdExpiry(nowMs, facts));
  const fold = advance(
    lifecycle,
    { kind: 'increase', amount, expiresAtMs },
    command.advice === null ? null : 'standIn',
  );
  const transfers = entryOf('increment', fundingKindOf(view.programme.funding), amount, lifecycle.holds);
  return {
    ...NO_EFFECTS,
    transaction: { id: lifecycle.id, created: null, fold },
    events: [laterEventOf(command, fold, amount, transfers, traceOf(view, null, said))],
  };
}

function refusedIncrement(
  view: AuthorizationView,
  command: AuthorizationCommand,
  lifecycle: Lifecycle,
  refused: RefusedAt,
): Outcome<NetworkAnswer> {
  const fold = advance(lifecycle, { kind: 'note' });
  const { amount, externalId, localAt: occurredAt } = command;
  const event = { ...refusedEvent(view, command, fold, refused), amount, externalId, occurredAt };
  return {
    answer: refusalAnswer(refused, lifecycle.id, balanceOf(view).currency),
    effects: {
      ...NO_EFFECTS,
      transaction: { id: lifecycle.id, created: null, fold },
      events: [event],
      ...proofEffects(view, command, refused),
    },
  };
}
