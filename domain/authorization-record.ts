import { chargeOf, PIN_LOCK, type RefusedAt } from './authorization-checks.ts';
import type { AuthorizationCommand, AuthorizationView, Verdict } from './authorization-view.ts';
import {
  type EventEffect,
  type NetworkAnswer,
  type NewTransaction,
  NO_EFFECTS,
  type Outcome,
  type RefusingStep,
  type Trace,
} from './decision.ts';
import { availableOf } from './ledger.ts';
import { subtract } from './money.ts';
import { refusalAnswer, type Refused } from './network-answer.ts';
import { responseOf } from './response-code.ts';
import {
  advance,
  type BalanceView,
  EMPTY_FOLD,
  type EventKind,
  type Fold,
  wireStatus,
} from './transaction.ts';

/** Made before the decision, so that it stays a function of its arguments. */
export interface DecisionIds {
  readonly transactionId: string;
  readonly approvalCode: string;
}

const CVC_TRIES = 5;
/** After all checks: what breaks off there is our own fault. */
export const FAULT_STEP = 21;

const EVENT_KINDS: Readonly<Record<AuthorizationCommand['kind'], EventKind>> = {
  AUTHORIZATION: 'AUTHORIZATION',
  INCREMENTAL: 'INCREMENT',
  CREDIT_AUTHORIZATION: 'AUTHORIZATION',
  BALANCE_INQUIRY: 'BALANCE_INQUIRY',
};

/** Kind of the event that a message makes. */
export const eventKindOf = ({ kind }: AuthorizationCommand): EventKind => EVENT_KINDS[kind];

/** A message that was refused, as a transaction of its own: no money moved. */
export function refusal(
  view: AuthorizationView,
  command: AuthorizationCommand,
  ids: DecisionIds,
  refused: RefusedAt,
): Outcome<NetworkAnswer> {
  const fold = advance(EMPTY_FOLD, { kind: 'refuse', state: refusedState(refused) });
  const available = view.balance === null ? null : availableOf(view.balance);
  return {
    answer: refusalAnswer(refused, ids.transactionId, view.balance?.currency ?? command.currency),
    effects: {
      ...NO_EFFECTS,
      transaction: {
        id: ids.transactionId,
        created: newTransaction(view, command, { refused, balanceAfter: available }),
        fold,
      },
      events: [refusedEvent(view, command, fold, refused)],
      ...proofEffects(view, command, refused),
    },
  };
}

/** DECLINED or INVALID, as the tables of descriptions and reasons say. */
export const refusedState = ({ description, reason }: Refused): 'DECLINED' | 'INVALID' =>
  responseOf(description, reason).processingStatus === 'INVALID' ? 'INVALID' : 'DECLINED';

/** The event of a refusal with the step and the values that refused. */
export const refusedEvent = (
  view: AuthorizationView,
  command: AuthorizationCommand,
  fold: Fold,
  { description, reason, step, values }: RefusedAt,
): EventEffect => ({
  ...eventOf(eventKindOf(command), fold, [], traceOf(view, { step, values: values ?? {} })),
  result: description,
  reason,
});

/** What a refusal leaves of tries, locks and reversals that came first. */
export function proofEffects(view: AuthorizationView, command: AuthorizationCommand, { step }: RefusedAt) {
  const lastPin = step === 9 && command.verdicts.pin === 'NO_MATCH' && view.card.pinTriesLeft <= 1;
  return {
    tries: step >= 9 && step < FAULT_STEP ? triesAfter(view, command) : null,
    lockCode: lastPin ? PIN_LOCK : null,
    usedTombstoneIds: idsOf(view),
  } as const;
}

/** They take effect once, on the first message they hit, whatever becomes of it. */
export const idsOf = ({ tombstones }: AuthorizationView): string[] => tombstones.map(({ id }) => id);

/** Try counters after the verdicts, null when they do not change. */
export function triesAfter({ card, product }: AuthorizationView, { verdicts }: AuthorizationCommand) {
  const pinTriesLeft = triesLeft(card.pinTriesLeft, product.pinTries, verdicts.pin);
  const cvcTriesLeft = triesLeft(card.cvcTriesLeft, CVC_TRIES, verdicts.cvc2);
  const same = pinTriesLeft === card.pinTriesLeft && cvcTriesLeft === card.cvcTriesLeft;
  return same ? null : { pinTriesLeft, cvcTriesLeft };
}

function triesLeft(left: number, all: number, verdict: Verdict): number {
  if (verdict === 'MATCH') return all;
  return verdict === 'NO_MATCH' ? Math.max(0, subtract(left, 1)) : left;
}

interface Recorded {
  readonly refused?: Refused;
  readonly balanceAfter: number | null;
}

/** Columns of the transaction that a message makes. */
export function newTransaction(
  view: AuthorizationView,
  command: AuthorizationCommand,
  { refused, balanceAfter }: Recorded,
): NewTransaction {
  // What an external balance holds is known to the partner alone.
  const shown = view.balance?.holder === 'platform' ? view.balance : null;
  const abroad = command.originalCurrency !== command.currency && (command.originalAmount ?? 0) > 0;
  const charge = view.balance && chargeOf(view, command);
  // An increment that found nothing is no purchase that later messages could mean.
  const lone = command.kind === 'INCREMENTAL';
  return {
    type: lone ? 'adjustment' : command.type,
    category: command.kind === 'CREDIT_AUTHORIZATION' ? 'CREDIT' : 'DEBIT',
    adjustmentKind: lone ? 'increment' : adjustmentKindOf(command),
    externalId: command.externalId,
    referenceExternalId: command.referenceExternalId,
    relatedId: null,
    networkReference: command.networkReference,
    rrn: command.rrn,
    stan: command.stan,
    localAt: command.localAt,
    approvalCode: null,
    amount: Math.max(0, charge ?? command.amount),
    currency: view.balance && charge !== null ? view.balance.currency : command.currency,
    originalAmount: abroad ? command.originalAmount : null,
    originalCurrency: abroad ? command.originalCurrency : null,
    result: refused?.description ?? 'APPROVED',
    reason: refused?.reason ?? null,
    decidedBy: command.advice === null ? 'PLATFORM' : 'NETWORK',
    description: command.description,
    occurredAt: command.localAt,
    transactionData: command.transactionData,
    balanceBefore: shown === null ? null : availableOf(shown),
    balanceAfter: shown === null ? null : balanceAfter,
  };
}

const adjustmentKindOf = ({ kind, creditReason }: AuthorizationCommand): string | null =>
  kind === 'CREDIT_AUTHORIZATION' && creditReason !== null ? CREDIT_KINDS[creditReason] : null;

const CREDIT_KINDS = { REFUND: 'refund', MONEY_SEND: 'money_send' } as const;

/** An event that was approved; refusals replace `result`. */
export const eventOf = (
  kind: EventKind,
  fold: Fold,
  transfers: EventEffect['transfers'],
  trace: Trace,
): EventEffect => ({
  seq: fold.eventCount,
  kind,
  status: wireStatus(fold.state),
  result: 'APPROVED',
  reason: null,
  amount: null,
  externalId: null,
  occurredAt: null,
  transfers,
  trace,
});

/** An event of a transaction that was there before: it tells its own amount, number and time. */
export const laterEventOf = (
  command: AuthorizationCommand,
  fold: Fold,
  amount: number,
  transfers: EventEffect['transfers'],
  trace: Trace,
): EventEffect => ({
  ...eventOf(eventKindOf(command), fold, transfers, trace),
  amount,
  externalId: command.externalId,
  occurredAt: command.localAt,
});

/** What the checks would have said of a message that nobody could refuse: words, and numbers of steps. */
export interface ForcedFlags {
  readonly flags: readonly string[];
  readonly flagged: readonly number[];
}

export const NO_FLAGS: ForcedFlags = { flags: [], flagged: [] };

/** What of a decision cannot be derived when it is read again. */
export const traceOf = (
  view: AuthorizationView,
  refusedBy: RefusingStep | null,
  { flags, flagged }: ForcedFlags = NO_FLAGS,
): Trace => ({
  programmeVersion: view.programme.version,
  productVersion: view.product.version,
  limitsVersion: view.limits.card?.version ?? null,
  refusedBy,
  flags: view.possibleDuplicate ? [...flags, 'POSSIBLE_DUPLICATE'] : flags,
  flagged,
});

/** The balance of a card that passed step 7. */
export function balanceOf(view: AuthorizationView): BalanceView {
  if (view.balance === null) throw new Error('a decision went on without a balance');
  return view.balance;
}
