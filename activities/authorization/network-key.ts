import { hash } from 'node:crypto';
import type { AuthorizationMessage, ClearingRecord, ReversalMessage } from './messages.ts';

/** Identity of a network message or record, and a check of its content (processor 3.5). */
export interface NetworkKey {
  /** UUID made of the first 128 bits of the SHA-256 of the identifying fields. */
  readonly nk: string;
  /** First 32 bits of the SHA-256 of the content, signed; 0 where content is not compared. */
  readonly fingerprint: number;
}

const digest = (parts: readonly unknown[]): string => hash('sha256', JSON.stringify(parts), 'hex');

function uuidOf(parts: readonly unknown[]): string {
  const hex = digest(parts);
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20, 32)}`;
}

const fingerprintOf = (parts: readonly unknown[]): number =>
  Number.parseInt(digest(parts).slice(0, 8), 16) | 0;

/** Key of an authorization, increment, credit authorization, inquiry or advice. */
export const authorizationKey = (processor: string, message: AuthorizationMessage): NetworkKey => ({
  nk: uuidOf([
    processor,
    message.processorCardId,
    'authorizations',
    message.kind,
    message.stan,
    message.retrievalReferenceNumber,
    message.acquirerId,
    message.date,
  ]),
  fingerprint: fingerprintOf([
    message.type,
    message.amount,
    message.currency,
    message.originalAmount,
    message.originalCurrency,
    ...references(message),
    message.advice ?? false,
  ]),
});

/** Key of a reversal. */
export const reversalKey = (processor: string, message: ReversalMessage): NetworkKey => ({
  nk: uuidOf([
    processor,
    message.processorCardId,
    'reversals',
    null,
    message.stan,
    message.retrievalReferenceNumber,
    message.acquirerId,
    message.date,
  ]),
  fingerprint: fingerprintOf([
    message.amount,
    message.currency,
    message.remainingAmount,
    ...references(message),
    message.authorizationCode,
  ]),
});

const references = (message: AuthorizationMessage | ReversalMessage) => [
  message.originalStan,
  message.originalDate,
  message.networkReferenceId,
  message.referenceExternalTransactionId,
  message.referenceDate,
];

/** A record is a duplicate by its place in a file, and by what it says (authorization 13). */
export const clearingKeys = (
  processor: string,
  fileId: string | null,
  record: ClearingRecord,
): NetworkKey[] => [
  { nk: uuidOf([processor, 'clearings', fileId, record.recordId]), fingerprint: 0 },
  {
    nk: uuidOf([
      record.processorCardId,
      'clearings',
      record.recordType,
      record.networkReferenceId,
      record.retrievalReferenceNumber,
      record.amount,
      record.settlementDate,
      record.clearingSequence,
    ]),
    fingerprint: 0,
  },
];

/** A release by hand is one of its request, however often that is tried. */
export const releaseKey = (requestId: string, transactionId: string): NetworkKey => ({
  nk: uuidOf(['release', requestId, transactionId]),
  fingerprint: 0,
});
