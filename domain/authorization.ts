import {
  chargeOf,
  firstRefusal,
  leftOf,
  MONEY_STEPS,
  PIN_LOCK,
  refuse,
  type Refused,
  type RefusedAt,
  STEPS,
  UNKNOWN_CARD_STEPS,
} from './authorization-checks.ts';
import type { AuthorizationCommand, AuthorizationView, Verdict } from './authorization-view.ts';
import type { EventEffect, NetworkAnswer, Outcome, RefusingStep, Trace } from './decision.ts';
import { NO_EFFECTS } from './decision.ts';
import { holdExpiry } from './hold.ts';
import { availableOf, entryOf, holdsAfter, valueAfterAll } from './ledger.ts';
import { subtract } from './money.ts';
import { type Description, responseOf } from './response-code.ts';
import {
  advance,
  type BalanceView,
  EMPTY_FOLD,
  type EventKind,
  type Fold,
  type Movement,
  wireStatus,
} from './transaction.ts';

/** Made before the decision, so that it stays a function of its arguments. */
export interface DecisionIds {
  readonly transactionId: string;
  readonly approvalCode: string;
}

const CVC_TRIES = 5;
/** After all checks: what breaks off there is our own fault. */
const FAULT_STEP = 21;

/**
 * Decides one authorization or balance inquiry (authorization 3 to 5): no I/O, no clock, no randomness, and
 * `view` is never changed. `view` is null when the processor's card is not known. All amounts are minor units.
 */
export function decide(
  view: AuthorizationView | null,
  command: AuthorizationCommand,
  nowMs: number,
  ids: DecisionIds,
): Outcome<NetworkAnswer> {
  if (view === null) {
    const refused =
      firstRefusal(UNKNOWN_CARD_STEPS, null, command, nowMs) ?? refuse('UNKNOWN_ERROR', 'INTERNAL');
    return { answer: refusalAnswer(refused, null, command.currency), effects: NO_EFFECTS };
  }
  const inquiry = command.kind === 'BALANCE_INQUIRY';
  const steps = inquiry ? STEPS : [...STEPS, ...MONEY_STEPS];
  const refused = firstRefusal(steps, view, command, nowMs);
  if (refused !== null) return refusal(view, command, ids, refused);
  return inquiry ? inquiryAnswered(view, command, nowMs, ids) : approval(view, command, nowMs, ids);
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

function approval(
  view: AuthorizationView,
  command: AuthorizationCommand,
  nowMs: number,
  ids: DecisionIds,
): Outcome<NetworkAnswer> {
  const amount = chargeOf(view, command) ?? 0;
  const balance = balanceOf(view);
  const expiresAtMs = holdExpiry(nowMs, { ...command, programmeDays: view.programme.holdDays });
  const kind = view.programme.funding === 'credit' ? 'A' : 'B';
  const transfers = entryOf('authorization', kind, amount);
  const fold = advance(EMPTY_FOLD, { kind: 'authorize', amount, expiresAtMs });
  const event = eventOf('AUTHORIZATION', fold, 'APPROVED', null, transfers, traceOf(view, null));
  const after = availableOf(valueAfterAll(balance, 'U', transfers));
  const outcome: Outcome<NetworkAnswer> = {
    answer: {
      ...answerOf('APPROVED', 'APPROVED', null),
      id: ids.transactionId,
      authorizationCode: ids.approvalCode,
      approvedAmount: amount,
      currency: balance.currency,
    },
    effects: {
      ...NO_EFFECTS,
      transaction: {
        id: ids.transactionId,
        created: { ...created(view, command, null, after), approvalCode: ids.approvalCode, amount },
        fold,
      },
      events: [event],
      tries: triesAfter(view, command),
    },
  };
  return view.tombstones.length === 0 ? outcome : reduced(view, outcome, kind, nowMs);
}

/** Takes off at once what reversals that came earlier had already given back in part (authorization 9). */
function reduced(
  view: AuthorizationView,
  outcome: Outcome<NetworkAnswer>,
  kind: 'A' | 'B',
  atMs: number,
): Outcome<NetworkAnswer> {
  const { transaction, events } = outcome.effects;
  const [first] = events;
  if (transaction === null || first === undefined) return outcome;
  const usedTombstoneIds = idsOf(view);
  const { held } = transaction.fold;
  const amount = subtract(held, leftOf(view.tombstones, held));
  if (amount === 0) return { ...outcome, effects: { ...outcome.effects, usedTombstoneIds } };
  const holds = holdsAfter([], first.seq, first.transfers);
  const fold = advance(transaction.fold, { kind: 'release', amount, cause: 'reversal', atMs });
  const transfers = entryOf('release', kind, amount, holds);
  const reversal = { ...eventOf('REVERSAL', fold, 'APPROVED', null, transfers, first.trace), amount };
  return {
    ...outcome,
    effects: {
      ...outcome.effects,
      transaction: { ...transaction, fold },
      events: [first, reversal],
      usedTombstoneIds,
    },
  };
}

function inquiryAnswered(
  view: AuthorizationView,
  command: AuthorizationCommand,
  nowMs: number,
  ids: DecisionIds,
): Outcome<NetworkAnswer> {
  const balance = balanceOf(view);
  const available = availableOf(balance);
  const fold = advance(EMPTY_FOLD, { kind: 'post', amount: 0, atMs: nowMs });
  return {
    answer: {
      ...answerOf('APPROVED', 'APPROVED', null),
      id: ids.transactionId,
      responseCode: command.statusOnly ? '85' : '00',
      approvedAmount: 0,
      currency: balance.currency,
      availableAmount: command.statusOnly ? null : Math.max(0, available),
    },
    effects: {
      ...NO_EFFECTS,
      transaction: { id: ids.transactionId, created: created(view, command, null, available), fold },
      events: [eventOf('BALANCE_INQUIRY', fold, 'APPROVED', null, [], traceOf(view, null))],
      tries: triesAfter(view, command),
    },
  };
}

function refusal(
  view: AuthorizationView,
  command: AuthorizationCommand,
  ids: DecisionIds,
  refused: RefusedAt,
): Outcome<NetworkAnswer> {
  const { description, reason, step } = refused;
  const status = responseOf(description, reason).processingStatus;
  const movement: Movement = { kind: 'refuse', state: status === 'INVALID' ? 'INVALID' : 'DECLINED' };
  const fold = advance(EMPTY_FOLD, movement);
  const kind = command.kind === 'BALANCE_INQUIRY' ? 'BALANCE_INQUIRY' : 'AUTHORIZATION';
  const available = view.balance === null ? null : availableOf(view.balance);
  const triesCounted = step >= 9 && step < FAULT_STEP;
  const locks =
    step === 9 && command.verdicts.pin === 'NO_MATCH' && view.card.pinTriesLeft <= 1 ? PIN_LOCK : null;
  return {
    answer: refusalAnswer(refused, ids.transactionId, view.balance?.currency ?? command.currency),
    effects: {
      ...NO_EFFECTS,
      transaction: {
        id: ids.transactionId,
        created: created(view, command, { description, reason }, available),
        fold,
      },
      events: [
        eventOf(kind, fold, description, reason, [], traceOf(view, { step, values: refused.values ?? {} })),
      ],
      tries: triesCounted ? triesAfter(view, command) : null,
      lockCode: locks,
      usedTombstoneIds: idsOf(view),
    },
  };
}

/** They take effect once, on the first message they hit, whatever becomes of it. */
const idsOf = ({ tombstones }: AuthorizationView): string[] => tombstones.map(({ id }) => id);

/** Try counters after the verdicts, null when they do not change. */
function triesAfter({ card, product }: AuthorizationView, { verdicts }: AuthorizationCommand) {
  const pinTriesLeft = triesLeft(card.pinTriesLeft, product.pinTries, verdicts.pin);
  const cvcTriesLeft = triesLeft(card.cvcTriesLeft, CVC_TRIES, verdicts.cvc2);
  const same = pinTriesLeft === card.pinTriesLeft && cvcTriesLeft === card.cvcTriesLeft;
  return same ? null : { pinTriesLeft, cvcTriesLeft };
}

function triesLeft(left: number, all: number, verdict: Verdict): number {
  if (verdict === 'MATCH') return all;
  return verdict === 'NO_MATCH' ? Math.max(0, subtract(left, 1)) : left;
}

function created(
  view: AuthorizationView,
  command: AuthorizationCommand,
  refused: { description: Description; reason: string | null } | null,
  balanceAfter: number | null,
) {
  // What an external balance holds is known to the partner alone.
  const shown = view.balance?.holder === 'platform' ? view.balance : null;
  const abroad = command.originalCurrency !== command.currency && (command.originalAmount ?? 0) > 0;
  return {
    type: command.type,
    category: 'DEBIT' as const,
    adjustmentKind: null,
    externalId: command.externalId,
    referenceExternalId: null,
    relatedId: null,
    networkReference: command.networkReference,
    rrn: command.rrn,
    stan: command.stan,
    localAt: command.localAt,
    approvalCode: null,
    amount: Math.max(0, (view.balance && chargeOf(view, command)) ?? command.amount),
    currency: view.balance && chargeOf(view, command) !== null ? view.balance.currency : command.currency,
    originalAmount: abroad ? command.originalAmount : null,
    originalCurrency: abroad ? command.originalCurrency : null,
    result: refused?.description ?? ('APPROVED' as const),
    reason: refused?.reason ?? null,
    decidedBy: 'PLATFORM' as const,
    description: command.description,
    occurredAt: command.localAt,
    transactionData: command.transactionData,
    balanceBefore: shown === null ? null : availableOf(shown),
    balanceAfter: shown === null ? null : balanceAfter,
  };
}

function eventOf(
  kind: EventKind,
  fold: Fold,
  result: Description,
  reason: string | null,
  transfers: EventEffect['transfers'],
  trace: Trace,
): EventEffect {
  return {
    seq: fold.eventCount,
    kind,
    status: wireStatus(fold.state),
    result,
    reason,
    amount: null,
    externalId: null,
    occurredAt: null,
    transfers,
    trace,
  };
}

const traceOf = (view: AuthorizationView, refusedBy: RefusingStep | null): Trace => ({
  programmeVersion: view.programme.version,
  productVersion: view.product.version,
  refusedBy,
  flags: [],
});

function balanceOf(view: AuthorizationView): BalanceView {
  if (view.balance === null) throw new Error('a decision went on without a balance');
  return view.balance;
}

function answerOf(
  result: NetworkAnswer['result'],
  description: Description,
  reason: string | null,
): NetworkAnswer {
  const { actionCode, responseCode } = responseOf(description, reason);
  return {
    id: null,
    result,
    description,
    reason,
    actionCode,
    responseCode,
    authorizationCode: null,
    approvedAmount: null,
    currency: '',
    availableAmount: null,
    iccResponse: null,
  };
}

function refusalAnswer(refused: Refused, id: string | null, currency: string): NetworkAnswer {
  const codes = responseOf(refused.description, refused.codesOf ?? refused.reason);
  return {
    ...answerOf('DECLINED', refused.description, refused.reason),
    actionCode: codes.actionCode,
    responseCode: codes.responseCode,
    id,
    currency,
  };
}
