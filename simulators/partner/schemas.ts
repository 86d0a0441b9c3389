import { z } from 'zod';
import type { Operation } from './operations.ts';

/**
 * Bodies as the contract promises them (partner-integrations 3, 4, 11). Further members are tolerated; a
 * missing one, a wrong type or an unknown constant is a fault of the sender.
 */

const uuid = z.guid();
const currency = z.string().regex(/^[A-Z]{3}$/);
const numeric = z.union([z.string().regex(/^[0-9]+$/), z.int().nonnegative()]);
const amount = z.int().nonnegative();
const date = z.string().regex(/^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d{3}Z|[+-]\d{2}:\d{2})$/);
const code = (pattern: RegExp) => z.string().regex(pattern).nullable();

const oneOf = (words: readonly string[]) => z.enum(words);

const captureMode = oneOf([
  ...['magstripe', 'manual', 'emv', 'on behalf (EMV)', 'nfc', 'ecommerce', 'adj'],
  ...['MAGSTRIPE', 'MANUAL', 'EMV', 'ON_BEHALF', 'NFC', 'ECOM', 'ADJ'],
]);

const transactionData = z.looseObject({
  mcc: code(/^\d{4}$/).optional(),
  merchantIdentifier: z.string().max(15).nullish(),
  merchantName: z.string().max(64).nullish(),
  captureMode: captureMode.nullish(),
  lastFourDigits: code(/^\d{4}$/).optional(),
  acquirerCountry: code(/^[A-Z]{3}$/).optional(),
  mdesDigitizedWalletId: z.enum(['m4m', 'google pay', 'samsung pay', 'apple pay']).nullish(),
  cashbackPosCurrencyCode: currency.nullish(),
  cashbackPosAmount: z.int().nullish(),
});

const status = z.enum(['AUTHORIZED', 'CLEARED', 'REVERSED']);

const transactionTypes = [
  ...['cashback', 'loan', 'payment', 'topup', 'commission', 'fee', 'funding', 'interest', 'withdrawal'],
  ...['pos', 'atm', 'cashback_at_pos', 'adjustment', 'creditIbanTransfer'],
];

export const transactionSchema = z.looseObject({
  id: uuid,
  balanceId: uuid,
  resourceId: uuid,
  resource: z.enum(['card', 'balance']),
  transactionId: z.string().min(1).max(64),
  referenceTransactionId: z.string().max(64).nullable(),
  type: oneOf(transactionTypes),
  amount: z.int().positive(),
  currency,
  originalAmount: amount.nullable(),
  originalCurrency: currency.nullable(),
  status,
  description: z.string().max(255),
  date,
  transactionData: transactionData.extend({
    lastFourDpan: code(/^\d{4}$/).optional(),
    adjustmentReasonDescription: z.string().nullish(),
    retrievalReferenceNumber: code(/^\d{12}$/).optional(),
    cardId: z.string().nullish(),
  }),
});

/** The part of a transaction that the own ledger cannot do without. */
export const movementSchema = z.looseObject({
  id: z.string().min(1),
  balanceId: z.string().min(1),
  transactionId: z.string().min(1),
  amount: z.int().positive(),
  currency,
});
export type Movement = z.infer<typeof movementSchema>;

export const linkSchema = z.looseObject({ balanceId: uuid, currency });
export type LinkBody = z.infer<typeof linkSchema>;

const otp = z.looseObject({
  storageCustomerId: numeric,
  storageCardId: numeric,
  balanceId: uuid,
  amount: numeric,
  currency,
  merchantName: z.string(),
  otp: z.string().min(1),
});

const verificationFields = {
  verificationId: uuid,
  userId: numeric,
  email: z.string(),
  firstName: z.string(),
  lastName: z.string(),
};
const undecided = (state: 'IN_PROGRESS' | 'ACCEPTED') =>
  z.looseObject({ ...verificationFields, status: z.literal(state), reason: z.null() });
const rejected = z.looseObject({
  ...verificationFields,
  status: z.literal('REJECTED'),
  reason: z.enum([
    'INVALID_CUSTOMER_DATA',
    'BLURRED_DOCUMENT_PHOTO',
    'INVALID_DOCUMENT_PHOTO',
    'BLURRED_SELFIE',
    'INVALID_SELFIE',
  ]),
});

const cardLocked = z.looseObject({
  dcCardId: numeric,
  date,
  reason: oneOf([
    ...['CARD_LOST', 'CARD_STOLEN', 'PENDING_QUERY', 'CARD_CONSOLIDATION', 'CARD_INACTIVE'],
    ...['PIN_TRIES_EXCEEDED', 'SUSPECTED_FRAUD', 'CARD_REPLACED'],
  ]),
});
const cardUnlocked = z.looseObject({ dcCardId: numeric, date });

const lockReason = z.looseObject({
  resourceType: z.enum(['user', 'corporation']),
  resourceId: z.union([z.string().regex(/^[0-9]+$/), uuid]),
  lockReason: z.string().min(1),
  timestamp: date,
});

const legacyTypes = [
  ...['POS', 'ATM', 'Cashback', 'AFT', 'Balance Inquiry', 'Adjustment', 'Payment', 'commission', 'fee'],
  ...['funding', 'interest', 'withdrawal', 'collateralDebit', 'companyDebit', 'ibanTechnicalDebit'],
  ...['cashback', 'creditIbanTransfer', 'loan', 'payment', 'topUp', 'collateralCredit', 'companyCredit'],
  ...['ibanTechnicalCredit', 'interchangeCredit', 'interchangeDebit'],
];

const legacyDescriptions = [
  ...['APPROVED', 'EXCEEDS_AMOUNT_LIMIT', 'INSUFFICIENT_FUNDS', 'CARD_NOT_FOUND', 'BALANCE_NOT_FOUND'],
  ...[
    'INVALID_AMOUNT',
    'INSUFFICIENT_FUNDS_ON_DEPOSIT_BALANCE',
    'DEPOSIT_BALANCE_NOT_FOUND',
    'AML_EXCEPTION',
  ],
  ...['AMBIGUOUS_REFERENCED_TRANSACTION', 'REFERENCED_TRANSACTION_NOT_FOUND', 'CURRENCY_MISMATCH'],
  ...['CUSTOMER_NOT_FOUND', 'BUDGET_EXCEEDED', 'LIMIT_EXCEED', 'COLLATERAL_BALANCE_NOT_FOUND'],
  ...['INSUFFICIENT_FUNDS_ON_COLLATERAL_BALANCE', 'UNKNOWN_TRANSACTION_TYPE', 'UNKNOWN_ERROR'],
];

const legacyTransaction = z.looseObject({
  status: z.enum(['SUCCESS', 'DECLINED', 'INVALID']),
  date,
  description: oneOf(legacyDescriptions),
  transaction: z.looseObject({
    id: uuid,
    balanceId: uuid,
    resourceId: uuid,
    resource: oneOf([
      ...['card', 'balance', 'creditBalance', 'depositBalance', 'debitBalance', 'companyBalance'],
      'ibanTechnicalBalance',
    ]),
    cardId: z.string().nullable(),
    externalTransactionId: z.string(),
    referenceExternalTransactionId: z.string().nullable(),
    referenceExternalTransactionDate: date.nullable(),
    type: oneOf(legacyTypes),
    category: z.enum(['CREDIT', 'DEBIT']),
    amount,
    currency,
    originalAmount: amount.nullable(),
    originalCurrency: currency.nullable(),
    description: z.string(),
    date,
    status,
    transactionData: z.union([transactionData, z.array(z.never())]),
  }),
});

const transactionEvent = z.looseObject({
  id: z.int().positive(),
  timestamp: z.string().regex(/^[0-9]{10}$/),
});

/** The schema of an operation's body; `kind` is the last part of a notification's path. Null: no body. */
export function schemaOf(operation: Operation, kind: string | undefined): z.ZodType | null {
  switch (operation) {
    case 'link':
      return linkSchema;
    case 'debit':
    case 'force-debit':
    case 'credit':
    case 'force-credit':
    case 'reversal':
    case 'status':
      return transactionSchema;
    case 'otp':
      return otp;
    case 'verification':
      if (kind === 'verificationRejected') return rejected;
      return undecided(kind === 'verificationAccepted' ? 'ACCEPTED' : 'IN_PROGRESS');
    case 'cardLocked':
      return cardLocked;
    case 'cardUnlocked':
      return cardUnlocked;
    case 'lockReasonAdded':
    case 'lockReasonRemoved':
      return lockReason;
    case 'transaction':
      return legacyTransaction;
    case 'transaction-event':
      return transactionEvent;
    case 'unlink':
    case 'balance':
    case 'balances':
    case 'public-key':
      return null;
  }
}
