import type { Trx } from '../../db/atomically.ts';
import type { AuditRow } from '../../db/audit-trail.ts';
import type { Customer } from '../../db/customers.ts';
import type { ScreeningHit } from '../../db/screening-hits.ts';
import { claimantOf, type VerificationDocument } from '../../db/verification-reviews.ts';
import { formPlace, type Verification } from '../../db/verifications.ts';
import { RISK_LEVELS } from '../../domain/customer.ts';
import { DOCUMENT_TYPES, PICTURE_KINDS, type VerificationForm } from '../../domain/verification.ts';
import { openPersonal } from '../../vault/personal-data.ts';
import type { Vault } from '../../vault/vault.ts';
import { hitSchema, toHit } from './screening.ts';
import { date, uuid, z } from './shared.ts';
import { toVerificationAnswer, verificationSchema } from './verification.ts';

/** What reviewers see of verifications (onboarding 5). */

const STAGES = ['RECEIVED', 'PROVIDER', 'REVIEW', 'CLOSED'] as const;

const queueItem = {
  ...verificationSchema.shape,
  stage: z.enum(STAGES),
  firstName: z.string(),
  lastName: z.string(),
  riskLvl: z.enum(RISK_LEVELS),
  claimedBy: z.string().nullable(),
  version: z.int(),
};

export const queueItemSchema = z.strictObject(queueItem).openapi('QueuedVerification');

const formSchema = z.strictObject({
  firstName: z.string(),
  lastName: z.string(),
  birthDate: z.string(),
  pesel: z.string().nullable(),
  nationality: z.string(),
  country: z.string(),
  street: z.string(),
  number: z.string(),
  apartment: z.string().nullable(),
  city: z.string(),
  postCode: z.string(),
  documentType: z.enum(DOCUMENT_TYPES),
  identityCardNo: z.string(),
  documentExpirationDate: z.string(),
  riskLvl: z.enum(RISK_LEVELS),
  pep: z.boolean(),
});

export const historySchema = z.strictObject({
  at: date(),
  action: z.string(),
  actorType: z.string(),
  actorId: z.string(),
  result: z.string(),
});

export const caseSchema = z
  .strictObject({
    ...queueItem,
    mode: z.enum(['MANUAL', 'AUTOMATIC', 'EXTERNAL']),
    form: formSchema,
    flags: z.array(z.string()),
    pep: z.boolean(),
    provider: z
      .strictObject({
        code: z.string(),
        applicantId: z.string().nullable(),
        checkId: z.string().nullable(),
        outcome: z.string().nullable(),
        reasons: z.array(z.string()),
      })
      .nullable(),
    hits: z.array(hitSchema),
    documents: z.array(
      z.strictObject({
        documentId: uuid(),
        kind: z.enum(PICTURE_KINDS),
        mediaType: z.string(),
        bytes: z.int(),
        sha256: z.string(),
        createdAt: date(),
      }),
    ),
    attempts: z.array(verificationSchema),
    history: z.array(historySchema),
    claimedUntil: date().nullable(),
    decidedBy: z.string().nullable(),
    note: z.string().nullable(),
  })
  .openapi('VerificationCase');

/** The text fields of a form. */
export const openForm = (
  vault: Vault,
  { subjectKey }: Customer,
  { verificationId, form }: Verification,
): VerificationForm => openPersonal<VerificationForm>(vault, subjectKey, formPlace(verificationId), form);

/** A verification as the queue shows it; `customers` holds whose it is. */
export function toQueueItem(
  trx: Trx,
  vault: Vault,
  customers: ReadonlyMap<number, Customer>,
  verification: Verification,
): z.input<typeof queueItemSchema> {
  const customer = customers.get(verification.customerId);
  if (customer === undefined) throw new Error('a verification of nobody was listed');
  const { firstName, lastName } = openForm(vault, customer, verification);
  return {
    ...toVerificationAnswer(verification),
    stage: verification.stage,
    firstName,
    lastName,
    riskLvl: verification.riskLevel,
    claimedBy: claimantOf(trx, verification),
    version: verification.version,
  };
}

interface Case {
  readonly verification: Verification;
  readonly customer: Customer;
  /** All forms of the customer, this one too. */
  readonly attempts: readonly Verification[];
  readonly documents: readonly VerificationDocument[];
  readonly hits: readonly ScreeningHit[];
  /** Newest first. */
  readonly history: readonly AuditRow[];
}

/** Everything that a reviewer decides by. */
export function toCase(
  trx: Trx,
  vault: Vault,
  { verification, customer, attempts, documents, hits, history }: Case,
): z.input<typeof caseSchema> {
  const { riskLevel, ...form } = openForm(vault, customer, verification);
  const { providerCode, verificationId } = verification;
  const item = toQueueItem(trx, vault, new Map([[customer.customerId, customer]]), verification);
  return {
    ...item,
    mode: verification.mode,
    form: { ...form, riskLvl: riskLevel },
    flags: [...verification.flags],
    pep: verification.pep,
    provider:
      providerCode === null
        ? null
        : {
            code: providerCode,
            applicantId: verification.applicantId,
            checkId: verification.checkId,
            outcome: verification.providerOutcome,
            reasons: [...verification.providerReasons],
          },
    hits: hits.map(toHit),
    documents: documents.map((one) => ({ ...one, createdAt: one.createdAt.toISOString() })),
    attempts: attempts.filter((one) => one.verificationId !== verificationId).map(toVerificationAnswer),
    history: history.map(toHistory),
    claimedUntil: item.claimedBy === null ? null : (verification.claimedUntil?.toISOString() ?? null),
    decidedBy: verification.decidedBy,
    note: verification.note,
  };
}

/** An audit row as the history of its object shows it. */
export const toHistory = (row: AuditRow): z.input<typeof historySchema> => ({
  at: row.created_at.toISOString(),
  action: row.action,
  actorType: row.actor_type,
  actorId: row.actor_id,
  result: row.result,
});
