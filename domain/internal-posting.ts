import type { AccountValue } from './ledger.ts';
import { availableOf } from './ledger.ts';
import { sumFits } from './money.ts';
import type { Description } from './response-code.ts';
import { INTERNAL_POSTINGS, type InternalType } from './transaction-type.ts';

/** Most that one posting may move, by type and currency, in minor units (money 4.5, LIMIT_EXCEED). */
export type PostingCeilings = Readonly<Partial<Record<InternalType, Readonly<Record<string, number>>>>>;

/** What came of looking for the transaction that a posting refers to (money 4.4). */
export type ReferenceResult = 'FOUND' | 'NONE' | 'MANY';

/** What an internal posting is decided on, before any money is looked at. */
export interface PostingScene {
  readonly balance: AccountValue & {
    readonly state: 'LINKING' | 'ACTIVE' | 'BLOCKED' | 'UNLINKING' | 'CLOSED';
    readonly currency: string;
  };
  /** Null when there is none. */
  readonly owner: {
    readonly kind: 'CUSTOMER' | 'CORPORATION';
    readonly state: 'UNVERIFIED' | 'VERIFIED' | 'ACTIVE' | 'LOCKED' | 'DELETED';
    /** Kyc of a customer, kyb of a corporation. */
    readonly verified: string;
    readonly transactionalLocks: number;
  } | null;
  /** Null when nothing is referred to. */
  readonly reference: ReferenceResult | null;
  readonly ceilings: PostingCeilings;
}

export interface PostingCommand {
  /** Null = a word that names no type. */
  readonly type: InternalType | null;
  /** Minor units; not checked yet. */
  readonly amount: number;
  /** Null = the balance's own. */
  readonly currency: string | null;
}

/** Why a posting is refused, in the words of a transaction. */
export interface PostingRefusal {
  readonly description: Exclude<Description, 'APPROVED'>;
  readonly reason: string | null;
}

const refuse = (
  description: PostingRefusal['description'],
  reason: string | null = null,
): PostingRefusal => ({
  description,
  reason,
});

/** The checks of money 4.5 up to the ceiling, in their order; null when none refuses. */
export function refusePosting(scene: PostingScene, posting: PostingCommand): PostingRefusal | null {
  const { balance, owner, reference } = scene;
  const { type, amount, currency } = posting;
  if (type === null) return refuse('UNKNOWN_TRANSACTION_TYPE');
  const { category } = INTERNAL_POSTINGS[type];
  const signed = category === 'CREDIT' ? amount : -amount;
  if (amount <= 0 || !sumFits(balance.posted, signed)) return refuse('INVALID_AMOUNT');
  // A blocked balance still takes credits (money 1).
  const open = balance.state === 'ACTIVE' || (balance.state === 'BLOCKED' && category === 'CREDIT');
  if (!open) return refuse('BALANCE_NOT_FOUND', `BALANCE_${balance.state}`);
  if (owner === null || owner.state === 'DELETED') return refuse('CUSTOMER_NOT_FOUND');
  if (owner.state === 'LOCKED') return refuse('CUSTOMER_NOT_FOUND', `${owner.kind}_LOCKED`);
  if (currency !== null && currency !== balance.currency) return refuse('CURRENCY_MISMATCH');
  if (reference === 'NONE') return refuse('REFERENCED_TRANSACTION_NOT_FOUND');
  if (reference === 'MANY') return refuse('AMBIGUOUS_REFERENCED_TRANSACTION');
  if (owner.transactionalLocks > 0) return refuse('AML_EXCEPTION', 'TRANSACTIONAL_LOCK');
  if (owner.verified !== 'SUCCESS') return refuse('AML_EXCEPTION', 'KYC_NOT_COMPLETE');
  const ceiling = scene.ceilings[type]?.[balance.currency];
  return ceiling !== undefined && amount > ceiling ? refuse('LIMIT_EXCEED', 'LIMIT') : null;
}

/** The partner's credit balance as a posting sees it. */
export type CreditValue = AccountValue & { readonly enforced: boolean };

/**
 * The checks of money, the last ones of money 4.5. `credit` is the partner's credit balance where the posting
 * moves it, null where it should and is not there, `unmoved` where it does not.
 */
export function refuseFunds(
  balance: AccountValue,
  credit: CreditValue | null | 'unmoved',
  { type, amount }: { readonly type: InternalType; readonly amount: number },
): PostingRefusal | null {
  const { category } = INTERNAL_POSTINGS[type];
  if (credit === null) return refuse('COLLATERAL_BALANCE_NOT_FOUND');
  if (credit !== 'unmoved') {
    const charged = category === 'CREDIT';
    if (charged && credit.enforced && availableOf(credit) < amount) {
      return refuse('INSUFFICIENT_FUNDS_ON_COLLATERAL_BALANCE');
    }
    if (!sumFits(credit.posted, charged ? -amount : amount)) return refuse('INVALID_AMOUNT');
  }
  return category === 'DEBIT' && availableOf(balance) < amount ? refuse('INSUFFICIENT_FUNDS', 'FUNDS') : null;
}
