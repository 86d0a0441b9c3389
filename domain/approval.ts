import { chargeOf, leftOf } from './authorization-checks.ts';
import {
  balanceOf,
  type DecisionIds,
  type ForcedFlags,
  NO_FLAGS,
  eventKindOf,
  eventOf,
  idsOf,
  newTransaction,
  traceOf,
  triesAfter,
} from './authorization-record.ts';
import type { AuthorizationCommand, AuthorizationView } from './authorization-view.ts';
import { type ExceptionEffect, type NetworkAnswer, NO_EFFECTS, type Outcome } from './decision.ts';
import { holdExpiry } from './hold.ts';
import { availableOf, entryOf, fundingKindOf, holdsAfter, valueAfterAll } from './ledger.ts';
import { subtract } from './money.ts';
import { acknowledged, answerOf } from './network-answer.ts';
import { advance, EMPTY_FOLD } from './transaction.ts';

/** Approves `amount` of an authorization and holds it (row 1); less than asked is a partial approval. */
export function approval(
  view: AuthorizationView,
  command: AuthorizationCommand,
  nowMs: number,
  ids: DecisionIds,
  amount: number,
): Outcome<NetworkAnswer> {
  const partial = amount < (chargeOf(view, command) ?? 0);
  const made = held(view, command, nowMs, ids, {
    amount,
    code: ids.approvalCode,
    said: NO_FLAGS,
    flag: null,
    relatedId: null,
  });
  const answer = answerOf(partial ? 'PARTIALLY_APPROVED' : 'APPROVED', 'APPROVED', null);
  const codes = partial ? { actionCode: '0002', responseCode: '10' } : {};
  const outcome: Outcome<NetworkAnswer> = {
    answer: {
      ...answer,
      ...codes,
      id: ids.transactionId,
      authorizationCode: ids.approvalCode,
      approvedAmount: amount,
      currency: balanceOf(view).currency,
    },
    effects: made,
  };
  return view.tombstones.length === 0 ? outcome : reduced(view, outcome, nowMs);
}

interface Forced extends ForcedFlags {
  readonly exceptions: readonly ExceptionEffect[];
  readonly relatedId: string | null;
}

/** Holds what the network approved without us, whatever the checks say (authorization 10). */
export function forcedHold(
  view: AuthorizationView,
  command: AuthorizationCommand,
  nowMs: number,
  ids: DecisionIds,
  { flags, flagged, exceptions, relatedId }: Forced,
): Outcome<NetworkAnswer> {
  const amount = chargeOf(view, command) ?? 0;
  const effects = held(view, command, nowMs, ids, {
    amount,
    code: command.approvalCode,
    said: { flags, flagged },
    flag: 'standIn',
    relatedId,
  });
  return {
    answer: acknowledged(ids.transactionId, 'APPROVED', amount, balanceOf(view).currency),
    effects: { ...effects, forced: true, exceptions },
  };
}

interface Hold {
  readonly amount: number;
  readonly code: string | null;
  readonly said: ForcedFlags;
  readonly flag: string | null;
  readonly relatedId: string | null;
}

function held(
  view: AuthorizationView,
  command: AuthorizationCommand,
  nowMs: number,
  ids: DecisionIds,
  { amount, code: approvalCode, said, flag, relatedId }: Hold,
): Outcome<NetworkAnswer>['effects'] {
  const expiresAtMs = holdExpiry(nowMs, { ...command, programmeDays: view.programme.holdDays });
  const transfers = entryOf('authorization', fundingKindOf(view.programme.funding), amount);
  const fold = advance(EMPTY_FOLD, { kind: 'authorize', amount, expiresAtMs }, flag);
  const balanceAfter = availableOf(valueAfterAll(balanceOf(view), 'U', transfers));
  return {
    ...NO_EFFECTS,
    transaction: {
      id: ids.transactionId,
      created: { ...newTransaction(view, command, { balanceAfter }), approvalCode, amount, relatedId },
      fold,
    },
    events: [eventOf(eventKindOf(command), fold, transfers, traceOf(view, null, said))],
    tries: triesAfter(view, command),
  };
}

/** Takes off at once what reversals that came earlier had already given back in part (authorization 9). */
function reduced(
  view: AuthorizationView,
  outcome: Outcome<NetworkAnswer>,
  atMs: number,
): Outcome<NetworkAnswer> {
  const { transaction, events } = outcome.effects;
  const [first] = events;
  if (transaction === null || first === undefined) return outcome;
  const usedTombstoneIds = idsOf(view);
  const amount = subtract(transaction.fold.held, leftOf(view.tombstones, transaction.fold.held));
  if (amount === 0) return { ...outcome, effects: { ...outcome.effects, usedTombstoneIds } };
  const holds = holdsAfter([], first.seq, first.transfers);
  const fold = advance(transaction.fold, { kind: 'release', amount, cause: 'reversal', atMs });
  const transfers = entryOf('release', fundingKindOf(view.programme.funding), amount, holds);
  return {
    ...outcome,
    effects: {
      ...outcome.effects,
      transaction: { ...transaction, fold },
      events: [first, { ...eventOf('REVERSAL', fold, transfers, first.trace), amount }],
      usedTombstoneIds,
    },
  };
}
