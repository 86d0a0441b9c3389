import type { AuthorizationCommand } from '../../domain/authorization-view.ts';
import type { PresentmentCommand } from '../../domain/presentment-record.ts';
import type { ReleaseCommand } from '../../domain/release.ts';
import type { ReversalCommand } from '../../domain/reversal.ts';
import type {
  AuthorizationMessage,
  ClearingRecord,
  ReversalMessage,
  WireTransactionData,
} from './messages.ts';
import { authorizationKey, clearingKeys, type NetworkKey, releaseKey, reversalKey } from './network-key.ts';

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
  /** The first one decides between a repeat and a conflict; none where a repeat does no harm. */
  readonly keys: readonly NetworkKey[];
  readonly call: Call;
  /** Who did it, as the event tells. */
  readonly actor: string;
  /** When its answer has to be ready: after that its caller has gone. */
  readonly deadlineAtMs: number;
  /** True from the decision on: it will be written, so that "no decision" would be a lie. */
  readonly progress: { decided: boolean };
}

/** One message, record or release on its way through a lane. */
export type Item =
  | (ItemBase & { readonly kind: 'authorization'; readonly command: AuthorizationCommand })
  | (ItemBase & { readonly kind: 'reversal'; readonly command: ReversalCommand })
  | (ItemBase & { readonly kind: 'presentment'; readonly command: PresentmentCommand })
  | (ItemBase & {
      readonly kind: 'release';
      readonly transactionId: string;
      readonly command: ReleaseCommand;
    });

const ofProcessor = (call: Call) => ({
  call,
  actor: `PROCESSOR:${call.processor}`,
  progress: { decided: false },
});

/** The item of an authorization or inquiry; its answer is ready `deadlineMs` after its first byte. */
export function authorizationItem(message: AuthorizationMessage, call: Call, deadlineMs: number): Item {
  const { verification } = message;
  return {
    kind: 'authorization',
    processorCardId: message.processorCardId,
    keys: [authorizationKey(call.processor, message)],
    ...ofProcessor(call),
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
      ...referenceOf(message),
      cumulativeAmount: message.cumulativeAmount ?? null,
      stan: message.stan,
      localAt: message.date,
      expiry: message.expiry ?? null,
      mcc: message.transactionData?.mcc ?? null,
      country: message.transactionData?.acquirerCountry ?? null,
      captureMode: captureModeIn(message) ?? null,
      verdicts: {
        pin: verification?.pin ?? 'NOT_CHECKED',
        cvc2: verification?.cvc2 ?? 'NOT_CHECKED',
        cryptogram: verification?.cryptogram ?? 'NOT_CHECKED',
        expiry: verification?.expiry ?? 'NOT_CHECKED',
        threeDs: verification?.threeDs ?? 'NOT_CHECKED',
      },
      preAuthorization: message.preAuthorization ?? false,
      partialApprovalSupported: message.partialApprovalSupported ?? false,
      statusOnly: message.statusOnly ?? false,
      creditReason: message.transactionData?.adjustmentReasonDescription ?? null,
      advice:
        message.advice === true
          ? { reason: message.adviceReason ?? null, result: message.adviceResult ?? 'APPROVED' }
          : null,
      description: descriptionOf(message),
      transactionData: dataOf(message),
    },
  };
}

const referenceOf = (message: AuthorizationMessage | ReversalMessage) => ({
  originalStan: message.originalStan ?? null,
  originalLocalAt: message.originalDate ?? null,
  networkReference: message.networkReferenceId ?? null,
  referenceExternalId: message.referenceExternalTransactionId ?? null,
  referenceAtMs: message.referenceDate === undefined ? null : Date.parse(message.referenceDate),
  approvalCode: message.authorizationCode ?? null,
  rrn: message.retrievalReferenceNumber,
});

/** The item of a reversal. */
export function reversalItem(message: ReversalMessage, call: Call, deadlineMs: number): Item {
  return {
    kind: 'reversal',
    processorCardId: message.processorCardId,
    keys: [reversalKey(call.processor, message)],
    ...ofProcessor(call),
    deadlineAtMs: call.receivedAtMs + deadlineMs,
    command: {
      amount: message.amount ?? null,
      remainingAmount: message.remainingAmount ?? null,
      currency: message.currency ?? null,
      ...referenceOf(message),
      externalId: message.externalTransactionId,
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
    ...ofProcessor(call),
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

/** Ends a hold without the network (authorization 12, money 5). */
export interface ReleaseRequest {
  readonly transactionId: string;
  readonly processorCardId: string;
  readonly cause: 'expiry' | 'manual';
  /** Minor units; null = everything. */
  readonly amount: number | null;
  readonly note: string | null;
  readonly requestId: string;
  /** Who asked, `SYSTEM:expiry` or `OPERATOR:...`. */
  readonly actor: string;
}

/** The item of a release: asked twice, the second finds nothing held. */
export function releaseItem(request: ReleaseRequest, nowMs: number, deadlineMs: number): Item {
  const { transactionId, processorCardId, cause, amount, note, requestId, actor } = request;
  return {
    kind: 'release',
    processorCardId,
    transactionId,
    keys: cause === 'manual' ? [releaseKey(requestId, transactionId)] : [],
    call: { requestId, processor: '', receivedAtMs: nowMs },
    actor,
    progress: { decided: false },
    deadlineAtMs: nowMs + deadlineMs,
    command: { cause, amount, note },
  };
}

type Described = Pick<
  AuthorizationMessage,
  'description' | 'entryMode' | 'merchantPostalCode' | 'transactionData'
>;

const descriptionOf = ({ description, transactionData }: Described): string =>
  description ?? transactionData?.merchantName ?? '';

/** The documented members of `transactionData` that were sent, with the capture mode of the entry mode. */
function dataOf(message: Described): Record<string, unknown> {
  const { merchantPostalCode, transactionData } = message;
  const captureMode = captureModeIn(message);
  const members: WireTransactionData & { merchantPostalCode?: string | undefined } = {
    ...transactionData,
    captureMode,
    merchantPostalCode,
  };
  return Object.fromEntries(
    Object.entries(members).filter(([, value]) => value !== undefined && value !== null),
  );
}

const captureModeIn = ({ entryMode, transactionData }: Described): string | undefined => {
  if (entryMode !== undefined) return captureModeOf(entryMode);
  const sent = transactionData?.captureMode ?? undefined;
  return sent === undefined ? undefined : (MODE_WORDS[sent.toLowerCase()] ?? sent);
};

/** Words for a capture mode in any case (money 4.2); others stay as they are. */
const MODE_WORDS: Readonly<Record<string, string>> = {
  magstripe: 'magstripe',
  manual: 'manual',
  emv: 'emv',
  'on behalf (emv)': 'on behalf (EMV)',
  'on behalf': 'on behalf (EMV)',
  on_behalf: 'on behalf (EMV)',
  nfc: 'nfc',
  ecommerce: 'ecommerce',
  ecom: 'ecommerce',
  adj: 'adj',
};

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
