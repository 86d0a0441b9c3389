import type { PostingEvent } from './posting-table.ts';

/** Who may create a transaction of a type (money 4.1). */
export type Creator = 'processor' | 'partner' | 'ims' | 'sponsor' | 'platform';

interface TypeRule {
  readonly by: Creator;
  /** Null where it depends on the message. */
  readonly category: 'CREDIT' | 'DEBIT' | null;
}

/** Every transaction type by its canonical name (money 4.1). */
const TYPES = {
  pos: { by: 'processor', category: 'DEBIT' },
  atm: { by: 'processor', category: 'DEBIT' },
  cashback_at_pos: { by: 'processor', category: 'DEBIT' },
  aft: { by: 'processor', category: 'DEBIT' },
  balance_inquiry: { by: 'processor', category: 'DEBIT' },
  adjustment: { by: 'platform', category: null },
  topUp: { by: 'partner', category: 'CREDIT' },
  payment: { by: 'partner', category: 'CREDIT' },
  loan: { by: 'partner', category: 'CREDIT' },
  cashback: { by: 'partner', category: 'CREDIT' },
  creditIbanTransfer: { by: 'ims', category: 'CREDIT' },
  fee: { by: 'partner', category: 'DEBIT' },
  commission: { by: 'partner', category: 'DEBIT' },
  funding: { by: 'partner', category: 'DEBIT' },
  interest: { by: 'partner', category: 'DEBIT' },
  withdrawal: { by: 'partner', category: 'DEBIT' },
  collateralCredit: { by: 'sponsor', category: 'CREDIT' },
  collateralDebit: { by: 'sponsor', category: 'DEBIT' },
  companyCredit: { by: 'sponsor', category: 'CREDIT' },
  companyDebit: { by: 'sponsor', category: 'DEBIT' },
  ibanTechnicalCredit: { by: 'ims', category: 'CREDIT' },
  ibanTechnicalDebit: { by: 'ims', category: 'DEBIT' },
  interchangeCredit: { by: 'platform', category: 'CREDIT' },
  interchangeDebit: { by: 'platform', category: 'DEBIT' },
} as const satisfies Record<string, TypeRule>;

export type TransactionType = keyof typeof TYPES;

const plain = (word: string): string => word.toLowerCase().replaceAll(/[_\-\s]/g, '');

const BY_WORD = new Map(Object.keys(TYPES).map((type) => [plain(type), type as TransactionType]));

/** The type a word names, without regard to case, `_`, `-` and blanks; null for a word that names none. */
export const readTransactionType = (word: string): TransactionType | null => BY_WORD.get(plain(word)) ?? null;

/** Who may create a transaction of the type. */
export const creatorOf = (type: TransactionType): Creator => TYPES[type].by;

/** What a partner posts on a customer's balance, and the row of the posting table behind each (money 3.2). */
export const INTERNAL_POSTINGS = {
  topUp: { category: 'CREDIT', event: 'userCredit' },
  payment: { category: 'CREDIT', event: 'userCredit' },
  loan: { category: 'CREDIT', event: 'userCredit' },
  cashback: { category: 'CREDIT', event: 'userCredit' },
  fee: { category: 'DEBIT', event: 'fee' },
  commission: { category: 'DEBIT', event: 'partnerRevenue' },
  funding: { category: 'DEBIT', event: 'funding' },
  interest: { category: 'DEBIT', event: 'partnerRevenue' },
  withdrawal: { category: 'DEBIT', event: 'withdrawal' },
} as const satisfies Partial<
  Record<TransactionType, { readonly category: 'CREDIT' | 'DEBIT'; readonly event: PostingEvent }>
>;
export type InternalType = keyof typeof INTERNAL_POSTINGS;

/** True for a type that partners post on a customer's balance. */
export const isInternalType = (type: TransactionType): type is InternalType => type in INTERNAL_POSTINGS;

/** Types posted on a balance of the partner itself; each is the row of the posting table of the same name. */
export const PARTNER_BALANCE_TYPES = [
  'collateralCredit',
  'collateralDebit',
  'companyCredit',
  'companyDebit',
  'ibanTechnicalCredit',
  'ibanTechnicalDebit',
] as const satisfies readonly (TransactionType & PostingEvent)[];
export type PartnerBalanceType = (typeof PARTNER_BALANCE_TYPES)[number];

/** True for a type that is posted on a balance of the partner itself. */
export const isPartnerBalanceType = (type: TransactionType): type is PartnerBalanceType =>
  PARTNER_BALANCE_TYPES.some((one) => one === type);

/** Direction of a type posted on a partner balance. */
export const categoryOf = (type: PartnerBalanceType): 'CREDIT' | 'DEBIT' => TYPES[type].category;
