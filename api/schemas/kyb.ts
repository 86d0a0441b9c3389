import { KYB_SECTIONS, KYB_STATUSES, SECTION_STATES } from '../../domain/kyb-application.ts';
import { KYB_DOCUMENT_TYPES } from '../../domain/kyb-document.ts';
import { DOCUMENT_TYPES } from '../../domain/verification.ts';
import { email } from './customer.ts';
import { date, file, uuid, word, z } from './shared.ts';

/** Parts of a document's upload (onboarding 8.3). */
export const documentBody = z
  .strictObject({
    type: word(KYB_DOCUMENT_TYPES),
    personId: uuid().optional(),
    documentType: word(DOCUMENT_TYPES).optional(),
    file: file(),
  })
  .openapi('KybDocumentUpload');

export const uploadedSchema = z.strictObject({ documentId: uuid() });

export const resumeLinkBody = z.strictObject({ email: email() }).openapi('KybResumeLink');

/** A company's application as its applicant sees it (onboarding 8.4). */
export const kybMembers = {
  applicationId: uuid(),
  status: z.enum(KYB_STATUSES),
  channel: z.enum(['PUBLIC', 'SERVER', 'ADMIN']),
  round: z.int(),
  sections: z.array(
    z.strictObject({
      section: z.enum(KYB_SECTIONS),
      state: z.enum(SECTION_STATES),
      /** The fields of the section as they are sent; null until filled, and always for DOCUMENTS. */
      content: z.record(z.string(), z.unknown()).nullable(),
    }),
  ),
  comments: z.array(
    z.strictObject({
      commentId: uuid(),
      section: z.enum(KYB_SECTIONS).nullable(),
      text: z.string(),
      createdAt: date(),
    }),
  ),
  documents: z.array(
    z.strictObject({
      documentId: uuid(),
      type: z.enum(KYB_DOCUMENT_TYPES),
      personId: uuid().nullable(),
      documentType: z.enum(DOCUMENT_TYPES).nullable(),
      mediaType: z.string(),
      bytes: z.int(),
      createdAt: date(),
    }),
  ),
  /** Told with REJECTED. */
  reason: z.string().nullable(),
  createdAt: date(),
  submittedAt: date().nullable(),
  decidedAt: date().nullable(),
};

export const kybApplicationSchema = z.strictObject(kybMembers).openapi('KybApplication');

/** With the token that opens it, told once. */
export const kybIntakeSchema = z
  .strictObject({ ...kybMembers, token: z.string(), tokenExpiresAt: date() })
  .openapi('NewKybApplication');

export type KybApplicationAnswer = z.input<typeof kybApplicationSchema>;
