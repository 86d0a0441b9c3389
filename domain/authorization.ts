import { decideAdvice } from './advice.ts';
import { approval } from './approval.ts';
import {
  CARD_STEPS,
  chargeOf,
  CURRENCY_STEP,
  firstRefusal,
  MONEY_STEPS,
  PROOF_STEPS,
  type RefusedAt,
  UNKNOWN_CARD_STEPS,
} from './authorization-checks.ts';
import {
  balanceOf,
  type DecisionIds,
  FAULT_STEP,
  laterEventOf,
  refusal,
  traceOf,
  triesAfter,
} from './authorization-record.ts';
import type { AuthorizationCommand, AuthorizationView } from './authorization-view.ts';
import { answerInquiry } from './balance-inquiry.ts';
import { AUTHORIZED_LATE, clearedFirst } from './cleared-first.ts';
import { decideCredit } from './credit-authorization.ts';
import { type NetworkAnswer, NO_EFFECTS, type Outcome } from './decision.ts';
import { decideIncrement } from './increment.ts';
import { availableOf } from './ledger.ts';
import { answerOf, refusalAnswer, refuse } from './network-answer.ts';
import { advance, type Lifecycle } from './transaction.ts';

export type { DecisionIds } from './authorization-record.ts';

/**
 * Decides one message of `/processor/authorizations` (authorization 3 to 5, 10, 11): no I/O, no clock, no randomness,
 * and `view` is never changed. `view` is null when the processor's card is not known. All amounts are minor units.
 */
export function decide(
  view: AuthorizationView | null,
  command: AuthorizationCommand,
  nowMs: number,
  ids: DecisionIds,
): Outcome<NetworkAnswer> {
  if (command.advice !== null) return decideAdvice(view, command, nowMs, ids);
  if (view === null) {
    const refused =
      firstRefusal(UNKNOWN_CARD_STEPS, null, command, nowMs) ?? refuse('UNKNOWN_ERROR', 'INTERNAL');
    return { answer: refusalAnswer(refused, null, command.currency), effects: NO_EFFECTS };
  }
  switch (command.kind) {
    case 'AUTHORIZATION':
      return authorize(view, command, nowMs, ids);
    case 'INCREMENTAL':
      return decideIncrement(view, command, nowMs, ids);
    case 'CREDIT_AUTHORIZATION':
      return decideCredit(view, command, nowMs, ids);
    case 'BALANCE_INQUIRY': {
      const refused = firstRefusal([...CARD_STEPS, ...PROOF_STEPS], view, command, nowMs);
      return refused === null
        ? answerInquiry(view, command, nowMs, ids)
        : refusal(view, command, ids, refused);
    }
  }
}

/** A decision that broke off: declined, recorded, no money (authorization 7). */
export function declineAsFault(
  view: AuthorizationView | null,
  command: AuthorizationCommand,
  ids: DecisionIds,
): Outcome<NetworkAnswer> {
  const refused = { ...refuse('UNKNOWN_ERROR', 'INTERNAL'), step: FAULT_STEP };
  if (view === null) {
    return { answer: refusalAnswer(refused, null, command.currency), effects: NO_EFFECTS };
  }
  return refusal(view, command, ids, refused);
}

/** Answer to a known key with other content: nothing else happens (authorization 2). */
export const duplicateKeyConflict = (currency: string): NetworkAnswer =>
  refusalAnswer(refuse('UNKNOWN_ERROR', 'DUPLICATE_KEY_CONFLICT'), null, currency);

function authorize(
  view: AuthorizationView,
  command: AuthorizationCommand,
  nowMs: number,
  ids: DecisionIds,
): Outcome<NetworkAnswer> {
  const early = firstRefusal([...CARD_STEPS, ...PROOF_STEPS, CURRENCY_STEP], view, command, nowMs);
  if (early !== null) return refusal(view, command, ids, early);
  const cleared = clearedFirst(view, command, nowMs);
  if (cleared !== null) return attached(view, command, ids, cleared);
  const amount = chargeOf(view, command) ?? 0;
  const short = firstRefusal(MONEY_STEPS, view, command, nowMs);
  if (short === null) return approval(view, command, nowMs, ids, amount);
  const part = partOf(view, command, short);
  return part === 0
    ? refusal(view, command, ids, short)
    : approval(view, command, nowMs, ids, Math.min(amount, part));
}

/** The most that can be approved in part, 0 where that is not offered (authorization 11). */
function partOf(
  { programme, deposit, balance }: AuthorizationView,
  { type, partialApprovalSupported }: AuthorizationCommand,
  { step }: RefusedAt,
): number {
  const offered = programme.allowPartialApproval && partialApprovalSupported && type === 'pos';
  const decidedHere = programme.balanceHolder === 'platform' && !programme.sharedAuthorization;
  if (!offered || !decidedHere || (step !== 18 && step !== 19) || balance === null) return 0;
  if (programme.funding === 'deposit' && deposit === null) return 0;
  const covered = deposit?.enforced === true ? availableOf(deposit) : Infinity;
  return Math.max(0, Math.min(availableOf(balance), covered));
}

/** Its money was booked by the clearing that came first: nothing is held or counted for it again. */
function attached(
  view: AuthorizationView,
  command: AuthorizationCommand,
  ids: DecisionIds,
  lifecycle: Lifecycle,
): Outcome<NetworkAnswer> {
  const fold = advance(lifecycle, { kind: 'note' }, AUTHORIZED_LATE);
  const event = laterEventOf(
    command,
    fold,
    lifecycle.amount,
    [],
    traceOf(view, null, { flags: ['CLEARED_FIRST'], flagged: [] }),
  );
  return {
    answer: {
      ...answerOf('APPROVED', 'APPROVED', null),
      id: lifecycle.id,
      authorizationCode: ids.approvalCode,
      approvedAmount: lifecycle.amount,
      currency: balanceOf(view).currency,
    },
    effects: {
      ...NO_EFFECTS,
      transaction: { id: lifecycle.id, created: null, fold },
      events: [event],
      tries: triesAfter(view, command),
    },
  };
}
