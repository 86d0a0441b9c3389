import type { ProgrammeView } from './authorization-view.ts';
import {
  type EventEffect,
  type ExceptionEffect,
  type NetworkAnswer,
  NO_EFFECTS,
  type Outcome,
} from './decision.ts';
import { assertNever } from './errors.ts';
import { entryOf } from './ledger.ts';
import { subtract } from './money.ts';
import { acknowledged } from './network-answer.ts';
import { type Reference, referencedBy } from './reference.ts';
import type { Description } from './response-code.ts';
import {
  advance,
  type BalanceView,
  EMPTY_FOLD,
  type Fold,
  isAnnounced,
  type Lifecycle,
  type Movement,
  wireStatus,
} from './transaction.ts';

/** A reversal, normalized (authorization 1). `amount` and `remainingAmount` both null = everything. */
export interface ReversalCommand extends Reference {
  readonly amount: number | null;
  readonly remainingAmount: number | null;
  /** Null when no amount is sent. */
  readonly currency: string | null;
  readonly externalId: string;
  readonly stan: string;
  readonly localAt: string;
}

export interface ReversalView {
  readonly programme: Pick<ProgrammeView, 'version' | 'funding'>;
  readonly productVersion: number;
  readonly balance: BalanceView | null;
  /** Transactions of the card that the message may mean; the rules here choose. */
  readonly candidates: readonly Lifecycle[];
}

/**
 * Decides a full or partial reversal. It is never refused: what finds no money is acknowledged and recorded.
 * `view` is null for an unknown card. An unmatched reversal of a known card leaves a tombstone, so the caller
 * must hold the card's exclusive lock before it writes such an outcome (authorization 9).
 */
export function decideReversal(
  view: ReversalView | null,
  command: ReversalCommand,
  nowMs: number,
  transactionId: string,
): Outcome<NetworkAnswer> {
  if (view === null) return { answer: acknowledged(null, 'APPROVED', null, ''), effects: NO_EFFECTS };
  const [matched, ...others] = referencedBy(command, view.candidates);
  if (matched === undefined) return unmatched(view, command, transactionId);
  if (others.length > 0) return ambiguous(view, command, transactionId);
  if (isAnnounced(matched)) return withdraw(view, command, matched);
  switch (matched.state) {
    case 'AUTHORIZED':
    case 'PARTLY_CLEARED':
    case 'PENDING_PARTNER':
      return release(view, command, matched, nowMs);
    case 'CLEARED':
      return noted(view, command, matched, [{ kind: 'REVERSAL_AFTER_CLEARING', values: {} }]);
    case 'DECLINED':
    case 'INVALID': {
      const outcome = noted(view, command, matched, []);
      return meansAnother(command, matched) ? withTombstone(outcome, command) : outcome;
    }
    case 'REVERSED':
    case 'EXPIRED':
      return noted(view, command, matched, []);
    default:
      return assertNever(matched.state);
  }
}

/**
 * True for a reversal that leaves a tombstone: nothing was found, or only something refused that is not the message
 * it names, as the advice of a refusal whose question is still under way.
 */
export function leavesTombstone(command: ReversalCommand, candidates: readonly Lifecycle[]): boolean {
  const [matched, ...others] = referencedBy(command, candidates);
  if (matched === undefined) return true;
  return others.length === 0 && isRefused(matched) && meansAnother(command, matched);
}

const isRefused = ({ state }: Lifecycle): boolean => state === 'DECLINED' || state === 'INVALID';

const meansAnother = ({ originalStan, originalLocalAt }: ReversalCommand, one: Lifecycle): boolean =>
  originalStan !== null &&
  originalLocalAt !== null &&
  (one.stan !== originalStan || one.localAt !== originalLocalAt);

function release(
  view: ReversalView,
  command: ReversalCommand,
  lifecycle: Lifecycle,
  atMs: number,
): Outcome<NetworkAnswer> {
  if (command.currency !== null && command.currency !== lifecycle.currency) {
    return noted(view, command, lifecycle, [ambiguousAmount(command, lifecycle)], 'CURRENCY_MISMATCH');
  }
  const rest = lifecycle.held;
  const asked = askedOf(command, rest);
  const amount = Math.min(asked, rest);
  if (amount <= 0) return noted(view, command, lifecycle, []);
  const fold = advance(lifecycle, { kind: 'release', amount, cause: 'reversal', atMs });
  const transfers = entryOf(
    'release',
    view.programme.funding === 'credit' ? 'A' : 'B',
    amount,
    lifecycle.holds,
  );
  const exceptions: ExceptionEffect[] =
    asked > rest ? [{ kind: 'OVER_REVERSAL', values: { asked, released: rest } }] : [];
  return {
    answer: acknowledged(lifecycle.id, 'APPROVED', amount, lifecycle.currency),
    effects: {
      ...NO_EFFECTS,
      transaction: { id: lifecycle.id, created: null, fold },
      events: [{ ...eventOf(view, command, fold, 'APPROVED'), amount, transfers }],
      exceptions,
    },
  };
}

/** What a reversal asks back of what is left (authorization 1). */
const askedOf = ({ amount, remainingAmount }: ReversalCommand, rest: number): number =>
  amount ?? (remainingAmount === null ? rest : Math.max(0, subtract(rest, remainingAmount)));

/** An amount that nothing here can convert is for people: the hold would else stay until it expires. */
const ambiguousAmount = ({ currency, amount }: ReversalCommand, { held }: Lifecycle): ExceptionEffect => ({
  kind: 'AMBIGUOUS_REVERSAL',
  values: { currency: currency ?? '', amount: amount ?? 0, held },
});

/** A credit that was announced is taken back, whole or in part: its money, where it came at once, by force (row 8). */
function withdraw(
  view: ReversalView,
  command: ReversalCommand,
  lifecycle: Lifecycle,
): Outcome<NetworkAnswer> {
  if (command.currency !== null && command.currency !== lifecycle.currency) {
    return noted(view, command, lifecycle, [ambiguousAmount(command, lifecycle)], 'CURRENCY_MISMATCH');
  }
  const rest = subtract(lifecycle.authorized, lifecycle.reversed);
  const asked = askedOf(command, rest);
  const amount = Math.min(asked, rest);
  if (amount <= 0) return noted(view, command, lifecycle, []);
  const fold = advance(lifecycle, { kind: 'withdraw', amount, cause: 'reversal' });
  const posted = lifecycle.adjustmentKind === 'money_send';
  const kind = view.programme.funding === 'credit' ? 'A' : 'B';
  const transfers = posted ? entryOf('forcePost', kind, amount) : [];
  return {
    answer: acknowledged(lifecycle.id, 'APPROVED', amount, lifecycle.currency),
    effects: {
      ...NO_EFFECTS,
      transaction: { id: lifecycle.id, created: null, fold },
      events: [{ ...eventOf(view, command, fold, 'APPROVED'), amount, transfers }],
      forced: posted,
    },
  };
}

function noted(
  view: ReversalView,
  command: ReversalCommand,
  lifecycle: Lifecycle,
  exceptions: readonly ExceptionEffect[],
  result: Description = 'APPROVED',
): Outcome<NetworkAnswer> {
  const fold = advance(lifecycle, { kind: 'note' });
  return {
    answer: acknowledged(lifecycle.id, result, 0, lifecycle.currency),
    effects: {
      ...NO_EFFECTS,
      transaction: { id: lifecycle.id, created: null, fold },
      events: [{ ...eventOf(view, command, fold, result), amount: 0 }],
      exceptions,
    },
  };
}

function unmatched(view: ReversalView, command: ReversalCommand, id: string): Outcome<NetworkAnswer> {
  return withTombstone(recorded(view, command, id, 'REFERENCED_TRANSACTION_NOT_FOUND'), command);
}

function withTombstone(outcome: Outcome<NetworkAnswer>, command: ReversalCommand): Outcome<NetworkAnswer> {
  const tombstone = {
    originalStan: command.originalStan,
    originalLocalAt: command.originalLocalAt,
    networkReference: command.networkReference,
    externalId: command.referenceExternalId ?? command.externalId,
    amount: command.amount,
    remainingAmount: command.remainingAmount,
  };
  return { ...outcome, effects: { ...outcome.effects, tombstone } };
}

function ambiguous(view: ReversalView, command: ReversalCommand, id: string): Outcome<NetworkAnswer> {
  const outcome = recorded(view, command, id, 'AMBIGUOUS_REFERENCED_TRANSACTION');
  return {
    ...outcome,
    effects: { ...outcome.effects, exceptions: [{ kind: 'AMBIGUOUS_REVERSAL', values: {} }] },
  };
}

/** A row of its own for a reversal that no transaction can be given to. */
function recorded(
  view: ReversalView,
  command: ReversalCommand,
  id: string,
  result: Description,
): Outcome<NetworkAnswer> {
  const movement: Movement = { kind: 'refuse', state: 'INVALID' };
  const fold = advance(EMPTY_FOLD, movement);
  const currency = command.currency ?? view.balance?.currency ?? '';
  return {
    answer: acknowledged(id, result, 0, currency),
    effects: {
      ...NO_EFFECTS,
      transaction: {
        id,
        created: {
          type: 'adjustment',
          category: 'CREDIT',
          adjustmentKind:
            command.amount === null && (command.remainingAmount ?? 0) === 0
              ? 'full_reversal'
              : 'partial_reversal',
          externalId: command.externalId,
          referenceExternalId: command.referenceExternalId,
          relatedId: null,
          networkReference: command.networkReference,
          rrn: command.rrn,
          stan: command.stan,
          localAt: command.localAt,
          approvalCode: null,
          amount: Math.max(0, command.amount ?? 0),
          currency,
          originalAmount: null,
          originalCurrency: null,
          result,
          reason: null,
          decidedBy: 'NETWORK',
          description: 'REVERSAL',
          occurredAt: command.localAt,
          transactionData: {},
          balanceBefore: null,
          balanceAfter: null,
        },
        fold,
      },
      events: [eventOf(view, command, fold, result)],
    },
  };
}

function eventOf(view: ReversalView, command: ReversalCommand, fold: Fold, result: Description): EventEffect {
  const { version: programmeVersion } = view.programme;
  return {
    seq: fold.eventCount,
    kind: 'REVERSAL',
    status: wireStatus(fold.state),
    result,
    reason: null,
    amount: null,
    externalId: command.externalId,
    occurredAt: command.localAt,
    transfers: [],
    trace: { programmeVersion, productVersion: view.productVersion, refusedBy: null, flags: [] },
  };
}
