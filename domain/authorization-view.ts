import type { LimitDocument } from './limit.ts';
import type { Reference } from './reference.ts';
import type { BalanceView, Lifecycle } from './transaction.ts';

export type Verdict = 'MATCH' | 'NO_MATCH' | 'NOT_CHECKED' | 'NOT_PRESENT';

/** What the processor, or our vault in its place, found about the means of proof. */
export interface Verdicts {
  readonly pin: Verdict;
  readonly cvc2: Verdict;
  readonly cryptogram: Verdict;
  readonly expiry: Verdict;
  readonly threeDs: Verdict;
}

/** Somebody decided without us and tells it now (authorization 10). */
export interface Advice {
  readonly reason: 'STAND_IN' | 'OFFLINE' | 'COMPLETION' | null;
  readonly result: 'APPROVED' | 'DECLINED';
}

/** A message of `/processor/authorizations`, normalized (authorization 1). */
export interface AuthorizationCommand extends Reference {
  readonly kind: 'AUTHORIZATION' | 'INCREMENTAL' | 'CREDIT_AUTHORIZATION' | 'BALANCE_INQUIRY';
  readonly type: string;
  /** Of an increment: what is added. */
  readonly amount: number;
  readonly currency: string;
  readonly originalAmount: number | null;
  readonly originalCurrency: string | null;
  readonly cashbackAmount: number | null;
  /** New total of an increment, in `currency`; null when only the increment was sent. */
  readonly cumulativeAmount: number | null;
  readonly externalId: string;
  readonly stan: string;
  /** Local date and time with offset, the same in repeats. */
  readonly localAt: string;
  /** `YYYY-MM` as read from the card, null when not sent. */
  readonly expiry: string | null;
  readonly mcc: string | null;
  /** Alpha-3, of the acquirer. */
  readonly country: string | null;
  readonly captureMode: string | null;
  readonly verdicts: Verdicts;
  readonly preAuthorization: boolean;
  readonly partialApprovalSupported: boolean;
  readonly statusOnly: boolean;
  /** What a credit authorization announces. */
  readonly creditReason: 'REFUND' | 'MONEY_SEND' | null;
  /** Null for a question, which is what we decide. */
  readonly advice: Advice | null;
  readonly description: string;
  readonly transactionData: Readonly<Record<string, unknown>>;
}

export interface CardView {
  readonly cardId: number;
  readonly baseState: string;
  readonly locks: readonly number[];
  /** Last day of validity, `YYYY-MM-DD`. */
  readonly expiryDate: string;
  readonly pinTriesLeft: number;
  readonly cvcTriesLeft: number;
}

export interface ProgrammeView {
  readonly version: number;
  readonly balanceHolder: 'platform' | 'external';
  readonly funding: 'credit' | 'deposit';
  readonly sharedAuthorization: boolean;
  readonly allowPartialApproval: boolean;
  readonly holdDays: number | null;
  /** Whether employees need kyc of their own for a card of their corporation. */
  readonly corporateHolderKyc: 'required' | 'waived';
}

export interface OwnerView {
  readonly state: 'UNVERIFIED' | 'VERIFIED' | 'LOCKED' | 'DELETED';
  readonly kyc: 'NOT_STARTED' | 'IN_PROGRESS' | 'SUCCESS' | 'FAILED';
  readonly transactionalLocks: number;
}

/** The company whose balance a card spends from. */
export interface CorporationView {
  readonly state: 'ACTIVE' | 'LOCKED' | 'DELETED';
  readonly kyb: 'NOT_STARTED' | 'IN_PROGRESS' | 'SUCCESS' | 'FAILED';
  readonly transactionalLocks: number;
  /** Of the person who holds the card; null when no person does. */
  readonly employee: 'ACTIVE' | 'SUSPENDED' | 'REMOVED' | null;
}

/** The partner's deposit balance; one that is not enforced may go below zero. */
export interface DepositView {
  readonly posted: number;
  readonly held: number;
  readonly enforced: boolean;
}

/** A reversal that came before what it reverses; both amounts null = everything. */
export interface TombstoneView {
  readonly id: string;
  readonly amount: number | null;
  readonly remainingAmount: number | null;
}

/** Limits of one holder with what already counts against them today. */
export interface LimitsView {
  readonly document: LimitDocument;
  /** As `Consumption.consumed`, periods that are over set to zero. */
  readonly counted: readonly number[];
  /** Local time of the budget's zone, `2026-03-01T12:00:00`. */
  readonly localNow: string;
  readonly version: number;
}

/** Null where nobody set any. Programme and product are ceilings for what the card alone has spent. */
export interface AllLimitsView {
  readonly card: LimitsView | null;
  readonly programme: LimitsView | null;
  readonly product: LimitsView | null;
  readonly customer: LimitsView | null;
}

/** Everything a decision looks at, of a card that is known. */
export interface AuthorizationView {
  readonly card: CardView;
  readonly programme: ProgrammeView;
  readonly product: { readonly version: number; readonly pinTries: number; readonly anonymous: boolean };
  /** The person who holds the card; null when there is none. */
  readonly owner: OwnerView | null;
  /** Null for a card on a person's own balance. */
  readonly corporation: CorporationView | null;
  readonly balance: BalanceView | null;
  readonly deposit: DepositView | null;
  readonly limits: AllLimitsView;
  /** Transactions of the card that the message may mean; the rules choose. */
  readonly candidates: readonly Lifecycle[];
  /** Another authorization of this card, amount and merchant came within a minute. */
  readonly possibleDuplicate: boolean;
  /** The reversals that came before this message, oldest first. */
  readonly tombstones: readonly TombstoneView[];
}
