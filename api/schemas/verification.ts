import { postCode } from '../../db/person-schema.ts';
import type { Verification } from '../../db/verifications.ts';
import { RISK_LEVELS } from '../../domain/customer.ts';
import {
  DOCUMENT_TYPES,
  REJECTION_REASONS,
  requiredPictures,
  type VerificationForm,
} from '../../domain/verification.ts';
import { birthDate, country, nationality, personName } from './customer.ts';
import { date, day, file, text, uuid, word, z } from './shared.ts';

const formFields = {
  firstName: personName(),
  lastName: personName(),
  birthDate: birthDate(),
  pesel: z
    .string({ error: 'must be 11 digits' })
    .regex(/^[0-9]{11}$/, 'must be 11 digits')
    .optional(),
  nationality: nationality(),
  country: country(),
  street: text(1, 100),
  number: text(1, 16),
  apartment: text(1, 16).optional(),
  city: text(1, 64),
  postCode: postCode(),
  documentType: word(DOCUMENT_TYPES),
  identityCardNo: z
    .string({ error: 'must be 4 to 32 letters, digits, hyphens' })
    .regex(/^[A-Za-z0-9-]{4,32}$/, 'must be 4 to 32 letters, digits, hyphens'),
  documentExpirationDate: day(),
  riskLvl: word(RISK_LEVELS).optional(),
};

/** Body of the register endpoints (onboarding 5), as it comes in a multipart form. */
export const verificationBody = z
  .strictObject({
    ...formFields,
    pep: word(['true', 'false']).optional(),
    imageFace: file(),
    imageFront: file(),
    imageBack: file().optional(),
  })
  .refine(hasAllPictures, {
    path: ['imageBack'],
    message: 'is required, except for a passport',
    // Told together with the faults of the other parts.
    when: ({ value }) => typeof value === 'object' && value !== null,
  })
  .openapi('VerificationForm');

function hasAllPictures(form: { documentType?: string; imageBack?: unknown }): boolean {
  const type = DOCUMENT_TYPES.find((one) => one === form.documentType);
  return type === undefined || form.imageBack !== undefined || !requiredPictures(type).includes('BACK');
}

/** The form as it is kept, without its pictures. */
export const toForm = (body: z.output<typeof verificationBody>): VerificationForm => ({
  firstName: body.firstName,
  lastName: body.lastName,
  birthDate: body.birthDate,
  pesel: body.pesel ?? null,
  nationality: body.nationality,
  country: body.country,
  street: body.street,
  number: body.number,
  apartment: body.apartment ?? null,
  city: body.city,
  postCode: body.postCode,
  documentType: body.documentType,
  identityCardNo: body.identityCardNo,
  documentExpirationDate: body.documentExpirationDate,
  riskLevel: body.riskLvl ?? 'LOW',
  pep: body.pep === 'true',
});

/** Body of an operator's correction of a form: absent = unchanged, null clears what may be empty. */
export const verificationChangeBody = z
  .strictObject({
    ...z.object(formFields).partial().shape,
    pesel: formFields.pesel.nullable(),
    apartment: formFields.apartment.nullable(),
    pep: z.boolean({ error: 'must be true or false' }).optional(),
    version: z.int('must be a whole number').min(1, 'must be at least 1'),
  })
  .openapi('VerificationChange');

/** A form with the changes that were sent. */
export function changeForm(
  form: VerificationForm,
  { version: _version, riskLvl, ...sent }: z.output<typeof verificationChangeBody>,
): VerificationForm {
  const changes = Object.entries(sent).filter(([, value]) => value !== undefined);
  return {
    ...form,
    ...Object.fromEntries(changes),
    ...(riskLvl === undefined ? {} : { riskLevel: riskLvl }),
  };
}

export const verificationSchema = z
  .strictObject({
    verificationId: uuid(),
    userId: z.int(),
    status: z.enum(['IN_PROGRESS', 'ACCEPTED', 'REJECTED']),
    reason: z.enum(REJECTION_REASONS).nullable(),
    source: z.enum(['INTERNAL', 'EXTERNAL']),
    channel: z.enum(['CUSTOMER', 'SERVER', 'ADMIN']),
    createdAt: date(),
    decidedAt: date().nullable(),
  })
  .openapi('Verification');

/** The wire's verification; its stage is for operators. */
export const toVerificationAnswer = (verification: Verification): z.input<typeof verificationSchema> => ({
  verificationId: verification.verificationId,
  userId: verification.customerId,
  status: verification.status,
  reason: verification.reason,
  source: verification.source,
  channel: verification.channel,
  createdAt: verification.createdAt.toISOString(),
  decidedAt: verification.decidedAt?.toISOString() ?? null,
});

/** Body of a provider's webhook (onboarding 9.2). */
export const kycEventBody = z
  .strictObject({
    eventId: z.string().min(1).max(128),
    type: z.string().min(1).max(64),
    checkId: z.string().min(1).max(128),
    applicantId: z.string().max(128),
    externalId: z.string().min(1).max(128),
    outcome: z.enum(['APPROVED', 'REJECTED', 'REVIEW']).nullable(),
    reasons: z.array(z.string().max(64)).max(32),
    occurredAt: z.string().max(64),
  })
  .openapi('KycEvent');
