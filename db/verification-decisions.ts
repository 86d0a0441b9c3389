import { kycAfterDecision } from '../domain/customer.ts';
import { Refusal } from '../domain/errors.ts';
import { LIFTED_BY_ACCEPTANCE } from '../domain/transactional-lock.ts';
import {
  afterProvider,
  isExpired,
  joinMarks,
  type RejectionReason,
  type RiskMarks,
  type ScreeningFacts,
} from '../domain/verification.ts';
import { audit } from './audit-log.ts';
import { nowOf, type Trx } from './atomically.ts';
import { type Customer, putAddress } from './customers.ts';
import { emit } from './outbox.ts';
import { customerSubject, type HitSummary, hitSummary } from './screening.ts';
import { addTransactionalLock, removeTransactionalLock } from './transactional-locks.ts';
import type { Verification } from './verifications.ts';

/** How a verification ends. */
export interface VerificationOutcome {
  readonly status: 'ACCEPTED' | 'REJECTED';
  readonly reason: RejectionReason | null;
  /** Operator, provider or SYSTEM. */
  readonly decidedBy: string;
  /** Sealed for `notePlace`. */
  readonly note: Buffer | null;
  /** False where nobody is told: the customer is gone. */
  readonly notify: boolean;
}

/** What an accepted form renews, sealed by the caller for the customer's places. */
export interface RenewedData {
  readonly personal: Buffer;
  readonly residence: Buffer;
}

interface Case {
  readonly verification: Verification;
  readonly customer: Customer;
}

/** Decides by itself, without a person: `PROVIDER` of `decidedBy`. */
const BY_PROVIDER = 'PROVIDER';
const FORM_AS_SENT = 1;

/** What form, customer and hits say together; a form alone lowers nothing that is known of its customer. */
export function screeningFacts({ verification, customer }: Case, hits: HitSummary): ScreeningFacts {
  return { openHit: hits.open || hits.sanctionConfirmed, ...joinMarks(verification, customer, ofHits(hits)) };
}

/** `REFERRED`: not the provider's to accept; the case runs on and waits for a person. */
export type Applied = 'APPLIED' | 'REFERRED';

/**
 * Ends a verification held by `lockVerification`, in one commit (onboarding 6.2, step 5). Repeats change
 * nothing: a verification that is decided stays as it is. What the provider accepts is looked at once more here, for
 * hits and marks may have come since the case was screened.
 */
export async function applyDecision(
  trx: Trx,
  { verification, customer }: Case,
  outcome: VerificationOutcome,
  renewed: RenewedData | null,
): Promise<Applied> {
  if (verification.status !== 'IN_PROGRESS') return 'APPLIED';
  const { verificationId } = verification;
  const { status } = outcome;
  const hits = await hitSummary(trx, customerSubject(customer.customerId));
  if (status === 'ACCEPTED' && outcome.decidedBy === BY_PROVIDER) {
    const facts = screeningFacts({ verification, customer }, hits);
    if (afterProvider('APPROVED', facts) !== 'ACCEPT') return 'REFERRED';
  }
  await trx
    .updateTable('verifications')
    .set({
      status,
      reason: outcome.reason,
      stage: 'CLOSED',
      decided_by: outcome.decidedBy,
      note: outcome.note,
      decided_at: nowOf(trx),
    })
    .where('verification_id', '=', verificationId)
    .where('status', '=', 'IN_PROGRESS')
    .execute();
  await audit(trx, {
    action: 'verification.decided',
    objectType: 'verification',
    objectId: verificationId,
    partnerId: verification.partnerId,
    before: { stage: verification.stage, kyc: customer.kyc },
    after: { status, reason: outcome.reason, decidedBy: outcome.decidedBy },
  });
  if (customer.state !== 'DELETED') {
    const marks = marksAfterAcceptance({ verification, customer }, outcome, hits);
    await changeCustomer(trx, { verification, customer }, outcome, { renewed, marks });
  }
  if (!outcome.notify) return 'APPLIED';
  await emit(trx, verification, {
    kind: status === 'ACCEPTED' ? 'verification.accepted' : 'verification.rejected',
    verificationId,
    customerId: customer.customerId,
  });
  return 'APPLIED';
}

const ofHits = ({ pepConfirmed }: HitSummary): RiskMarks => ({ pep: pepConfirmed, riskLevel: 'LOW' });

/** A person lowers what is known of a customer by editing the form; a form as it was sent never does. */
function marksAfterAcceptance(
  { verification, customer }: Case,
  { decidedBy }: VerificationOutcome,
  hits: HitSummary,
): RiskMarks {
  const personsWord = decidedBy !== BY_PROVIDER && verification.version > FORM_AS_SENT;
  return personsWord
    ? joinMarks(verification, ofHits(hits))
    : joinMarks(verification, customer, ofHits(hits));
}

async function changeCustomer(
  trx: Trx,
  { verification, customer }: Case,
  outcome: VerificationOutcome,
  { renewed, marks }: { readonly renewed: RenewedData | null; readonly marks: RiskMarks },
): Promise<void> {
  const accepted = outcome.status === 'ACCEPTED';
  const { kyc, addsNegativeLock } = kycAfterDecision(customer.kyc, outcome.status);
  const becomesSuccess = kyc === 'SUCCESS' && customer.kyc !== 'SUCCESS';
  await trx
    .updateTable('customers')
    .set((set) => ({
      kyc,
      kyc_successes: set('kyc_successes', '+', becomesSuccess ? 1 : 0),
      version: set('version', '+', 1),
      updated_at: nowOf(trx),
      ...(accepted
        ? {
            risk_level: marks.riskLevel,
            pep: marks.pep,
            document_expiration_date: verification.documentExpirationDate,
          }
        : {}),
      ...(renewed === null ? {} : { personal: renewed.personal }),
    }))
    .where('customer_id', '=', customer.customerId)
    .execute();
  if (renewed !== null) await putAddress(trx, customer, 'RESIDENCE', renewed.residence);
  if (accepted) {
    for (const reason of LIFTED_BY_ACCEPTANCE) {
      await removeTransactionalLock(trx, customer, { reason, origin: 'SYSTEM' });
    }
  }
  if (addsNegativeLock) {
    await addTransactionalLock(trx, customer, { reason: 'NAGATIVE_VERIFICATION', origin: 'SYSTEM' });
  }
}

/**
 * Refuses the acceptance of a case that is not ready for it (onboarding 5). Throws `STATE_CONFLICT`,
 * `SCREENING_HIT_OPEN`, `DOCUMENT_EXPIRED`.
 */
export async function refuseAcceptance(trx: Trx, verification: Verification): Promise<void> {
  refuseUnlessInReview(verification);
  const hits = await hitSummary(trx, customerSubject(verification.customerId));
  if (hits.open || hits.sanctionConfirmed) {
    throw new Refusal('SCREENING_HIT_OPEN', 'A screening hit of this user is open or confirmed.');
  }
  if (isExpired(verification.documentExpirationDate, nowOf(trx).toISOString().slice(0, 10))) {
    throw new Refusal('DOCUMENT_EXPIRED', 'The document of this verification is no longer good.');
  }
}

/** Refuses a decision on a case that does not wait for a person. Throws `STATE_CONFLICT`. */
export function refuseUnlessInReview(verification: Verification): void {
  if (verification.status === 'IN_PROGRESS' && verification.stage === 'REVIEW') return;
  throw new Refusal('STATE_CONFLICT', 'This verification does not wait for a decision.');
}
