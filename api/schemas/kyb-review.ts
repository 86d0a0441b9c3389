import { KYB_STATUSES } from '../../domain/kyb-application.ts';
import { kybMembers } from './kyb.ts';
import { hitSchema } from './screening.ts';
import { date, uuid, z } from './shared.ts';
import { historySchema } from './verification-review.ts';

/** What operators see of companies' applications (onboarding 8.4). */

const company = {
  issuerCode: z.string(),
  companyName: z.string().nullable(),
  country: z.string().nullable(),
  taxId: z.string().nullable(),
  flags: z.array(z.string()),
  claimedBy: z.string().nullable(),
};

export const kybQueueItemSchema = z
  .strictObject({
    applicationId: uuid(),
    status: z.enum(KYB_STATUSES),
    channel: z.enum(['PUBLIC', 'SERVER', 'ADMIN']),
    round: z.int(),
    ...company,
    verifiedSections: z.int(),
    comments: z.int(),
    createdAt: date(),
    submittedAt: date().nullable(),
    decidedAt: date().nullable(),
  })
  .openapi('QueuedKybApplication');

/** What the KYC provider found about a person in a programme with AUTOMATIC KYC; it decides nothing. */
const personCheckSchema = z.strictObject({
  personId: uuid(),
  round: z.int(),
  state: z.enum(['RUNNING', 'COMPLETED', 'MISSING']),
  outcome: z.enum(['APPROVED', 'REJECTED', 'REVIEW']).nullable(),
  reasons: z.array(z.string()),
});

const reviewed = {
  ...kybMembers,
  ...company,
  personChecks: z.array(personCheckSchema),
  decidedBy: z.string().nullable(),
  note: z.string().nullable(),
};

export const kybReviewSchema = z.strictObject(reviewed).openapi('ReviewedKybApplication');

export const kybCaseSchema = z
  .strictObject({
    ...reviewed,
    hits: z.array(hitSchema),
    history: z.array(historySchema),
  })
  .openapi('KybCase');
