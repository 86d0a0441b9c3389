import { forcedHold } from './approval.ts';
import {
  allRefusals,
  authorizedTotal,
  CARD_STEPS,
  chargeOf,
  CURRENCY_STEP,
  firstRefusal,
  incremented,
  leftOf,
  MONEY_STEPS,
  PARTNER_STEP,
  PROOF_STEPS,
  requestType,
  type RefusedAt,
  type Step,
} from './authorization-checks.ts';
import {
  balanceOf,
  type DecisionIds,
  type ForcedFlags,
  idsOf,
  laterEventOf,
  refusal,
  traceOf,
} from './authorization-record.ts';
import type { AuthorizationCommand, AuthorizationView } from './authorization-view.ts';
import { answerInquiry } from './balance-inquiry.ts';
import { clearedFirst } from './cleared-first.ts';
import { announced } from './credit-authorization.ts';
import {
  type Effects,
  type ExceptionEffect,
  type NetworkAnswer,
  NO_EFFECTS,
  type Outcome,
} from './decision.ts';
import { increasedBy, incrementOf } from './increment.ts';
import { availableOf, entryOf, fundingKindOf } from './ledger.ts';
import { subtract } from './money.ts';
import { acknowledged, refuse } from './network-answer.ts';
import { referencedBy } from './reference.ts';
import { advance, isAnnounced, isOpen, type Lifecycle, processingStatusOf } from './transaction.ts';

/**
 * Records what the processor or the network decided without us (authorization 10): never refused. Approved, the money
 * is held whatever the checks say, and what they say becomes flags; declined, a hold that we made is given back.
 */
export function decideAdvice(
  view: AuthorizationView | null,
  command: AuthorizationCommand,
  nowMs: number,
  ids: DecisionIds,
): Outcome<NetworkAnswer> {
  if (view === null) return unknownCard(command);
  if (command.advice?.result === 'DECLINED') return declined(view, command, nowMs, ids);
  const steps = [requestType, CURRENCY_STEP, DEPOSIT_PRESENT, PARTNER_STEP, AMOUNT];
  const broken = firstRefusal(steps, view, command, nowMs);
  if (broken !== null) return unusable(view, command, ids, broken);
  switch (command.kind) {
    case 'BALANCE_INQUIRY':
      return acknowledge(view, answerInquiry(view, command, nowMs, ids).effects, ids.transactionId, 0);
    case 'CREDIT_AUTHORIZATION':
      return approvedCredit(view, command, nowMs, ids);
    case 'INCREMENTAL':
      return approvedIncrement(view, command, nowMs, ids);
    case 'AUTHORIZATION':
      return approved(view, command, nowMs, ids);
  }
}

/** Nothing can be held where there is no account or no amount. */
const DEPOSIT_PRESENT: Step<AuthorizationView> = {
  no: 18,
  test: (view) =>
    view.programme.funding === 'deposit' && view.deposit === null
      ? refuse('DEPOSIT_BALANCE_NOT_FOUND')
      : null,
};
const AMOUNT: Step<AuthorizationView> = {
  no: 3,
  test: (_view, { kind, amount }) =>
    kind !== 'BALANCE_INQUIRY' && amount <= 0 ? refuse('INVALID_AMOUNT') : null,
};

function unknownCard({ externalId, amount, currency }: AuthorizationCommand): Outcome<NetworkAnswer> {
  const exception: ExceptionEffect = {
    kind: 'ADVICE_UNKNOWN_CARD',
    values: { transactionId: externalId, amount, currency },
  };
  return {
    answer: acknowledged(null, 'APPROVED', null, currency),
    effects: { ...NO_EFFECTS, exceptions: [exception] },
  };
}

function approved(
  view: AuthorizationView,
  command: AuthorizationCommand,
  nowMs: number,
  ids: DecisionIds,
): Outcome<NetworkAnswer> {
  const amount = chargeOf(view, command) ?? 0;
  if (view.tombstones.length > 0 && leftOf(view.tombstones, amount) === 0) {
    const reversed = { ...refuse('UNKNOWN_ERROR', 'REVERSED_BEFORE_ARRIVAL'), step: 1 };
    return acknowledgedRefusal(view, command, ids, reversed, []);
  }
  const cleared = clearedFirst(view, command, nowMs);
  const debits = view.candidates.filter((one) => one.category === 'DEBIT');
  const [known, ...others] = cleared === null ? referencedBy(command, debits) : [cleared];
  if (known !== undefined && others.length === 0 && command.kind === 'AUTHORIZATION') {
    if (command.advice?.reason === 'COMPLETION' && isOpen(known))
      return completed(view, command, known, nowMs);
    if (standsFor(known, amount)) return noted(view, command, known);
  }
  const refusedBefore = known !== undefined && processingStatusOf(known.state) !== 'SUCCESS';
  const conflict: ExceptionEffect[] = refusedBefore
    ? [{ kind: 'STAND_IN_CONFLICT', values: { relatedId: known.id } }]
    : [];
  const made = forcedHold(view, command, nowMs, ids, {
    ...flagsOf(view, command, nowMs),
    exceptions: [...conflict, ...overFunds(view, amount)],
    relatedId: refusedBefore ? known.id : null,
  });
  return { ...made, effects: { ...made.effects, usedTombstoneIds: idsOf(view) } };
}

/** True when what we have of it is worth as much: what was reversed or has expired is held anew. */
const standsFor = (known: Lifecycle, amount: number): boolean =>
  isOpen(known) ? authorizedTotal(known) === amount : known.state === 'CLEARED' && known.cleared === amount;

function approvedCredit(
  view: AuthorizationView,
  command: AuthorizationCommand,
  nowMs: number,
  ids: DecisionIds,
): Outcome<NetworkAnswer> {
  const amount = chargeOf(view, command) ?? 0;
  const credits = view.candidates.filter((one) => one.category === 'CREDIT');
  const [known, ...others] = referencedBy(command, credits);
  const alive = known !== undefined && (isAnnounced(known) || known.state === 'CLEARED');
  if (alive && others.length === 0 && known.authorized === amount) return noted(view, command, known);
  const effects = announced(view, command, nowMs, ids, flagsOf(view, command, nowMs));
  return acknowledge(view, effects, ids.transactionId, amount);
}

function approvedIncrement(
  view: AuthorizationView,
  command: AuthorizationCommand,
  nowMs: number,
  ids: DecisionIds,
): Outcome<NetworkAnswer> {
  const lifecycle = incremented(view, command);
  // The merchant will present it all the same: what it belonged to is for people to find.
  if (lifecycle === null) return approved(view, command, nowMs, ids);
  const increment = incrementOf(command, lifecycle);
  const amount = chargeOf(view, increment) ?? 0;
  const effects = increasedBy(view, increment, lifecycle, nowMs, flagsOf(view, increment, nowMs));
  const exceptions = overFunds(view, amount);
  return acknowledge(view, { ...effects, forced: true, exceptions }, lifecycle.id, amount);
}

/** The authorized total becomes what was really spent, up or down. */
function completed(
  view: AuthorizationView,
  command: AuthorizationCommand,
  lifecycle: Lifecycle,
  nowMs: number,
): Outcome<NetworkAnswer> {
  const total = chargeOf(view, command) ?? 0;
  const change = subtract(total, authorizedTotal(lifecycle));
  if (change === 0) return noted(view, command, lifecycle);
  if (change < 0) {
    const effects = givenBack(view, command, lifecycle, Math.min(-change, lifecycle.held), nowMs);
    return acknowledge(view, effects, lifecycle.id, total);
  }
  const increment = { ...command, amount: change, currency: lifecycle.currency, originalAmount: null };
  const effects = increasedBy(
    view,
    { ...increment, kind: 'INCREMENTAL', originalCurrency: null },
    lifecycle,
    nowMs,
    flagsOf(view, increment, nowMs),
  );
  const exceptions = overFunds(view, change);
  return acknowledge(view, { ...effects, forced: true, exceptions }, lifecycle.id, total);
}

function declined(
  view: AuthorizationView,
  command: AuthorizationCommand,
  nowMs: number,
  ids: DecisionIds,
): Outcome<NetworkAnswer> {
  const credit = command.kind === 'CREDIT_AUTHORIZATION';
  const open = view.candidates.filter((one) =>
    credit ? isAnnounced(one) : isOpen(one) && one.category === 'DEBIT',
  );
  const [made, ...others] = referencedBy(command, open);
  if (made !== undefined && others.length === 0) {
    const effects = credit
      ? takenBack(view, command, made)
      : givenBack(view, command, made, made.held, nowMs);
    return acknowledge(view, effects, made.id, 0);
  }
  const refused = { ...refuse('UNKNOWN_ERROR', 'STAND_IN_DECLINED'), step: 9 };
  return acknowledgedRefusal(view, command, ids, refused, []);
}

/** Gives back a part of a hold (row 3), told as a reversal. */
function givenBack(
  view: AuthorizationView,
  command: AuthorizationCommand,
  lifecycle: Lifecycle,
  amount: number,
  atMs: number,
): Effects {
  const fold = advance(lifecycle, { kind: 'release', amount, cause: 'reversal', atMs });
  const transfers = entryOf('release', fundingKindOf(view.programme.funding), amount, lifecycle.holds);
  const event = laterEventOf(command, fold, amount, transfers, traceOf(view, null));
  return {
    ...NO_EFFECTS,
    transaction: { id: lifecycle.id, created: null, fold },
    events: [{ ...event, kind: 'REVERSAL', reason: reasonOf(command) }],
  };
}

/** Takes an announced credit back, with its money where that came at once (row 8). */
function takenBack(view: AuthorizationView, command: AuthorizationCommand, lifecycle: Lifecycle): Effects {
  const amount = authorizedTotal(lifecycle);
  const fold = advance(lifecycle, { kind: 'withdraw', amount, cause: 'reversal' });
  const posted = lifecycle.adjustmentKind === 'money_send';
  const transfers = posted ? entryOf('forcePost', fundingKindOf(view.programme.funding), amount) : [];
  const event = laterEventOf(command, fold, amount, transfers, traceOf(view, null));
  return {
    ...NO_EFFECTS,
    transaction: { id: lifecycle.id, created: null, fold },
    events: [{ ...event, kind: 'REVERSAL', reason: reasonOf(command) }],
    forced: posted,
  };
}

const reasonOf = ({ advice }: AuthorizationCommand): string =>
  advice?.result === 'DECLINED' ? 'STAND_IN_DECLINED' : (advice?.reason ?? 'STAND_IN');

/** We know of it already: no second hold. */
function noted(
  view: AuthorizationView,
  command: AuthorizationCommand,
  lifecycle: Lifecycle,
): Outcome<NetworkAnswer> {
  const fold = advance(lifecycle, { kind: 'note' });
  const event = laterEventOf(
    command,
    fold,
    0,
    [],
    traceOf(view, null, { flags: ['ALREADY_APPROVED'], flagged: [] }),
  );
  const effects = {
    ...NO_EFFECTS,
    transaction: { id: lifecycle.id, created: null, fold },
    events: [event],
  };
  return acknowledge(view, effects, lifecycle.id, lifecycle.amount);
}

const acknowledge = (
  view: AuthorizationView,
  effects: Effects,
  id: string,
  amount: number,
): Outcome<NetworkAnswer> => ({
  answer: acknowledged(id, 'APPROVED', amount, balanceOf(view).currency),
  effects,
});

/** No posting can be made of it: recorded, and put before people. */
function unusable(
  view: AuthorizationView,
  command: AuthorizationCommand,
  ids: DecisionIds,
  broken: RefusedAt,
): Outcome<NetworkAnswer> {
  const reason = broken.reason ?? broken.description;
  return acknowledgedRefusal(view, command, ids, broken, [{ kind: 'STAND_IN_CONFLICT', values: { reason } }]);
}

function acknowledgedRefusal(
  view: AuthorizationView,
  command: AuthorizationCommand,
  ids: DecisionIds,
  refused: RefusedAt,
  exceptions: readonly ExceptionEffect[],
): Outcome<NetworkAnswer> {
  const { effects } = refusal(view, command, ids, refused);
  const { description } = refused;
  return {
    answer: acknowledged(ids.transactionId, description, 0, view.balance?.currency ?? command.currency),
    effects: { ...effects, exceptions },
  };
}

const overFunds = (view: AuthorizationView, amount: number): ExceptionEffect[] => {
  const available = subtract(availableOf(balanceOf(view)), amount);
  return available < 0 ? [{ kind: 'STAND_IN_OVER_FUNDS', values: { available } }] : [];
};

/** What the checks would have said, as flags of the trace and the numbers of the steps. */
function flagsOf(view: AuthorizationView, command: AuthorizationCommand, nowMs: number): ForcedFlags {
  const credit = command.kind === 'CREDIT_AUTHORIZATION';
  const steps = [...CARD_STEPS, ...PROOF_STEPS, ...(credit ? [] : MONEY_STEPS)];
  const refusals = allRefusals(steps, view, command, nowMs);
  const flags = refusals.map(({ step, reason, description }) => {
    if (step === 18 || step === 19) return 'STAND_IN_OVER_FUNDS';
    return step >= 14 && step <= 16 ? 'LIMIT_OVERRUN' : (reason ?? description);
  });
  return { flags: [...new Set(flags)], flagged: refusals.map(({ step }) => step) };
}
