import type { Draw } from '../draws.ts';
import type { NetworkMessage } from './message.ts';
import { transmission } from './authorization.ts';

/** What a later message takes over from the first one of its transaction as it is. */
const CARRIED = [
  'type',
  'processingCode',
  'expiry',
  'entryMode',
  'retrievalReferenceNumber',
  'terminalId',
  'description',
  'transactionData',
] as const;

/**
 * Members that an increment and an advice share: numbers of their own, everything that describes the purchase,
 * and the references to its first message. No secrets: a later message proves the cardholder nothing.
 */
export function followUp(original: NetworkMessage, draw: Draw, now: Date) {
  const carried = CARRIED.filter((member) => original[member] !== undefined);
  return {
    ...transmission(draw, now),
    processorCardId: original.processorCardId,
    networkReferenceId: original.networkReferenceId,
    currency: original.currency,
    ...Object.fromEntries(carried.map((member) => [member, original[member]])),
    externalTransactionId: draw.digits('externalTransactionId', 10),
    referenceExternalTransactionId: original.externalTransactionId,
    ...(original.date !== undefined && { referenceDate: original.date, originalDate: original.date }),
    ...(original.stan !== undefined && { originalStan: original.stan }),
  };
}
