import type { Draw } from '../draws.ts';
import type { ProcessorCard } from '../store/cards.ts';
import type { Trace } from '../store/traces.ts';
import { ACQUIRER_ID, networkReference } from './authorization.ts';
import type { NetworkMessage } from './message.ts';
import { dateOf } from './message.ts';
import { convert } from './rates.ts';

export type RecordType =
  'PURCHASE' | 'CASH' | 'REFUND' | 'CREDIT' | 'REFUND_REVERSAL' | 'CHARGEBACK' | 'SECOND_PRESENTMENT';

/** Records that say which purchase they belong to by its references. */
export type LinkedRecordType = Extract<
  RecordType,
  'REFUND' | 'REFUND_REVERSAL' | 'CHARGEBACK' | 'SECOND_PRESENTMENT'
>;

/** How a transaction is presented. Amounts in minor units of the card's currency. */
export interface Presentment {
  readonly amountMinorUnits: number;
  readonly final: boolean;
  /** Rate of the presentment when it differs from that of the authorization. */
  readonly rate: string | null;
  readonly interchangeMinorUnits: number | null;
}

/** Clearing record of an authorized transaction (spec 4.1). */
export function presentmentRecord(
  trace: Trace,
  presentment: Presentment,
  draw: Draw,
  now: Date,
): NetworkMessage {
  const { original } = trace;
  const multiple = !presentment.final || trace.clearings > 0;
  return {
    ...settled(draw, now, original),
    recordType: recordTypeOf(original),
    externalTransactionId: original.externalTransactionId,
    networkReferenceId: original.networkReferenceId,
    ...(trace.authorizationCode !== null && { authorizationCode: trace.authorizationCode }),
    amount: presentment.amountMinorUnits,
    currency: original.currency,
    ...originalAmount(original, presentment),
    final: presentment.final,
    ...(multiple && { clearingSequence: trace.clearings + 1 }),
    ...(presentment.interchangeMinorUnits !== null && {
      interchangeAmount: presentment.interchangeMinorUnits,
      interchangeCurrency: original.currency,
    }),
  };
}

/** Clearing record of a refund, chargeback or their answers, which names the purchase it belongs to. */
export function linkedRecord(
  trace: Trace,
  recordType: LinkedRecordType,
  amountMinorUnits: number,
  draw: Draw,
  now: Date,
): NetworkMessage {
  const { original } = trace;
  return {
    ...settled(draw, now, original),
    recordType,
    externalTransactionId: draw.digits('externalTransactionId', 10),
    networkReferenceId: original.networkReferenceId,
    referenceExternalTransactionId: original.externalTransactionId,
    ...(original.date !== undefined && { referenceDate: original.date }),
    amount: amountMinorUnits,
    currency: original.currency,
    final: true,
  };
}

/** Clearing record that belongs to no purchase: a force post (PURCHASE, CASH) or an unlinked refund (REFUND). */
export function unlinkedRecord(
  card: ProcessorCard,
  recordType: RecordType,
  money: {
    amount: number;
    currency: string;
    original: { amount: number; currency: string; rate: string } | null;
  },
  mcc: string,
  draw: Draw,
  now: Date,
): NetworkMessage {
  const { original } = money;
  return {
    ...settled(draw, now, { processorCardId: card.processorCardId }),
    recordType,
    externalTransactionId: draw.digits('externalTransactionId', 10),
    networkReferenceId: networkReference(draw, now),
    amount: money.amount,
    currency: money.currency,
    ...(original !== null && {
      originalAmount: original.amount,
      originalCurrency: original.currency,
      conversionRate: original.rate,
    }),
    final: true,
    description: 'SIMULATOR SHOP',
    transactionData: { mcc, acquirerCountry: 'POL' },
  };
}

/** Members that every record has; those of the purchase are carried on. */
function settled(draw: Draw, now: Date, original: Partial<NetworkMessage> & { processorCardId: string }) {
  const { mcc, acquirerCountry, merchantIdentifier, merchantName } = original.transactionData ?? {};
  const data = Object.entries({ mcc, acquirerCountry, merchantIdentifier, merchantName });
  const settlement = new Date(now.getTime() + 24 * 3_600_000);
  return {
    recordId: draw.unused('recordId', draw.uuid),
    processorCardId: original.processorCardId,
    transactionDate: original.date?.slice(0, 10) ?? dateOf(now),
    settlementDate: dateOf(settlement),
    acquirerId: ACQUIRER_ID,
    arn: draw.digits('arn', 23),
    ...(original.retrievalReferenceNumber !== undefined && {
      retrievalReferenceNumber: original.retrievalReferenceNumber,
    }),
    ...(original.entryMode !== undefined && { entryMode: original.entryMode }),
    ...(original.terminalId !== undefined && { terminalId: original.terminalId }),
    ...(original.description !== undefined && { description: original.description }),
    ...(original.transactionData !== undefined && {
      transactionData: Object.fromEntries(data.filter(([, value]) => value !== undefined)) as Record<
        string,
        string
      >,
    }),
  };
}

/** The part of the terminal's amount that this presentment covers, for purchases in another currency. */
function originalAmount(original: NetworkMessage, presentment: Presentment) {
  const { originalCurrency, conversionRate } = original;
  if (originalCurrency === undefined || conversionRate === undefined || original.originalAmount === undefined)
    return {};
  const whole = presentment.rate ?? conversionRate;
  const billed = convert(original.originalAmount, originalCurrency, original.currency, whole);
  const part = Math.round((original.originalAmount * presentment.amountMinorUnits) / billed);
  return { originalAmount: Math.max(1, part), originalCurrency, conversionRate: whole };
}

function recordTypeOf(original: NetworkMessage): RecordType {
  if (original.type === 'atm') return 'CASH';
  if (original.type !== 'adjustment') return 'PURCHASE';
  return original.transactionData?.['adjustmentReasonDescription'] === 'REFUND' ? 'REFUND' : 'CREDIT';
}
