import type { Transfer } from './ledger.ts';
import type { Description } from './response-code.ts';
import type { EventKind, Fold, WireStatus } from './transaction.ts';

/** Answer to an authorization, advice or reversal, in the members and order of the wire (processor 3.4). */
export interface NetworkAnswer {
  /** Our transaction; null for a card we do not know. */
  readonly id: string | null;
  readonly result: 'APPROVED' | 'PARTIALLY_APPROVED' | 'DECLINED' | 'ACKNOWLEDGED';
  readonly description: Description;
  readonly reason: string | null;
  readonly actionCode: string;
  readonly responseCode: string;
  readonly authorizationCode: string | null;
  readonly approvedAmount: number | null;
  readonly currency: string;
  readonly availableAmount: number | null;
  readonly iccResponse: string | null;
}

/** What cannot be derived when a decision is read again; steps that passed are implied (authorization 15). */
export interface Trace {
  readonly programmeVersion: number | null;
  readonly productVersion: number | null;
  /** Of the card's own limits, where it has any. */
  readonly limitsVersion?: number | null;
  readonly refusedBy: RefusingStep | null;
  readonly flags: readonly string[];
  /** Steps that would have refused a message which nobody could refuse. */
  readonly flagged?: readonly number[];
}

export interface RefusingStep {
  /** Number of the step in section 3 of the authorization chapter. */
  readonly step: number;
  readonly values: Readonly<Record<string, number | string>>;
}

/** Columns of a transaction that its first message sets for good. */
export interface NewTransaction {
  readonly type: string;
  readonly category: 'DEBIT' | 'CREDIT';
  readonly adjustmentKind: string | null;
  readonly externalId: string;
  readonly referenceExternalId: string | null;
  /** Transaction of the card that this one should have been an event of, when it could not be. */
  readonly relatedId: string | null;
  readonly networkReference: string | null;
  readonly rrn: string | null;
  readonly stan: string | null;
  readonly localAt: string | null;
  readonly approvalCode: string | null;
  readonly amount: number;
  readonly currency: string;
  readonly originalAmount: number | null;
  readonly originalCurrency: string | null;
  readonly result: Description;
  readonly reason: string | null;
  readonly decidedBy: 'PLATFORM' | 'PARTNER' | 'STAND_IN' | 'NETWORK' | null;
  readonly description: string;
  /** Time of the message as the network gives it. */
  readonly occurredAt: string;
  readonly transactionData: Readonly<Record<string, unknown>>;
  /** Available amount before and right after the first message; null where the platform holds no money. */
  readonly balanceBefore: number | null;
  readonly balanceAfter: number | null;
}

export interface EventEffect {
  readonly seq: number;
  readonly kind: EventKind;
  readonly status: WireStatus;
  readonly result: Description;
  readonly reason: string | null;
  /** Null where the transaction's own column holds for this event too. */
  readonly amount: number | null;
  readonly externalId: string | null;
  readonly occurredAt: string | null;
  readonly transfers: readonly Transfer[];
  readonly trace: Trace;
}

export type ExceptionSeverity = 'INFO' | 'WARN' | 'CRITICAL';

/** Something a person should look at (authorization 13). */
export interface ExceptionEffect {
  readonly kind: ExceptionKind;
  readonly values: Readonly<Record<string, number | string>>;
}

const SEVERITIES = {
  LATE_CLEARING: 'INFO',
  REFUND_BEFORE_CLEARING: 'INFO',
  UNKNOWN_CARD: 'CRITICAL',
  OVER_CLEARING: 'WARN',
  CLEARING_AFTER_REVERSAL: 'WARN',
  CLEARING_AFTER_DECLINE: 'WARN',
  EXTRA_CLEARING: 'WARN',
  FORCE_POST: 'WARN',
  AMBIGUOUS_MATCH: 'WARN',
  REFUND_EXCEEDS: 'WARN',
  UNLINKED_REFUND: 'WARN',
  NEGATIVE_BALANCE: 'WARN',
  CLOSED_BALANCE: 'WARN',
  RECORD_INVALID: 'WARN',
  OVER_REVERSAL: 'WARN',
  REVERSAL_AFTER_CLEARING: 'WARN',
  AMBIGUOUS_REVERSAL: 'WARN',
  ADVICE_UNKNOWN_CARD: 'WARN',
  STAND_IN_CONFLICT: 'WARN',
  STAND_IN_OVER_FUNDS: 'WARN',
  CREDIT_NOT_CLEARED: 'WARN',
  SECOND_PRESENTMENT: 'WARN',
  FILE_TOTALS: 'CRITICAL',
  RECON_MISMATCH: 'CRITICAL',
} as const satisfies Record<string, ExceptionSeverity>;

export type ExceptionKind = keyof typeof SEVERITIES;

/** Severity of an exception; INFO ones are born resolved. */
export const severityOf = (kind: ExceptionKind): ExceptionSeverity => SEVERITIES[kind];

/** A reversal that came before what it reverses: takes effect when that arrives. */
export interface TombstoneEffect {
  readonly originalStan: string | null;
  readonly originalLocalAt: string | null;
  readonly networkReference: string | null;
  readonly externalId: string | null;
  /** To give back, or what may stay held: one of the two at most, both null = everything. */
  readonly amount: number | null;
  readonly remainingAmount: number | null;
}

/** What a decision changes; the caller applies it to its working copy and writes it (authorization 5). */
export interface Effects {
  /** Null when nothing is stored: the card is not known. */
  readonly transaction: {
    readonly id: string;
    /** Null for a later event of a transaction that is there. */
    readonly created: NewTransaction | null;
    readonly fold: Fold;
  } | null;
  readonly events: readonly EventEffect[];
  /** The entry was not asked for funds: it may take the customer or the deposit below zero. */
  readonly forced: boolean;
  readonly tries: { readonly pinTriesLeft: number; readonly cvcTriesLeft: number } | null;
  /** Lock that a wrong PIN puts on the card. */
  readonly lockCode: 6 | null;
  readonly tombstone: TombstoneEffect | null;
  /** Reversals that came before this message and have now taken effect. */
  readonly usedTombstoneIds: readonly string[];
  readonly exceptions: readonly ExceptionEffect[];
}

export interface Outcome<Answer> {
  readonly answer: Answer;
  readonly effects: Effects;
}

export const NO_EFFECTS: Effects = {
  transaction: null,
  events: [],
  forced: false,
  tries: null,
  lockCode: null,
  tombstone: null,
  usedTombstoneIds: [],
  exceptions: [],
};
