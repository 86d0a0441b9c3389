import { type Selectable, sql } from 'kysely';
import { kycAfterSubmission, type RiskLevel } from '../domain/customer.ts';
import { Refusal, tooManyRequests } from '../domain/errors.ts';
import {
  type KycMode,
  PICTURE_KINDS,
  type PictureKind,
  type ProviderOutcome,
  type RejectionReason,
  type VerificationFlag,
  type VerificationStage,
  type VerificationStatus,
} from '../domain/verification.ts';
import { audit } from './audit-log.ts';
import { newId, nowOf, type Trx } from './atomically.ts';
import {
  type Customer,
  hasRunningVerification,
  lockCustomer,
  type ProgrammeScope,
  refuseUnlessActive,
} from './customers.ts';
import type { VerificationsTable } from './database.ts';
import { emit, startWorkflow } from './outbox.ts';
import type { Programme } from './partners.ts';

/** One check of who a customer is. */
export interface Verification {
  readonly verificationId: string;
  readonly partnerId: number;
  readonly programmeId: number;
  readonly customerId: number;
  readonly status: VerificationStatus;
  readonly reason: RejectionReason | null;
  readonly stage: VerificationStage;
  readonly mode: KycMode;
  readonly source: 'INTERNAL' | 'EXTERNAL';
  readonly channel: VerificationChannel;
  /** `VerificationForm` of domain/verification.ts, sealed for `formPlace`. */
  readonly form: Buffer;
  readonly flags: readonly string[];
  readonly riskLevel: RiskLevel;
  readonly pep: boolean;
  readonly documentExpirationDate: string;
  readonly providerCode: string | null;
  readonly applicantId: string | null;
  readonly checkId: string | null;
  readonly providerOutcome: string | null;
  readonly providerReasons: readonly string[];
  readonly createdAt: Date;
  readonly decidedAt: Date | null;
  readonly decidedBy: string | null;
  readonly note: string | null;
  /** Counts changes of the form by operators. */
  readonly version: number;
  readonly claimedBy: string | null;
  readonly claimedUntil: Date | null;
}

export type VerificationChannel = 'CUSTOMER' | 'SERVER' | 'ADMIN';

/** Where a form is sealed. */
export const formPlace = (verificationId: string) =>
  ({ table: 'verifications', rowId: verificationId, field: 'form' }) as const;

/** A picture of the form as it lies encrypted in the document store. */
export interface StoredPicture {
  readonly kind: PictureKind;
  readonly mediaType: string;
  readonly bytes: number;
  /** Of the content in clear, hexadecimal. */
  readonly sha256: string;
  readonly storeKey: string;
}

export interface Submission {
  readonly verificationId: string;
  readonly form: Buffer;
  readonly flags: readonly VerificationFlag[];
  readonly riskLevel: RiskLevel;
  readonly pep: boolean;
  readonly documentExpirationDate: string;
  readonly channel: VerificationChannel;
  readonly pictures: readonly StoredPicture[];
}

const DAY_MS = 86_400_000;
const SUBMISSIONS_A_DAY = 5;

/**
 * Refuses a form that the customer may not send now; the customer is held by `lockCustomer`. Throws
 * `USER_NOT_ACTIVE`, `VERIFICATION_IN_PROGRESS`, `TOO_MANY_REQUESTS` (five a day, channels 14).
 */
export async function refuseSubmission(trx: Trx, customer: Customer): Promise<void> {
  if (await hasRunningVerification(trx, customer.customerId)) {
    throw new Refusal('VERIFICATION_IN_PROGRESS', 'A verification of this user waits for its decision.');
  }
  refuseUnlessActive(customer);
  const now = nowOf(trx);
  const today = await trx
    .selectFrom('verifications')
    .select('created_at')
    .where('customer_id', '=', customer.customerId)
    .where('created_at', '>', new Date(now.getTime() - DAY_MS))
    .orderBy('created_at')
    .execute();
  const oldest = today[0];
  if (today.length < SUBMISSIONS_A_DAY || oldest === undefined) return;
  const freeAtMs = oldest.created_at.getTime() + DAY_MS;
  throw tooManyRequests(
    'A user may send five verification forms a day.',
    { row: 'verifications', limit: SUBMISSIONS_A_DAY },
    (freeAtMs - now.getTime()) / 1_000,
  );
}

/**
 * Takes a form in, in one commit (onboarding 5): verification, pictures, kyc, event, workflow start, audit.
 * In mode EXTERNAL the form is kept as evidence: accepted at once, the customer unchanged, nobody told.
 */
export async function submitVerification(
  trx: Trx,
  programme: Programme,
  customer: Customer,
  submission: Submission,
): Promise<Verification> {
  const { verificationId } = submission;
  const evidenceOnly = programme.kycMode === 'EXTERNAL';
  const row = await trx
    .insertInto('verifications')
    .values({
      verification_id: verificationId,
      partner_id: customer.partnerId,
      programme_id: customer.programmeId,
      customer_id: customer.customerId,
      status: evidenceOnly ? 'ACCEPTED' : 'IN_PROGRESS',
      stage: evidenceOnly ? 'CLOSED' : 'RECEIVED',
      mode: programme.kycMode,
      source: evidenceOnly ? 'EXTERNAL' : 'INTERNAL',
      channel: submission.channel,
      form: submission.form,
      flags: [...submission.flags],
      risk_level: submission.riskLevel,
      pep: submission.pep,
      document_expiration_date: submission.documentExpirationDate,
      provider_code: programme.kycMode === 'AUTOMATIC' ? programme.kycProvider : null,
      decided_at: evidenceOnly ? nowOf(trx) : null,
    })
    .returningAll()
    .executeTakeFirstOrThrow();
  await insertPictures(trx, customer.partnerId, submission);
  await audit(trx, {
    action: 'verification.submitted',
    objectType: 'verification',
    objectId: verificationId,
    after: { customerId: customer.customerId, mode: programme.kycMode, flags: submission.flags },
  });
  if (!evidenceOnly) await startInternalVerification(trx, customer, verificationId);
  return toVerification(row);
}

async function insertPictures(trx: Trx, partnerId: number, submission: Submission): Promise<void> {
  if (submission.pictures.length === 0) return;
  await trx
    .insertInto('verification_documents')
    .values(
      submission.pictures.map((picture) => ({
        document_id: newId(trx),
        verification_id: submission.verificationId,
        partner_id: partnerId,
        kind: picture.kind,
        media_type: picture.mediaType,
        bytes: picture.bytes,
        sha256: picture.sha256,
        store_key: picture.storeKey,
      })),
    )
    .execute();
}

async function startInternalVerification(
  trx: Trx,
  customer: Customer,
  verificationId: string,
): Promise<void> {
  const { customerId } = customer;
  await trx
    .updateTable('customers')
    .set({ kyc: kycAfterSubmission(customer.kyc), updated_at: nowOf(trx) })
    .where('customer_id', '=', customerId)
    .execute();
  await emit(trx, customer, { kind: 'verification.in_progress', verificationId, customerId });
  await startWorkflow(trx, customer, {
    workflow: 'customer-verification',
    id: `customer-verification:${verificationId}`,
    input: { verificationId, customerId },
  });
}

/** The verification, or undefined when missing, of another customer, or outside `scope`. */
export async function findVerification(
  trx: Trx,
  scope: ProgrammeScope,
  key: { readonly verificationId: string; readonly customerId?: number },
): Promise<Verification | undefined> {
  let query = selectVerification(trx, scope).where('verification_id', '=', key.verificationId);
  if (key.customerId !== undefined) query = query.where('customer_id', '=', key.customerId);
  const row = await query.executeTakeFirst();
  return row === undefined ? undefined : toVerification(row);
}

/** As `findVerification`. Throws `VERIFICATION_NOT_FOUND`. */
export async function readVerification(
  trx: Trx,
  scope: ProgrammeScope,
  key: { readonly verificationId: string; readonly customerId?: number },
): Promise<Verification> {
  const found = await findVerification(trx, scope, key);
  if (found === undefined) throw verificationNotFound();
  return found;
}

/** Refusal for a verification that is missing or somebody else's. */
export const verificationNotFound = () =>
  new Refusal('VERIFICATION_NOT_FOUND', 'There is no such verification.');

/** One page of a customer's verifications, newest first, of ids below `beforeId`. */
export async function listVerifications(
  trx: Trx,
  customerId: number,
  page: { readonly limit: number; readonly beforeId: string | null },
): Promise<Verification[]> {
  let query = selectVerification(trx, 'every')
    .where('customer_id', '=', customerId)
    .orderBy('verification_id', 'desc')
    .limit(page.limit);
  if (page.beforeId !== null) query = query.where('verification_id', '<', page.beforeId);
  return (await query.execute()).map(toVerification);
}

/** Verifications that wait for a person, oldest first. */
export async function verificationsInReview(trx: Trx, limit: number): Promise<Verification[]> {
  const rows = await selectVerification(trx, 'every')
    .where('status', '=', 'IN_PROGRESS')
    .where('stage', '=', 'REVIEW')
    .orderBy('verification_id')
    .limit(limit)
    .execute();
  return rows.map(toVerification);
}

/** Pictures of a form, in the order of the form. */
export async function picturesOf(
  trx: Trx,
  verificationId: string,
): Promise<{ readonly kind: PictureKind; readonly mediaType: string; readonly storeKey: string }[]> {
  const rows = await trx
    .selectFrom('verification_documents')
    .select(['kind', 'media_type', 'store_key'])
    .where('verification_id', '=', verificationId)
    .execute();
  return rows
    .map((row) => ({ kind: row.kind, mediaType: row.media_type, storeKey: row.store_key }))
    .toSorted((left, right) => PICTURE_KINDS.indexOf(left.kind) - PICTURE_KINDS.indexOf(right.kind));
}

/** A verification and its customer, held for a decision: the customer first, as when a form is taken in. */
export async function lockVerification(
  trx: Trx,
  verificationId: string,
): Promise<{ readonly verification: Verification; readonly customer: Customer }> {
  const { customerId } = await readVerification(trx, 'every', { verificationId });
  const customer = await lockCustomer(trx, 'every', customerId);
  const row = await selectVerification(trx, 'every')
    .where('verification_id', '=', verificationId)
    .forUpdate()
    .executeTakeFirstOrThrow();
  return { customer, verification: toVerification(row) };
}

/** Moves a running verification to another stage (onboarding 6.1). */
export async function setStage(
  trx: Trx,
  verificationId: string,
  stage: Exclude<VerificationStage, 'CLOSED'>,
): Promise<void> {
  await trx
    .updateTable('verifications')
    .set({ stage })
    .where('verification_id', '=', verificationId)
    .where('status', '=', 'IN_PROGRESS')
    .execute();
}

/** Marks a verification's person as politically exposed: found by screening, not declared. */
export async function markPep(trx: Trx, verificationId: string): Promise<void> {
  await trx
    .updateTable('verifications')
    .set({ pep: true, risk_level: 'HIGH' })
    .where('verification_id', '=', verificationId)
    .where('status', '=', 'IN_PROGRESS')
    .execute();
}

/**
 * Ends a customer's running verification rejected, without telling anybody: they are being deleted (onboarding
 * 6.1). One that does not run is no fault.
 */
export async function closeRunningVerification(trx: Trx, customer: Customer): Promise<void> {
  const running = await trx
    .selectFrom('verifications')
    .select('verification_id')
    .where('customer_id', '=', customer.customerId)
    .where('status', '=', 'IN_PROGRESS')
    .executeTakeFirst();
  if (running === undefined) return;
  await startWorkflow(trx, customer, {
    workflow: 'verification-close',
    id: `customer-verification:${running.verification_id}`,
    input: {},
  });
}

/** What the provider calls this verification, and what it found. */
export interface ProviderFacts {
  readonly applicantId?: string;
  readonly checkId?: string;
  readonly outcome?: ProviderOutcome;
  readonly reasons?: readonly string[];
}

/** Keeps ids and outcome of the provider with the verification. */
export async function noteProvider(trx: Trx, verificationId: string, facts: ProviderFacts): Promise<void> {
  await trx
    .updateTable('verifications')
    .set({
      ...(facts.applicantId === undefined ? {} : { applicant_id: facts.applicantId }),
      ...(facts.checkId === undefined ? {} : { check_id: facts.checkId }),
      ...(facts.outcome === undefined ? {} : { provider_outcome: facts.outcome }),
      ...(facts.reasons === undefined ? {} : { provider_reasons: [...facts.reasons] }),
    })
    .where('verification_id', '=', verificationId)
    .execute();
}

/** Rows of verifications of the programmes in `scope`. */
export const selectVerification = (trx: Trx, scope: ProgrammeScope) => {
  const query = trx.selectFrom('verifications').selectAll();
  return scope === 'every' ? query : query.where(sql<boolean>`programme_id = any(${[...scope]}::int[])`);
};

/** A row as the rest of the code knows it. */
export const toVerification = (row: Selectable<VerificationsTable>): Verification => ({
  verificationId: row.verification_id,
  partnerId: row.partner_id,
  programmeId: row.programme_id,
  customerId: row.customer_id,
  status: row.status,
  reason: row.reason as RejectionReason | null,
  stage: row.stage,
  mode: row.mode,
  source: row.source,
  channel: row.channel,
  form: row.form,
  flags: row.flags,
  riskLevel: row.risk_level,
  pep: row.pep,
  documentExpirationDate: row.document_expiration_date,
  providerCode: row.provider_code,
  applicantId: row.applicant_id,
  checkId: row.check_id,
  providerOutcome: row.provider_outcome,
  providerReasons: row.provider_reasons,
  createdAt: row.created_at,
  decidedAt: row.decided_at,
  decidedBy: row.decided_by,
  note: row.note,
  version: row.version,
  claimedBy: row.claimed_by,
  claimedUntil: row.claimed_until,
});
