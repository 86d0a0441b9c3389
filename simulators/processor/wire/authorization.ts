import type { Draw } from '../draws.ts';
import type { ProcessorCard } from '../store/cards.ts';
import type { NetworkMessage } from './message.ts';
import { instant, localTime } from './message.ts';

export type CaptureMode = 'manual' | 'magstripe' | 'emv' | 'nfc' | 'ecommerce';
export type Verdict = 'MATCH' | 'NO_MATCH' | 'NOT_CHECKED' | 'NOT_PRESENT';
export type PurchaseType = 'pos' | 'atm' | 'cashback_at_pos' | 'aft' | 'adjustment';
export type AdjustmentReason = 'REFUND' | 'MONEY_SEND';

/** Acquirer of every message of this simulator (DE 32). */
export const ACQUIRER_ID = '271900';

const ENTRY_MODES: Record<CaptureMode, string> = {
  manual: '010',
  magstripe: '900',
  emv: '051',
  nfc: '071',
  ecommerce: '810',
};

const PROCESSING_CODES: Record<Exclude<PurchaseType, 'adjustment'>, string> = {
  pos: '000000',
  atm: '010000',
  cashback_at_pos: '090000',
  aft: '100000',
};

/** What a cardholder does at a terminal. Amounts in minor units; `billing` in the card's currency. */
export interface Purchase {
  readonly type: PurchaseType;
  readonly adjustmentReason: AdjustmentReason | null;
  readonly billing: { readonly amount: number; readonly currency: string };
  /** The terminal's amount when its currency is not the card's. */
  readonly original: { readonly amount: number; readonly currency: string; readonly rate: string } | null;
  readonly mcc: string;
  readonly merchant: string;
  readonly acquirerCountry: string;
  readonly captureMode: CaptureMode;
  readonly expiry: string;
  readonly pinBlock: { readonly format: 'ISO-4'; readonly keyId: string; readonly data: string } | null;
  readonly payload: string | null;
  /** What the network found out about the PIN by itself; null: nothing. */
  readonly pinVerdict: Verdict | null;
  readonly threeDs: Verdict | null;
  readonly cashbackMinorUnits: number | null;
  readonly preAuthorization: boolean;
  readonly partialApproval: boolean;
}

/** The numbers that every card message carries; unchanged in its repeats, but for id and transmission time. */
export function transmission(draw: Draw, now: Date) {
  return {
    messageId: `m-${draw.hex('messageId', 16)}`,
    transmissionAt: instant(now),
    stan: draw.digits('stan', 6),
    date: localTime(now),
    acquirerId: ACQUIRER_ID,
  };
}

/** Reference of the network, constant over the life of a transaction (DE 63.2): scheme, date, 12 characters. */
export const networkReference = (draw: Draw, now: Date): string =>
  draw.unused(
    'networkReferenceId',
    (name) => `MCC${now.toISOString().slice(5, 10).replace('-', '')}${draw.alphanumeric(name, 12)}`,
  );

/** Body of a purchase, cash withdrawal, account funding or credit (MTI 0100, spec 3.2 column A). */
export function authorizationMessage(
  card: ProcessorCard,
  purchase: Purchase,
  draw: Draw,
  now: Date,
): NetworkMessage {
  const { billing, original } = purchase;
  const chip = purchase.captureMode === 'emv' || purchase.captureMode === 'nfc';
  return {
    kind: purchase.type === 'adjustment' ? 'CREDIT_AUTHORIZATION' : 'AUTHORIZATION',
    ...transmission(draw, now),
    processorCardId: card.processorCardId,
    type: purchase.type,
    processingCode: processingCode(purchase),
    amount: billing.amount,
    currency: billing.currency,
    ...(original !== null && {
      originalAmount: original.amount,
      originalCurrency: original.currency,
      conversionRate: original.rate,
    }),
    expiry: purchase.expiry,
    entryMode: ENTRY_MODES[purchase.captureMode],
    retrievalReferenceNumber: draw.digits('retrievalReferenceNumber', 12),
    externalTransactionId: draw.digits('externalTransactionId', 10),
    networkReferenceId: networkReference(draw, now),
    terminalId: 'SIM00001',
    description: purchase.merchant,
    ...(purchase.pinBlock !== null && { pinBlock: purchase.pinBlock }),
    ...(purchase.payload !== null && { payload: purchase.payload }),
    verification: {
      ...(chip && { cryptogram: 'MATCH' }),
      ...(purchase.threeDs !== null && { threeDs: purchase.threeDs }),
      pin: purchase.pinVerdict ?? (purchase.pinBlock === null ? 'NOT_PRESENT' : 'NOT_CHECKED'),
      cvc2: purchase.payload === null ? 'NOT_PRESENT' : 'NOT_CHECKED',
    },
    ...(purchase.preAuthorization && { preAuthorization: true }),
    ...(purchase.partialApproval && { partialApprovalSupported: true }),
    transactionData: {
      mcc: purchase.mcc,
      merchantIdentifier: '000000012345678',
      merchantName: purchase.merchant.slice(0, 64),
      captureMode: purchase.captureMode,
      acquirerCountry: purchase.acquirerCountry,
      ...(purchase.adjustmentReason !== null && { adjustmentReasonDescription: purchase.adjustmentReason }),
      ...(purchase.cashbackMinorUnits !== null && {
        cashbackPosAmount: purchase.cashbackMinorUnits,
        cashbackPosCurrencyCode: billing.currency,
      }),
    },
  };
}

/** Body of a balance inquiry, or with `statusOnly` of an account status inquiry; amount 0. */
export function balanceInquiryMessage(
  card: ProcessorCard,
  inquiry: Pick<Purchase, 'pinBlock'> & { readonly statusOnly: boolean },
  draw: Draw,
  now: Date,
): NetworkMessage {
  return {
    kind: 'BALANCE_INQUIRY',
    ...transmission(draw, now),
    processorCardId: card.processorCardId,
    type: 'balance_inquiry',
    processingCode: inquiry.statusOnly ? '000000' : '300000',
    amount: 0,
    currency: card.currency,
    expiry: card.expiry,
    entryMode: ENTRY_MODES.emv,
    retrievalReferenceNumber: draw.digits('retrievalReferenceNumber', 12),
    externalTransactionId: draw.digits('externalTransactionId', 10),
    networkReferenceId: networkReference(draw, now),
    terminalId: 'SIM00001',
    ...(inquiry.pinBlock !== null && { pinBlock: inquiry.pinBlock }),
    verification: { cryptogram: 'MATCH', pin: inquiry.pinBlock === null ? 'NOT_PRESENT' : 'NOT_CHECKED' },
    ...(inquiry.statusOnly && { statusOnly: true }),
    transactionData: { mcc: '6011', captureMode: 'emv', acquirerCountry: 'POL' },
  };
}

function processingCode(purchase: Purchase): string {
  if (purchase.type !== 'adjustment') return PROCESSING_CODES[purchase.type];
  return purchase.adjustmentReason === 'MONEY_SEND' ? '280000' : '200000';
}
