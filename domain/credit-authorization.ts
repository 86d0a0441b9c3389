import {
  CARD_STEPS,
  chargeOf,
  CURRENCY_STEP,
  DEPOSIT_STEP,
  firstRefusal,
  PARTNER_STEP,
  PROOF_STEPS,
  type Step,
} from './authorization-checks.ts';
import {
  balanceOf,
  type DecisionIds,
  type ForcedFlags,
  NO_FLAGS,
  eventOf,
  newTransaction,
  refusal,
  traceOf,
  triesAfter,
} from './authorization-record.ts';
import type { AuthorizationCommand, AuthorizationView } from './authorization-view.ts';
import { type Effects, type NetworkAnswer, NO_EFFECTS, type Outcome } from './decision.ts';
import { creditExpiry } from './hold.ts';
import { availableOf, entryOf, fundingKindOf, valueAfterAll } from './ledger.ts';
import { answerOf } from './network-answer.ts';
import { advance, EMPTY_FOLD } from './transaction.ts';

/** What an incoming payment goes through; no limits, fee or funds (authorization 3). */
const PAYMENT_STEPS: readonly Step<AuthorizationView>[] = [
  ...CARD_STEPS,
  ...PROOF_STEPS,
  CURRENCY_STEP,
  DEPOSIT_STEP,
  PARTNER_STEP,
];

/**
 * Decides a credit authorization (authorization 11): a refund is only announced, its record posts; an incoming card
 * payment is posted at once.
 */
export function decideCredit(
  view: AuthorizationView,
  command: AuthorizationCommand,
  nowMs: number,
  ids: DecisionIds,
): Outcome<NetworkAnswer> {
  const steps = command.creditReason === 'MONEY_SEND' ? PAYMENT_STEPS : CARD_STEPS;
  const refused = firstRefusal(steps, view, command, nowMs);
  if (refused !== null) return refusal(view, command, ids, refused);
  const charge = chargeOf(view, command);
  return {
    answer: {
      ...answerOf('APPROVED', 'APPROVED', null),
      id: ids.transactionId,
      authorizationCode: ids.approvalCode,
      approvedAmount: charge ?? command.amount,
      currency: charge === null ? command.currency : balanceOf(view).currency,
    },
    effects: announced(view, command, nowMs, ids, NO_FLAGS),
  };
}

/** A transaction for a credit that the network announced, with its money where it comes at once (row 11). */
export function announced(
  view: AuthorizationView,
  command: AuthorizationCommand,
  nowMs: number,
  ids: DecisionIds,
  said: ForcedFlags,
): Effects {
  const amount = chargeOf(view, command) ?? command.amount;
  const movement = { kind: 'announce', amount, expiresAtMs: creditExpiry(nowMs) } as const;
  const fold = advance(EMPTY_FOLD, movement, command.advice === null ? null : 'standIn');
  const transfers =
    command.creditReason === 'MONEY_SEND'
      ? entryOf('refund', fundingKindOf(view.programme.funding), amount)
      : [];
  const balanceAfter = availableOf(valueAfterAll(balanceOf(view), 'U', transfers));
  const created = newTransaction(view, command, { balanceAfter });
  return {
    ...NO_EFFECTS,
    transaction: {
      id: ids.transactionId,
      created: { ...created, approvalCode: command.approvalCode ?? ids.approvalCode },
      fold,
    },
    events: [eventOf('AUTHORIZATION', fold, transfers, traceOf(view, null, said))],
    tries: triesAfter(view, command),
  };
}
