import type { TransactionRow } from '../../db/transactions.ts';
import { currencyExponent } from '../../domain/money.ts';
import { processingStatusOf, wireStatus } from '../../domain/transaction.ts';
import { date, text, uuid, z } from './shared.ts';

const transactionDataSchema = z.strictObject({
  mcc: z.string().nullable(),
  merchantIdentifier: z.string().nullable(),
  merchantName: z.string().nullable(),
  captureMode: z.string().nullable(),
  lastFourDigits: z.string().nullable(),
  acquirerCountry: z.string().nullable(),
  mdesDigitizedWalletId: z.string().nullable(),
  cashbackPosCurrencyCode: z.string().nullable(),
  cashbackPosAmount: z.int().nullable(),
  lastFourDpan: z.string().nullable(),
  adjustmentReasonDescription: z.string().nullable(),
  retrievalReferenceNumber: z.string().nullable(),
  cardId: z.string().nullable(),
});

const optionalText = (most: number) => text(0, most).nullish();

/** `transactionData` as callers may send it with a posting: the documented keys (money 4.2). */
export const postingDataSchema = z.strictObject({
  mcc: optionalText(4),
  merchantIdentifier: optionalText(64),
  merchantName: optionalText(255),
  captureMode: optionalText(32),
  lastFourDigits: z
    .string()
    .regex(/^[0-9]{4}$/, 'must be 4 digits')
    .nullish(),
  acquirerCountry: optionalText(3),
  mdesDigitizedWalletId: optionalText(64),
  cashbackPosCurrencyCode: optionalText(3),
  cashbackPosAmount: z.int().min(0).nullish(),
  lastFourDpan: z
    .string()
    .regex(/^[0-9]{4}$/, 'must be 4 digits')
    .nullish(),
  adjustmentReasonDescription: optionalText(255),
  retrievalReferenceNumber: z
    .string()
    .regex(/^[0-9]{12}$/, 'must be 12 digits')
    .nullish(),
  cardId: optionalText(16),
});

export const transactionSchema = z
  .strictObject({
    id: uuid(),
    balanceId: uuid().nullable(),
    resource: z.string(),
    resourceId: uuid().nullable(),
    cardId: z.string().nullable(),
    customerId: z.int().nullable(),
    dcCorporationId: uuid().nullable(),
    transactionId: z.string(),
    referenceTransactionId: z.string().nullable(),
    type: z.string(),
    adjustmentKind: z.string().nullable(),
    category: z.enum(['DEBIT', 'CREDIT']),
    amount: z.int(),
    currency: z.string(),
    originalAmount: z.int().nullable(),
    originalCurrency: z.string().nullable(),
    exchangeRate: z.string().nullable(),
    status: z.enum(['AUTHORIZED', 'CLEARED', 'REVERSED']),
    processingStatus: z.enum(['SUCCESS', 'DECLINED', 'INVALID']),
    result: z.string(),
    reason: z.string().nullable(),
    description: z.string(),
    date: date(),
    authorizedAmount: z.int(),
    clearedAmount: z.int(),
    reversedAmount: z.int(),
    refundedAmount: z.int(),
    holdAmount: z.int(),
    holdExpiresAt: date().nullable(),
    feeAmount: z.int(),
    balanceBefore: z.int().nullable(),
    balanceAfter: z.int().nullable(),
    transactionData: transactionDataSchema,
    createdAt: date(),
    updatedAt: date(),
  })
  .openapi('Transaction');

/** The wire's transaction (money 4.2); `cardResourceId` is the card's UUID as a resource, null without a card. */
export function toTransaction(
  row: TransactionRow,
  cardResourceId: string | null,
): z.input<typeof transactionSchema> {
  return {
    id: row.id,
    balanceId: row.balance_id,
    resource: row.resource,
    resourceId: cardResourceId ?? row.balance_id ?? row.partner_balance_id,
    cardId: row.card_id === null ? null : String(row.card_id),
    customerId: row.customer_id,
    dcCorporationId: row.corporation_id,
    transactionId: row.external_id,
    referenceTransactionId: row.reference_external_id,
    type: row.type,
    adjustmentKind: row.adjustment_kind,
    category: row.category,
    amount: row.amount,
    currency: row.currency,
    originalAmount: row.original_amount,
    originalCurrency: row.original_currency,
    exchangeRate: exchangeRate(row),
    status: wireStatus(row.state),
    processingStatus: processingStatusOf(row.state),
    result: row.result,
    reason: row.reason,
    description: row.description,
    date: row.occurred_at.toISOString(),
    authorizedAmount: row.authorized,
    clearedAmount: row.cleared,
    reversedAmount: row.reversed,
    refundedAmount: row.refunded,
    holdAmount: row.held,
    holdExpiresAt: row.expires_at?.toISOString() ?? null,
    feeAmount: 0,
    balanceBefore: row.balance_before,
    balanceAfter: row.balance_after,
    transactionData: toTransactionData(row),
    createdAt: row.created_at.toISOString(),
    updatedAt: row.updated_at.toISOString(),
  };
}

/** Original major units for one major unit of the balance currency, ten decimals; null in one currency. */
function exchangeRate(row: TransactionRow): string | null {
  const { original_amount: original, original_currency: currency } = row;
  if (original === null || currency === null || currency === row.currency || row.amount === 0) return null;
  const scale = 10 ** (currencyExponent(row.currency) - currencyExponent(currency));
  return ((original / row.amount) * scale).toFixed(10);
}

function toTransactionData(row: TransactionRow): z.input<typeof transactionDataSchema> {
  const data = row.transaction_data;
  const told = (name: string): string | null => (typeof data[name] === 'string' ? data[name] : null);
  return {
    mcc: told('mcc'),
    merchantIdentifier: told('merchantIdentifier'),
    merchantName: told('merchantName'),
    captureMode: told('captureMode'),
    lastFourDigits: row.last_four_digits,
    acquirerCountry: told('acquirerCountry'),
    mdesDigitizedWalletId: told('mdesDigitizedWalletId'),
    cashbackPosCurrencyCode: told('cashbackPosCurrencyCode'),
    cashbackPosAmount: typeof data['cashbackPosAmount'] === 'number' ? data['cashbackPosAmount'] : null,
    lastFourDpan: told('lastFourDpan'),
    adjustmentReasonDescription: told('adjustmentReasonDescription'),
    retrievalReferenceNumber: row.rrn,
    cardId: row.card_id === null ? told('cardId') : String(row.card_id),
  };
}
