import { z } from 'zod';

// Answers may gain members; what we read is checked, the rest is left alone (onboarding 9.1).
const id = z.string().min(1).max(128);

/** Answer of `POST /applicants`. */
export const createdApplicant = z.object({ applicantId: id });

/** Answer of `POST /applicants/{applicantId}/documents`. */
export const uploadedDocument = z.object({ documentId: id });

/** Answer of `POST /checks`. */
export const startedCheck = z.object({ checkId: id });

/** Answer of `GET /checks/{checkId}`. */
export const check = z.object({
  checkId: id,
  state: z.enum(['RUNNING', 'COMPLETED']),
  outcome: z.enum(['APPROVED', 'REJECTED', 'REVIEW']).nullable(),
  reasons: z.array(z.string().max(64)).max(32).default([]),
});
export type Check = z.output<typeof check>;

/** Body of `POST /applicants`. */
export interface Applicant {
  /** Our verificationId, or the personId of somebody of a company. */
  readonly externalId: string;
  readonly firstName: string;
  readonly lastName: string;
  readonly birthDate: string;
  readonly nationality: string;
  readonly pesel?: string;
  readonly address: {
    readonly street: string;
    readonly number: string;
    readonly apartment?: string;
    readonly city: string;
    readonly postCode: string;
    readonly country: string;
  };
  readonly documentType: string;
  /** Not asked of persons of a company (onboarding 8.2). */
  readonly identityCardNo?: string;
  /** Not asked of persons of a company. */
  readonly documentExpirationDate?: string;
}
