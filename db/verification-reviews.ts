import { sql } from 'kysely';
import { Refusal } from '../domain/errors.ts';
import type { PictureKind, VerificationStage, VerificationStatus } from '../domain/verification.ts';
import type { RiskLevel } from '../domain/customer.ts';
import { audit } from './audit-log.ts';
import { nowOf, type Trx } from './atomically.ts';
import type { ProgrammeScope } from './customers.ts';
import { byId, inOrder, type Keyset } from './keyset.ts';
import {
  readVerification,
  selectVerification,
  toVerification,
  type Verification,
  verificationNotFound,
} from './verifications.ts';

/** What people do with verifications beside deciding them (onboarding 5); decisions go through the workflow. */

const CLAIM_MINUTES = 30;

export interface VerificationFilter {
  readonly customerId?: number | undefined;
  readonly status?: VerificationStatus | undefined;
  readonly stage?: VerificationStage | undefined;
  /** Cases that this person has claimed and still holds. */
  readonly claimedBy?: string | undefined;
  /** Created at or after. */
  readonly from?: Date | undefined;
  /** Created before. */
  readonly to?: Date | undefined;
}

const ORDERS = { id: sql`verification_id` };

/** One page of verifications, oldest first as a queue is worked off unless told otherwise; ids order by time. */
export async function searchVerifications(
  trx: Trx,
  scope: ProgrammeScope,
  filter: VerificationFilter,
  page: { readonly limit: number; readonly afterId?: string | null; readonly order?: Keyset<'id'> },
): Promise<Verification[]> {
  let query = inOrder(
    selectVerification(trx, scope),
    ORDERS,
    page.order ?? byId(page.afterId, false),
    page.limit,
  );
  if (filter.customerId !== undefined) query = query.where('customer_id', '=', filter.customerId);
  if (filter.status !== undefined) query = query.where('status', '=', filter.status);
  if (filter.stage !== undefined) query = query.where('stage', '=', filter.stage);
  if (filter.from !== undefined) query = query.where('created_at', '>=', filter.from);
  if (filter.to !== undefined) query = query.where('created_at', '<', filter.to);
  if (filter.claimedBy !== undefined) {
    query = query.where('claimed_by', '=', filter.claimedBy).where('claimed_until', '>', nowOf(trx));
  }
  return (await query.execute()).map(toVerification);
}

/** Who has a claim on the case at the moment, null when nobody has. */
export const claimantOf = (trx: Trx, { claimedBy, claimedUntil }: Verification): string | null =>
  claimedUntil !== null && claimedUntil > nowOf(trx) ? claimedBy : null;

/**
 * Tells others for 30 minutes that `operatorId` looks at the case; one's own claim begins anew. Throws
 * `VERIFICATION_NOT_FOUND`, `CLAIMED_BY_OTHER`.
 */
export async function claimVerification(
  trx: Trx,
  scope: ProgrammeScope,
  verificationId: string,
  operatorId: string,
): Promise<void> {
  const found = await lockForReview(trx, scope, verificationId);
  refuseOthers(trx, found, operatorId);
  await trx
    .updateTable('verifications')
    .set({
      claimed_by: operatorId,
      claimed_until: sql<Date>`${nowOf(trx)}::timestamptz + make_interval(mins => ${CLAIM_MINUTES})`,
    })
    .where('verification_id', '=', verificationId)
    .execute();
  await auditReview(trx, 'verification.claimed', found, {});
}

/** Gives a claim back; none is fine. Throws `VERIFICATION_NOT_FOUND`, `CLAIMED_BY_OTHER`. */
export async function releaseVerification(
  trx: Trx,
  scope: ProgrammeScope,
  verificationId: string,
  operatorId: string,
): Promise<void> {
  const found = await lockForReview(trx, scope, verificationId);
  refuseOthers(trx, found, operatorId);
  if (found.claimedBy === null) return;
  await trx
    .updateTable('verifications')
    .set({ claimed_by: null, claimed_until: null })
    .where('verification_id', '=', verificationId)
    .execute();
  await auditReview(trx, 'verification.released', found, {});
}

/** A form that an operator has corrected, sealed by the caller for `formPlace`. */
export interface EditedForm {
  /** Version that the operator has seen. */
  readonly version: number;
  readonly form: Buffer;
  readonly flags: readonly string[];
  readonly riskLevel: RiskLevel;
  readonly pep: boolean;
  readonly documentExpirationDate: string;
}

/**
 * Replaces the text fields of a form, in any status; the customer stays as they are until an acceptance. Throws
 * `VERIFICATION_NOT_FOUND`, `VERSION_CONFLICT` when somebody else was faster.
 */
export async function editVerification(
  trx: Trx,
  scope: ProgrammeScope,
  verificationId: string,
  edited: EditedForm,
): Promise<Verification> {
  const found = await lockForReview(trx, scope, verificationId);
  if (found.version !== edited.version) {
    throw new Refusal('VERSION_CONFLICT', 'The form was changed meanwhile: read it again.');
  }
  await trx
    .updateTable('verifications')
    .set({
      form: edited.form,
      flags: [...edited.flags],
      risk_level: edited.riskLevel,
      pep: edited.pep,
      document_expiration_date: edited.documentExpirationDate,
      version: found.version + 1,
    })
    .where('verification_id', '=', verificationId)
    .execute();
  await auditReview(trx, 'verification.edited', found, { version: found.version + 1, flags: edited.flags });
  return await readVerification(trx, scope, { verificationId });
}

/** A picture of a form as reviewers see it listed; its bytes are in the document store. */
export interface VerificationDocument {
  readonly documentId: string;
  readonly kind: PictureKind;
  readonly mediaType: string;
  readonly bytes: number;
  readonly sha256: string;
  readonly createdAt: Date;
}

/** The pictures of a form. */
export async function documentsOf(trx: Trx, verificationId: string): Promise<VerificationDocument[]> {
  const rows = await trx
    .selectFrom('verification_documents')
    .selectAll()
    .where('verification_id', '=', verificationId)
    .orderBy('document_id')
    .execute();
  return rows.map((row) => ({
    documentId: row.document_id,
    kind: row.kind,
    mediaType: row.media_type,
    bytes: row.bytes,
    sha256: row.sha256,
    createdAt: row.created_at,
  }));
}

/**
 * Where a picture lies, with the audit row of its reading: this transaction commits before the bytes leave
 * (channels 3). Throws `VERIFICATION_NOT_FOUND`, `DOCUMENT_NOT_FOUND`.
 */
export async function readDocumentAudited(
  trx: Trx,
  scope: ProgrammeScope,
  key: { readonly verificationId: string; readonly documentId: string },
): Promise<{ readonly verification: Verification; readonly storeKey: string; readonly mediaType: string }> {
  const verification = await readVerification(trx, scope, { verificationId: key.verificationId });
  const row = await trx
    .selectFrom('verification_documents')
    .select(['store_key', 'media_type', 'kind'])
    .where('verification_id', '=', key.verificationId)
    .where('document_id', '=', key.documentId)
    .executeTakeFirst();
  if (row === undefined) throw new Refusal('DOCUMENT_NOT_FOUND', 'There is no such document.');
  await audit(trx, {
    action: 'verification.document_read',
    objectType: 'verification_document',
    objectId: key.documentId,
    partnerId: verification.partnerId,
    after: { verificationId: key.verificationId, kind: row.kind },
  });
  return { verification, storeKey: row.store_key, mediaType: row.media_type };
}

/** Leaves the audit row of an operator who has opened the case: form, flags, hits and all. */
export const auditCaseRead = (trx: Trx, verification: Verification): Promise<void> =>
  auditReview(trx, 'verification.read', verification, {});

async function lockForReview(trx: Trx, scope: ProgrammeScope, verificationId: string): Promise<Verification> {
  const row = await selectVerification(trx, scope)
    .where('verification_id', '=', verificationId)
    .forNoKeyUpdate()
    .executeTakeFirst();
  if (row === undefined) throw verificationNotFound();
  return toVerification(row);
}

function refuseOthers(trx: Trx, found: Verification, operatorId: string): void {
  const claimant = claimantOf(trx, found);
  if (claimant === null || claimant === operatorId) return;
  throw new Refusal('CLAIMED_BY_OTHER', 'Somebody else has claimed this case.');
}

type ReviewAction =
  'verification.claimed' | 'verification.released' | 'verification.edited' | 'verification.read';

async function auditReview(
  trx: Trx,
  action: ReviewAction,
  { verificationId, partnerId }: Verification,
  after: Record<string, unknown>,
): Promise<void> {
  await audit(trx, { action, objectType: 'verification', objectId: verificationId, partnerId, after });
}
