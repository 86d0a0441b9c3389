import type { AuthorizationCommand } from '../../domain/authorization-view.ts';
import type { PresentmentCommand } from '../../domain/presentment-record.ts';
import type { ReversalCommand } from '../../domain/reversal.ts';
import type {
  AuthorizationMessage,
  ClearingRecord,
  ReversalMessage,
  WireTransactionData,
} from './messages.ts';
import { authorizationKey, clearingKeys, type NetworkKey, reversalKey } from './network-key.ts';

/** What came with a message: kept for the event row and for the deadline. */
export interface Call {
  readonly requestId: string;
  /** Who the certificate says is calling. */
  readonly processor: string;
  /** When its first byte came, by the clock of this machine. */
  readonly receivedAtMs: number;
}

interface ItemBase {
  readonly processorCardId: string;
  /** The first one decides between a repeat and a conflict. */
  readonly keys: readonly [NetworkKey, ...NetworkKey[]];
  readonly call: Call;
  /** When its answer has to be ready: after that its caller has gone. */
  readonly deadlineAtMs: number;
}

/** One message or record on its way through a lane. */
export type Item =
  | (ItemBase & { readonly kind: 'authorization'; readonly command: AuthorizationCommand })
  | (ItemBase & { readonly kind: 'reversal'; readonly command: ReversalCommand })
  | (ItemBase & { readonly kind: 'presentment'; readonly command: PresentmentCommand });

/** The item of an authorization or inquiry; its answer is ready `deadlineMs` after its first byte. */
export function authorizationItem(message: AuthorizationMessage, call: Call, deadlineMs: number): Item {
  const { verification } = message;
  return {
    kind: 'authorization',
    processorCardId: message.processorCardId,
    keys: [authorizationKey(call.processor, message)],
    call,
    deadlineAtMs: call.receivedAtMs + deadlineMs,
    command: {
      kind: message.kind,
      type: message.type,
      amount: message.amount,
      currency: message.currency,
      originalAmount: message.originalAmount ?? null,
      originalCurrency: message.originalCurrency ?? null,
      cashbackAmount: message.transactionData?.cashbackPosAmount ?? null,
      externalId: message.externalTransactionId,
      networkReference: message.networkReferenceId ?? null,
      rrn: message.retrievalReferenceNumber,
      stan: message.stan,
      localAt: message.date,
      expiry: message.expiry ?? null,
      mcc: message.transactionData?.mcc ?? null,
      verdicts: {
        pin: verification?.pin ?? 'NOT_CHECKED',
        cvc2: verification?.cvc2 ?? 'NOT_CHECKED',
        cryptogram: verification?.cryptogram ?? 'NOT_CHECKED',
        expiry: verification?.expiry ?? 'NOT_CHECKED',
        threeDs: verification?.threeDs ?? 'NOT_CHECKED',
      },
      preAuthorization: message.preAuthorization ?? false,
      statusOnly: message.statusOnly ?? false,
      description: descriptionOf(message),
      transactionData: dataOf(message),
    },
  };
}

/** The item of a reversal. */
export function reversalItem(message: ReversalMessage, call: Call, deadlineMs: number): Item {
  return {
    kind: 'reversal',
    processorCardId: message.processorCardId,
    keys: [reversalKey(call.processor, message)],
    call,
    deadlineAtMs: call.receivedAtMs + deadlineMs,
    command: {
      amount: message.amount ?? null,
      remainingAmount: message.remainingAmount ?? null,
      currency: message.currency ?? null,
      originalStan: message.originalStan ?? null,
      originalLocalAt: message.originalDate ?? null,
      networkReference: message.networkReferenceId ?? null,
      referenceExternalId: message.referenceExternalTransactionId ?? null,
      referenceAtMs: message.referenceDate === undefined ? null : Date.parse(message.referenceDate),
      approvalCode: message.authorizationCode ?? null,
      externalId: message.externalTransactionId,
      rrn: message.retrievalReferenceNumber,
      stan: message.stan,
      localAt: message.date,
    },
  };
}

/** The item of a clearing record. */
export function presentmentItem(
  record: ClearingRecord,
  fileId: string | null,
  call: Call,
  deadlineMs: number,
): Item {
  const [first, ...others] = clearingKeys(call.processor, fileId, record);
  if (first === undefined) throw new Error('a clearing record has no key');
  return {
    kind: 'presentment',
    processorCardId: record.processorCardId,
    keys: [first, ...others],
    call,
    deadlineAtMs: call.receivedAtMs + deadlineMs,
    command: {
      recordId: record.recordId,
      recordType: record.recordType,
      amount: record.amount,
      currency: record.currency,
      originalAmount: record.originalAmount ?? null,
      originalCurrency: record.originalCurrency ?? null,
      final: record.final ?? true,
      networkReference: record.networkReferenceId ?? null,
      rrn: record.retrievalReferenceNumber ?? null,
      approvalCode: record.authorizationCode ?? null,
      externalId: record.externalTransactionId,
      referenceExternalId: record.referenceExternalTransactionId ?? null,
      merchantIdentifier: record.transactionData?.merchantIdentifier ?? null,
      interchangeAmount: record.interchangeAmount ?? null,
      interchangeCurrency: record.interchangeCurrency ?? null,
      arn: record.arn ?? null,
      transactionDate: record.transactionDate,
      description: descriptionOf(record),
      transactionData: dataOf(record),
    },
  };
}

type Described = Pick<
  AuthorizationMessage,
  'description' | 'entryMode' | 'merchantPostalCode' | 'transactionData'
>;

const descriptionOf = ({ description, transactionData }: Described): string =>
  description ?? transactionData?.merchantName ?? '';

/** The documented members of `transactionData` that were sent, with the capture mode of the entry mode. */
function dataOf({ entryMode, merchantPostalCode, transactionData }: Described): Record<string, unknown> {
  const captureMode = entryMode === undefined ? transactionData?.captureMode : captureModeOf(entryMode);
  const members: WireTransactionData & { merchantPostalCode?: string | undefined } = {
    ...transactionData,
    captureMode,
    merchantPostalCode,
  };
  return Object.fromEntries(
    Object.entries(members).filter(([, value]) => value !== undefined && value !== null),
  );
}

const CAPTURE_MODES: Readonly<Record<string, string>> = {
  '01': 'manual',
  '02': 'magstripe',
  '80': 'magstripe',
  '90': 'magstripe',
  '05': 'emv',
  '07': 'nfc',
  '91': 'nfc',
  '09': 'ecommerce',
  '10': 'ecommerce',
  '81': 'ecommerce',
};

/** Positions 1 and 2 of DE 22 (processor 3.3). */
const captureModeOf = (entryMode: string): string => CAPTURE_MODES[entryMode.slice(0, 2)] ?? 'manual';
