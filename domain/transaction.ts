import type { OpenHold } from './ledger.ts';
import { assertNever } from './errors.ts';
import { add, subtract } from './money.ts';
import type { ProcessingStatus } from './response-code.ts';

/** Where a transaction stands in its life (money 4.3). */
export const LIFECYCLE_STATES = [
  'DECLINED',
  'INVALID',
  'PENDING_PARTNER',
  'AUTHORIZED',
  'PARTLY_CLEARED',
  'CLEARED',
  'REVERSED',
  'EXPIRED',
] as const;
export type LifecycleState = (typeof LIFECYCLE_STATES)[number];

/** The state as everybody outside is told. */
export type WireStatus = 'AUTHORIZED' | 'CLEARED' | 'REVERSED';

/** Status on the wire; a declined authorization shows AUTHORIZED with its processing status beside it. */
export function wireStatus(state: LifecycleState): WireStatus {
  switch (state) {
    case 'DECLINED':
    case 'INVALID':
    case 'PENDING_PARTNER':
    case 'AUTHORIZED':
    case 'PARTLY_CLEARED':
      return 'AUTHORIZED';
    case 'CLEARED':
      return 'CLEARED';
    case 'REVERSED':
    case 'EXPIRED':
      return 'REVERSED';
    default:
      return assertNever(state);
  }
}

/** Processing status of a whole transaction. */
export const processingStatusOf = (state: LifecycleState): ProcessingStatus =>
  state === 'DECLINED' || state === 'INVALID' ? state : 'SUCCESS';

/** The states that show as `status` and `processingStatus`; undefined ones leave the choice open. */
export const statesShownAs = (
  status: WireStatus | undefined,
  processingStatus: ProcessingStatus | undefined,
): LifecycleState[] =>
  LIFECYCLE_STATES.filter(
    (state) =>
      (status === undefined || wireStatus(state) === status) &&
      (processingStatus === undefined || processingStatusOf(state) === processingStatus),
  );

/** What an event was about; the word stands in `transaction_events.kind` (transaction-history 6). */
export type EventKind =
  | 'AUTHORIZATION'
  | 'INCREMENT'
  | 'BALANCE_INQUIRY'
  | 'REVERSAL'
  | 'EXPIRY'
  | 'CLEARING'
  | 'REFUND'
  | 'REFUND_REVERSAL'
  | 'CHARGEBACK'
  | 'SECOND_PRESENTMENT'
  | 'POSTING'
  | 'CORRECTION';

/** The columns of a transaction that its later events change: the fold of its events so far. */
export interface Fold {
  readonly state: LifecycleState;
  readonly authorized: number;
  readonly cleared: number;
  readonly reversed: number;
  readonly refunded: number;
  readonly held: number;
  readonly expiresAtMs: number | null;
  readonly flags: readonly string[];
  readonly eventCount: number;
  readonly clearedAtMs: number | null;
  readonly settlement: Settlement;
}

/** What clearing records add for the books with the network. */
export interface Settlement {
  /** Sum of what the company earns (positive) or pays, null when no record told any. */
  readonly interchangeAmount: number | null;
  readonly interchangeCurrency: string | null;
  /** Acquirer reference number of the newest record that had one. */
  readonly arn: string | null;
}

/** Fold of a transaction that has no event yet. */
export const EMPTY_FOLD: Fold = {
  state: 'INVALID',
  authorized: 0,
  cleared: 0,
  reversed: 0,
  refunded: 0,
  held: 0,
  expiresAtMs: null,
  flags: [],
  eventCount: 0,
  clearedAtMs: null,
  settlement: { interchangeAmount: null, interchangeCurrency: null, arn: null },
};

/** What one event does to the fold; amounts in the currency of the balance. */
export type Movement =
  | { readonly kind: 'refuse'; readonly state: 'DECLINED' | 'INVALID' }
  | { readonly kind: 'authorize'; readonly amount: number; readonly expiresAtMs: number }
  | { readonly kind: 'increase'; readonly amount: number; readonly expiresAtMs: number }
  | {
      readonly kind: 'release';
      readonly amount: number;
      readonly cause: 'reversal' | 'expiry';
      readonly atMs: number;
    }
  | {
      readonly kind: 'clear';
      readonly amount: number;
      readonly final: boolean;
      readonly atMs: number;
      /** Expiry of what stays held, when this clearing leaves a rest. */
      readonly expiresAtMs: number | null;
    }
  | { readonly kind: 'post'; readonly amount: number; readonly atMs: number }
  | { readonly kind: 'refund'; readonly amount: number }
  /** A refund or a chargeback that is taken back; what goes beyond them is cleared once more. */
  | { readonly kind: 'takeBack'; readonly amount: number }
  /** A credit of the network that will be cleared later; nothing is held for it. */
  | { readonly kind: 'announce'; readonly amount: number; readonly expiresAtMs: number }
  | { readonly kind: 'withdraw'; readonly amount: number; readonly cause: 'reversal' | 'expiry' }
  /** An announced credit whose money is there and whose record never came. */
  | { readonly kind: 'overdue' }
  | { readonly kind: 'note' };

/** The fold after one more event (state table of money 4.3); `flag` marks it for people. */
export function advance(fold: Fold, movement: Movement, flag: string | null = null): Fold {
  const flags = flag === null || fold.flags.includes(flag) ? fold.flags : [...fold.flags, flag];
  return { ...foldOf(fold), flags, eventCount: fold.eventCount + 1, ...changes(fold, movement) };
}

function changes(fold: Fold, movement: Movement): Partial<Fold> {
  switch (movement.kind) {
    case 'refuse':
      return { state: movement.state };
    case 'authorize':
    case 'increase':
      return {
        state: movement.kind === 'authorize' ? 'AUTHORIZED' : fold.state,
        authorized: add(fold.authorized, movement.amount),
        held: add(fold.held, movement.amount),
        expiresAtMs: movement.expiresAtMs,
      };
    case 'release': {
      const held = subtract(fold.held, movement.amount);
      const reversed = add(fold.reversed, movement.amount);
      if (held > 0) return { held, reversed };
      const state = stateAtRest(fold, movement.cause);
      const clearedAtMs = state === 'CLEARED' ? movement.atMs : fold.clearedAtMs;
      return { held, reversed, state, clearedAtMs, expiresAtMs: null };
    }
    case 'clear': {
      const held = movement.final ? 0 : Math.max(subtract(fold.held, movement.amount), 0);
      const ends = held === 0;
      return {
        held,
        cleared: add(fold.cleared, movement.amount),
        state: ends ? 'CLEARED' : 'PARTLY_CLEARED',
        expiresAtMs: ends ? null : movement.expiresAtMs,
        ...(ends ? { clearedAtMs: movement.atMs } : {}),
      };
    }
    case 'announce':
      return {
        state: 'AUTHORIZED',
        authorized: add(fold.authorized, movement.amount),
        expiresAtMs: movement.expiresAtMs,
      };
    case 'withdraw': {
      const reversed = add(fold.reversed, movement.amount);
      if (reversed < fold.authorized) return { reversed };
      return { state: movement.cause === 'reversal' ? 'REVERSED' : 'EXPIRED', reversed, expiresAtMs: null };
    }
    case 'overdue':
      return { expiresAtMs: null };
    case 'post':
      return {
        state: 'CLEARED',
        expiresAtMs: null,
        cleared: add(fold.cleared, movement.amount),
        clearedAtMs: movement.atMs,
      };
    case 'refund':
      return { refunded: add(fold.refunded, movement.amount) };
    case 'takeBack': {
      const takenBack = Math.min(fold.refunded, movement.amount);
      return {
        refunded: subtract(fold.refunded, takenBack),
        cleared: add(fold.cleared, subtract(movement.amount, takenBack)),
      };
    }
    case 'note':
      return {};
    default:
      return assertNever(movement);
  }
}

/** The fold with what one more record told: one currency adds up, another takes its place. */
export function settledBy(fold: Fold, told: Settlement): Fold {
  const before = fold.settlement;
  const sameCurrency = before.interchangeCurrency === told.interchangeCurrency;
  const interchange =
    told.interchangeAmount === null
      ? before
      : {
          interchangeAmount: add(sameCurrency ? (before.interchangeAmount ?? 0) : 0, told.interchangeAmount),
          interchangeCurrency: told.interchangeCurrency,
        };
  return { ...fold, settlement: { ...before, ...interchange, arn: told.arn ?? before.arn } };
}

function stateAtRest(fold: Fold, cause: 'reversal' | 'expiry'): LifecycleState {
  if (fold.state === 'PARTLY_CLEARED') return 'CLEARED';
  return cause === 'reversal' ? 'REVERSED' : 'EXPIRED';
}

/** A transaction as the rules of reversal and clearing see it. */
export interface Lifecycle extends Fold {
  readonly id: string;
  readonly balanceId: string | null;
  readonly type: string;
  readonly category: 'DEBIT' | 'CREDIT';
  readonly adjustmentKind: string | null;
  readonly externalId: string;
  readonly networkReference: string | null;
  readonly rrn: string | null;
  readonly stan: string | null;
  readonly localAt: string | null;
  readonly approvalCode: string | null;
  /** Amount of its first message. */
  readonly amount: number;
  readonly currency: string;
  readonly originalCurrency: string | null;
  readonly captureMode: string | null;
  /** Cash inside the amount of a purchase. */
  readonly cashback: number;
  readonly mcc: string | null;
  /** Alpha-3, of the acquirer. */
  readonly country: string | null;
  readonly merchantIdentifier: string | null;
  readonly createdAtMs: number;
  /** PENDING transfers with what is left of them, oldest first; their sum is `held`. */
  readonly holds: readonly OpenHold[];
}

/** True while money is held for it. */
export const isOpen = (fold: Pick<Fold, 'state' | 'held'>): boolean =>
  fold.held > 0 && (fold.state === 'AUTHORIZED' || fold.state === 'PARTLY_CLEARED');

/** A credit of the network that has been announced and not cleared (authorization 11). */
export const isAnnounced = (one: Pick<Lifecycle, 'category' | 'state'>): boolean =>
  one.category === 'CREDIT' && one.state === 'AUTHORIZED';

/** A balance as decisions see it. */
export interface BalanceView {
  readonly balanceId: string;
  readonly currency: string;
  readonly holder: 'platform' | 'external';
  readonly state: 'LINKING' | 'ACTIVE' | 'BLOCKED' | 'UNLINKING' | 'CLOSED';
  readonly posted: number;
  readonly held: number;
}

/** The members of a transaction that are its fold. */
export function foldOf(one: Fold): Fold {
  const {
    state,
    authorized,
    cleared,
    reversed,
    refunded,
    held,
    expiresAtMs,
    flags,
    eventCount,
    clearedAtMs,
    settlement,
  } = one;
  return {
    state,
    authorized,
    cleared,
    reversed,
    refunded,
    held,
    expiresAtMs,
    flags,
    eventCount,
    clearedAtMs,
    settlement,
  };
}
