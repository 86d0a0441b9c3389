import type { Draw } from '../draws.ts';
import type { NetworkMessage } from './message.ts';
import { transmission } from './authorization.ts';

export const REVERSAL_REASONS = ['TIMEOUT', 'CUSTOMER', 'MALFUNCTION', 'MERCHANT', 'OTHER'] as const;
export type ReversalReason = (typeof REVERSAL_REASONS)[number];

/** How much is taken back, in minor units: a part, down to what remains, or all (null). */
export type ReversedPart = { readonly amount: number } | { readonly remainingAmount: number } | null;

/** Body of a reversal of `original` (MTI 0400, spec 3.2 column R). */
export function reversalMessage(
  original: NetworkMessage,
  part: ReversedPart,
  reasonCode: ReversalReason,
  draw: Draw,
  now: Date,
) {
  return {
    ...transmission(draw, now),
    processorCardId: original.processorCardId,
    ...(part !== null && { ...part, currency: original.currency }),
    retrievalReferenceNumber: original.retrievalReferenceNumber,
    externalTransactionId: draw.digits('externalTransactionId', 10),
    networkReferenceId: original.networkReferenceId,
    referenceExternalTransactionId: original.externalTransactionId,
    referenceDate: original.date,
    originalStan: original.stan,
    originalDate: original.date,
    reasonCode,
    terminalId: original.terminalId,
  };
}
