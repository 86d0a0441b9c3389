import type { WireStyle } from '../../db/database.ts';
import type { TransactionFacts } from '../../db/notification-facts.ts';
import { assertNever } from '../../domain/errors.ts';
import { type Description, DESCRIPTIONS, responseOf } from '../../domain/response-code.ts';

/** Bodies of notifications as partners get them (partner-integrations 11.2 to 11.4). */
export type NotificationBody = Readonly<Record<string, unknown>>;

/** A date in the connection's style, UTC. */
export function wireDate(at: Date, style: WireStyle): string {
  switch (style.dateStyle) {
    case 'ISO_MS_Z':
      return at.toISOString();
    case 'ISO_OFFSET':
      return `${at.toISOString().slice(0, 19)}+00:00`;
    default:
      return assertNever(style.dateStyle);
  }
}

const wireNumber = (value: number, style: WireStyle): string | number =>
  style.numberStyle === 'STRING' ? String(value) : value;

/** `/notifications/cardLocked`. `reason` is a constant of 11.3. */
export const cardLockedBody = (
  card: { readonly cardId: number; readonly at: Date; readonly reason: string },
  style: WireStyle,
): NotificationBody => ({ ...cardUnlockedBody(card, style), reason: card.reason });

/** `/notifications/cardUnlocked`. */
export const cardUnlockedBody = (
  card: { readonly cardId: number; readonly at: Date },
  style: WireStyle,
): NotificationBody => ({ dcCardId: wireNumber(card.cardId, style), date: wireDate(card.at, style) });

export type VerificationOperation =
  'verificationInProgress' | 'verificationAccepted' | 'verificationRejected';

const VERIFICATION_STATUS = {
  verificationInProgress: 'IN_PROGRESS',
  verificationAccepted: 'ACCEPTED',
  verificationRejected: 'REJECTED',
} as const satisfies Record<VerificationOperation, string>;

export interface VerificationFacts {
  readonly verificationId: string;
  readonly customerId: number;
  readonly email: string;
  readonly firstName: string;
  readonly lastName: string;
  readonly reason: string | null;
}

/** `/notifications/verification*`: the status is the operation's, whatever the case has become since. */
export const verificationBody = (
  operation: VerificationOperation,
  facts: VerificationFacts,
  style: WireStyle,
): NotificationBody => ({
  verificationId: facts.verificationId,
  userId: wireNumber(facts.customerId, style),
  email: facts.email,
  firstName: facts.firstName,
  lastName: facts.lastName,
  status: VERIFICATION_STATUS[operation],
  reason: operation === 'verificationRejected' ? facts.reason : null,
});

/** `/notifications/transactionalLockReasonAdded` and `...Removed` (11.3). */
export const lockReasonBody = (
  lock: {
    readonly resourceType: string;
    /** Number of the user as text, or UUID of the corporation. */
    readonly resourceId: string;
    readonly lockReason: string;
    readonly at: Date;
  },
  style: WireStyle,
): NotificationBody => ({
  resourceType: lock.resourceType,
  resourceId: lock.resourceId,
  lockReason: lock.lockReason,
  timestamp: wireDate(lock.at, style),
});

/** Our transaction types by the words of the legacy object. */
const LEGACY_TYPES: Readonly<Record<string, string>> = {
  pos: 'POS',
  atm: 'ATM',
  cashback_at_pos: 'Cashback',
  aft: 'AFT',
  balance_inquiry: 'Balance Inquiry',
  adjustment: 'Adjustment',
  topup: 'topUp',
};

/** Events that undo or correct: told as an adjustment that refers to the first message. */
const ADJUSTMENTS: Readonly<Record<string, 'CREDIT' | 'DEBIT'>> = {
  INCREMENT: 'DEBIT',
  REVERSAL: 'CREDIT',
  EXPIRY: 'CREDIT',
  REFUND: 'CREDIT',
  CHARGEBACK: 'CREDIT',
  REFUND_REVERSAL: 'DEBIT',
  SECOND_PRESENTMENT: 'DEBIT',
};

const SAMPLE_CAPTURE_MODES: Readonly<Record<string, string>> = {
  magstripe: 'MAGSTRIPE',
  manual: 'MANUAL',
  emv: 'EMV',
  'on behalf (EMV)': 'ON_BEHALF',
  nfc: 'NFC',
  ecommerce: 'ECOM',
  adj: 'ADJ',
};

const TOLD_DATA = [
  ...['mcc', 'merchantIdentifier', 'merchantName', 'captureMode', 'lastFourDigits', 'acquirerCountry'],
  ...['mdesDigitizedWalletId', 'cashbackPosCurrencyCode', 'cashbackPosAmount'],
] as const;

/** `/notifications/transaction`: one processed step of a transaction as the legacy object (11.4). */
export function transactionBody(facts: TransactionFacts, style: WireStyle): NotificationBody {
  const adjustment = ADJUSTMENTS[facts.kind];
  const refers = facts.eventSeq > 1 && adjustment !== undefined;
  const date = wireDate(facts.occurredAt, style);
  return {
    status: processingStatus(facts),
    date,
    description: facts.result,
    transaction: {
      id: facts.transactionId,
      balanceId: facts.balanceId ?? facts.partnerBalanceId,
      resourceId: facts.cardResourceId ?? facts.balanceId ?? facts.partnerBalanceId,
      resource: facts.resource,
      cardId: facts.cardId === null ? null : String(facts.cardId),
      externalTransactionId: facts.externalId,
      referenceExternalTransactionId: refers ? facts.firstExternalId : facts.referenceExternalId,
      referenceExternalTransactionDate: refers ? wireDate(facts.firstOccurredAt, style) : null,
      type: adjustment === undefined ? (LEGACY_TYPES[facts.type] ?? facts.type) : 'Adjustment',
      category: adjustment ?? facts.category,
      amount: facts.amount,
      currency: facts.currency,
      originalAmount: facts.kind === 'REVERSAL' ? null : facts.originalAmount,
      originalCurrency: facts.kind === 'REVERSAL' ? null : facts.originalCurrency,
      description: facts.description,
      date,
      status: facts.status,
      transactionData: toldData(facts, style),
    },
  };
}

function processingStatus({ result, reason }: TransactionFacts): string {
  const description = DESCRIPTIONS.find((one: Description) => one === result);
  return description === undefined ? 'DECLINED' : responseOf(description, reason).processingStatus;
}

/** Only what is known; card data is of cards, so `{}` for postings. */
function toldData(facts: TransactionFacts, style: WireStyle): NotificationBody {
  const data: Record<string, unknown> = {};
  const known: Readonly<Record<string, unknown>> = {
    ...(facts.lastFourDigits === null ? {} : { lastFourDigits: facts.lastFourDigits }),
    ...facts.transactionData,
  };
  for (const name of TOLD_DATA) {
    const value = known[name];
    if (value === undefined || value === null) continue;
    data[name] = name === 'captureMode' ? captureMode(String(value), style) : value;
  }
  return data;
}

const captureMode = (mode: string, style: WireStyle): string =>
  style.captureModeStyle === 'SAMPLE' ? (SAMPLE_CAPTURE_MODES[mode] ?? mode) : mode;
