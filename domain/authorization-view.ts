import type { BalanceView } from './transaction.ts';

export type Verdict = 'MATCH' | 'NO_MATCH' | 'NOT_CHECKED' | 'NOT_PRESENT';

/** What the processor, or our vault in its place, found about the means of proof. */
export interface Verdicts {
  readonly pin: Verdict;
  readonly cvc2: Verdict;
  readonly cryptogram: Verdict;
  readonly expiry: Verdict;
  readonly threeDs: Verdict;
}

/** An authorization or a balance inquiry, normalized (authorization 1). */
export interface AuthorizationCommand {
  readonly kind: 'AUTHORIZATION' | 'INCREMENTAL' | 'CREDIT_AUTHORIZATION' | 'BALANCE_INQUIRY';
  readonly type: string;
  readonly amount: number;
  readonly currency: string;
  readonly originalAmount: number | null;
  readonly originalCurrency: string | null;
  readonly cashbackAmount: number | null;
  readonly externalId: string;
  readonly networkReference: string | null;
  readonly rrn: string;
  readonly stan: string;
  /** Local date and time with offset, the same in repeats. */
  readonly localAt: string;
  /** `YYYY-MM` as read from the card, null when not sent. */
  readonly expiry: string | null;
  readonly mcc: string | null;
  readonly verdicts: Verdicts;
  readonly preAuthorization: boolean;
  readonly statusOnly: boolean;
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
  readonly holdDays: number | null;
}

export interface OwnerView {
  readonly state: 'UNVERIFIED' | 'VERIFIED' | 'LOCKED' | 'DELETED';
  readonly kyc: 'NOT_STARTED' | 'IN_PROGRESS' | 'SUCCESS' | 'FAILED';
  readonly transactionalLocks: number;
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

/** Everything a decision looks at, of a card that is known. */
export interface AuthorizationView {
  readonly card: CardView;
  readonly programme: ProgrammeView;
  readonly product: { readonly version: number; readonly pinTries: number; readonly anonymous: boolean };
  readonly owner: OwnerView | null;
  readonly balance: BalanceView | null;
  readonly deposit: DepositView | null;
  /** The reversals that came before this message, oldest first. */
  readonly tombstones: readonly TombstoneView[];
}
