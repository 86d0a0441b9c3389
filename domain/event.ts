import type { HoldRelease } from './hold-release.ts';
import type { HitDecision } from './screening.ts';

/**
 * The facts that somebody outside is told (spec index, "Outbox events"). Which destinations follow from one
 * is decided where it is put into the outbox.
 */
export type OutboxEvent =
  | { readonly kind: 'transaction.changed'; readonly transactionId: string; readonly eventSeq: number }
  | { readonly kind: 'card.locked'; readonly cardId: number; readonly reason: string; readonly at: string }
  | { readonly kind: 'card.unlocked'; readonly cardId: number; readonly at: string }
  | {
      readonly kind: 'verification.in_progress' | 'verification.accepted' | 'verification.rejected';
      readonly verificationId: string;
      readonly customerId: number;
    }
  | {
      readonly kind: 'transactional_lock.added' | 'transactional_lock.removed';
      readonly resourceType: 'user' | 'corporation';
      /** Number of the user as text, or UUID of the corporation. */
      readonly resourceId: string;
      readonly lockReason: string;
      readonly at: string;
    };

/** A workflow that the relay starts, or signals when it runs, under a fixed id. */
export type WorkflowStart =
  | {
      readonly workflow: 'customer-verification';
      readonly id: string;
      readonly input: { readonly verificationId: string; readonly customerId: number };
    }
  | {
      readonly workflow: 'external-verification';
      readonly id: string;
      readonly input: { readonly customerId: number; readonly n: number };
    }
  | {
      readonly workflow: 'employee-screening';
      readonly id: string;
      readonly input: { readonly customerId: number };
    }
  | {
      readonly workflow: 'processor-instruction';
      readonly id: string;
      readonly input: { readonly cardId: number };
    }
  | { readonly workflow: 'hold-release'; readonly id: string; readonly input: HoldRelease }
  | {
      readonly workflow: 'clearing-file';
      readonly id: string;
      readonly input: { readonly fileId: string };
    }
  | {
      readonly workflow: 'corporation-onboarding';
      readonly id: string;
      readonly input: { readonly applicationId: string };
    }
  /** Signals of `corporation-onboarding`. */
  | { readonly workflow: 'kyb-submitted'; readonly id: string; readonly input: { readonly round: number } }
  | {
      readonly workflow: 'kyb-touched';
      readonly id: string;
      readonly input: { readonly applicationId: string };
    }
  | {
      readonly workflow: 'kyb-hit-decided';
      readonly id: string;
      readonly input: { readonly hitId: string; readonly decision: string };
    }
  | {
      readonly workflow: 'customer-removal';
      readonly id: string;
      readonly input: { readonly customerId: number };
    }
  | {
      readonly workflow: 'corporation-removal';
      readonly id: string;
      readonly input: { readonly corporationId: string };
    }
  | {
      readonly workflow: 'corporation-screening';
      readonly id: string;
      readonly input: { readonly corporationId: string };
    }
  | {
      readonly workflow: 'user-import';
      readonly id: string;
      readonly input: { readonly importId: string };
    }
  | {
      readonly workflow: 'provider-result';
      readonly id: string;
      readonly input: { readonly externalId: string; readonly eventId: string; readonly checkId: string };
    }
  | {
      readonly workflow: 'hit-decided';
      readonly id: string;
      readonly input: { readonly hitId: string; readonly decision: HitDecision };
    }
  | { readonly workflow: 'verification-close'; readonly id: string; readonly input: Record<string, never> }
  | {
      readonly workflow: 'rescreening';
      readonly id: string;
      readonly input: { readonly listVersionId: string };
    };

/** Operation names of partner deliveries, and the programme switch that turns each on. */
export const PARTNER_OPERATIONS = {
  'transaction.changed': { operation: 'transaction', switch: 'legacyTransaction' },
  'card.locked': { operation: 'cardLocked', switch: 'cardLock' },
  'card.unlocked': { operation: 'cardUnlocked', switch: 'cardLock' },
  'verification.in_progress': { operation: 'verificationInProgress', switch: 'kyc' },
  'verification.accepted': { operation: 'verificationAccepted', switch: 'kyc' },
  'verification.rejected': { operation: 'verificationRejected', switch: 'kyc' },
  'transactional_lock.added': { operation: 'transactionalLockReasonAdded', switch: 'transactionalLock' },
  'transactional_lock.removed': { operation: 'transactionalLockReasonRemoved', switch: 'transactionalLock' },
} as const;

export type PartnerOperation = (typeof PARTNER_OPERATIONS)[keyof typeof PARTNER_OPERATIONS]['operation'];
