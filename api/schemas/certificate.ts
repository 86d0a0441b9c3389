import type { CertificateEntry } from '../../db/certificates.ts';
import type { CertificateScope } from '../../db/database.ts';
import { date, text, uuid, z } from './shared.ts';

export const CERTIFICATE_STATES = ['PENDING', 'ACTIVE', 'REJECTED', 'REVOKED', 'EXPIRED'] as const;
export const CERTIFICATE_SCOPES = [
  'partner',
  'processor',
  'ims',
  'bin_sponsor',
  'internal',
] as const satisfies readonly CertificateScope[];

/** PEM of a request; how long it may be is told with `CSR_INVALID`. */
export const csr = () => z.string({ error: 'must be a PKCS#10 request in PEM' });

/** Life of a certificate for which nobody asks another. */
export const USUAL_DAYS = 397;

export const validityDays = () =>
  z
    .int({ error: 'must be a whole number' })
    .min(1, 'must be from 1 to 397')
    .max(397, 'must be from 1 to 397');

export const certificateLabel = () =>
  text(1, 32).pipe(z.string().regex(/^[a-z0-9-]{1,32}$/, 'must be 1 to 32 of a-z, 0-9 and -'));

export const certificateSchema = z
  .strictObject({
    certificateId: uuid(),
    partnerId: uuid().nullable(),
    label: z.string(),
    scopes: z.array(z.enum(CERTIFICATE_SCOPES)),
    programmes: z.array(z.string()),
    requestedSubject: z.string().nullable(),
    subject: z.string().nullable(),
    contactEmail: z.string().nullable(),
    keyType: z.string().nullable(),
    keySha256: z.string(),
    serial: z.string().nullable(),
    fingerprintSha256: z.string().nullable(),
    notBefore: date().nullable(),
    notAfter: date().nullable(),
    state: z.enum(CERTIFICATE_STATES),
    requestedBy: z.string().nullable(),
    approvedBy: z.string().nullable(),
    revokedAt: date().nullable(),
    revocationReason: z.string().nullable(),
    lastUsedAt: date().nullable(),
  })
  .openapi('Certificate');

export const issuedSchema = certificateSchema
  .extend({ certificatePem: z.string(), chainPem: z.string() })
  .openapi('IssuedCertificate');

/** The registry row on the wire (channels 9). */
export const toCertificate = (one: CertificateEntry): z.input<typeof certificateSchema> => ({
  certificateId: one.certificateId,
  partnerId: one.partnerPublicId,
  label: one.label,
  scopes: [...one.scopes],
  programmes: [...one.programmes],
  requestedSubject: one.requestedSubject,
  subject: one.subject,
  contactEmail: one.contactEmail,
  keyType: one.keyType,
  keySha256: one.keySha256,
  serial: one.serial,
  fingerprintSha256: one.fingerprintSha256,
  notBefore: one.notBefore?.toISOString() ?? null,
  notAfter: one.notAfter?.toISOString() ?? null,
  state: one.state,
  requestedBy: one.requestedBy,
  approvedBy: one.approvedBy,
  revokedAt: one.revokedAt?.toISOString() ?? null,
  revocationReason: one.revocationReason,
  lastUsedAt: one.lastUsedAt?.toISOString() ?? null,
});
