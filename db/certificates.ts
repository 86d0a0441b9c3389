import { type Kysely, type Selectable, sql } from 'kysely';
import { Refusal } from '../domain/errors.ts';
import { nowOf, type Trx } from './atomically.ts';
import { audit } from './audit-log.ts';
import type { CertificateScope, CertificatesTable, Database } from './database.ts';

/** Why a certificate may be revoked (channels 9). */
export const REVOCATION_REASONS = [
  'KEY_COMPROMISE',
  'SUPERSEDED',
  'AFFILIATION_CHANGED',
  'CESSATION_OF_OPERATION',
  'UNSPECIFIED',
] as const;

export type RevocationReason = (typeof REVOCATION_REASONS)[number];

/** A row of the certificate registry (channels 9); what only an issued certificate has is null before. */
export interface CertificateEntry {
  readonly certificateId: string;
  readonly partnerId: number | null;
  readonly partnerPublicId: string | null;
  readonly partnerCode: string | null;
  readonly label: string;
  readonly scopes: readonly CertificateScope[];
  /** Issuer codes; empty = all of the partner. */
  readonly programmes: readonly string[];
  readonly requestedSubject: string | null;
  readonly subject: string | null;
  readonly contactEmail: string | null;
  readonly keyType: string | null;
  readonly keySha256: string;
  readonly serial: string | null;
  readonly fingerprintSha256: string | null;
  readonly notBefore: Date | null;
  readonly notAfter: Date | null;
  /** EXPIRED as soon as `notAfter` has passed. */
  readonly state: CertificatesTable['state'];
  readonly requestedBy: string | null;
  readonly approvedBy: string | null;
  readonly revokedAt: Date | null;
  readonly revocationReason: string | null;
  readonly lastUsedAt: Date | null;
}

export interface CertificateFilter {
  readonly state?: CertificatesTable['state'] | undefined;
  readonly partnerId?: number | undefined;
  readonly before?: string | undefined;
  readonly limit?: number | undefined;
}

/** Certificates as they stand at `now`, newest first. */
export async function listCertificates(
  db: Kysely<Database>,
  now: Date,
  filter: CertificateFilter = {},
): Promise<CertificateEntry[]> {
  const { state, partnerId, before, limit } = filter;
  let query = entries(db).orderBy('certificates.certificate_id', 'desc');
  if (state !== undefined) {
    const past = sql<boolean>`certificates.state = 'ACTIVE' and certificates.not_after <= ${now}`;
    const shown = sql<string>`case when ${past} then 'EXPIRED' else certificates.state end`;
    query = query.where(shown, '=', state);
  }
  if (partnerId !== undefined) query = query.where('certificates.partner_id', '=', partnerId);
  if (before !== undefined) query = query.where('certificates.certificate_id', '<', before);
  if (limit !== undefined) query = query.limit(limit);
  return (await query.execute()).map((row) => toEntry(row, now));
}

/** One certificate, of `partnerId` where that is a number. Throws `CERTIFICATE_NOT_FOUND`. */
export async function readCertificate(
  trx: Trx,
  certificateId: string,
  partnerId: number | null,
): Promise<CertificateEntry> {
  let query = entries(trx).where('certificates.certificate_id', '=', certificateId);
  if (partnerId !== null) query = query.where('certificates.partner_id', '=', partnerId);
  const row = await query.executeTakeFirst();
  if (row === undefined) throw new Refusal('CERTIFICATE_NOT_FOUND', 'There is no such certificate.');
  return toEntry(row, nowOf(trx));
}

/** Notes that certificates have called just now, so that their holders see when an old one is no longer in use. Engine only. */
export async function noteCertificateUse(
  engine: Kysely<Database>,
  certificateIds: readonly string[],
): Promise<void> {
  if (certificateIds.length === 0) return;
  await engine
    .updateTable('certificates')
    .set({ last_used_at: sql<Date>`cardloom_now()` })
    .where('certificate_id', 'in', certificateIds)
    .execute();
}

/** What a revocation list names of each revoked certificate whose time is not over, in order of their serials. */
export const listRevoked = async (
  engine: Kysely<Database>,
): Promise<{ readonly serial: string; readonly revokedAt: Date; readonly reason: string }[]> => {
  const { rows } = await sql<{ serial: string; revokedAt: Date; reason: string }>`
    select serial, revoked_at as "revokedAt", coalesce(revocation_reason, 'UNSPECIFIED') as reason
    from certificates
    where state = 'REVOKED' and serial is not null and revoked_at is not null and not_after > cardloom_now()
    order by serial`.execute(engine);
  return rows;
};

const entries = (db: Kysely<Database>) =>
  db
    .selectFrom('certificates')
    .leftJoin('partners', 'partners.partner_id', 'certificates.partner_id')
    .selectAll('certificates')
    .select(['partners.code as partnerCode', 'partners.public_id as partnerPublicId']);

type EntryRow = Selectable<CertificatesTable> & {
  readonly partnerCode: string | null;
  readonly partnerPublicId: string | null;
};

const toEntry = (row: EntryRow, now: Date): CertificateEntry => ({
  certificateId: row.certificate_id,
  partnerId: row.partner_id,
  partnerPublicId: row.partnerPublicId,
  partnerCode: row.partnerCode,
  label: row.label,
  scopes: row.scopes,
  programmes: row.programmes,
  requestedSubject: row.requested_subject,
  subject: row.subject,
  contactEmail: row.contact_email,
  keyType: row.key_type,
  keySha256: row.key_sha256,
  serial: row.serial,
  fingerprintSha256: row.fingerprint_sha256,
  notBefore: row.not_before,
  notAfter: row.not_after,
  state: row.state === 'ACTIVE' && row.not_after !== null && row.not_after <= now ? 'EXPIRED' : row.state,
  requestedBy: row.requested_by,
  approvedBy: row.approved_by,
  revokedAt: row.revoked_at,
  revocationReason: row.revocation_reason,
  lastUsedAt: row.last_used_at,
});

type CertificateName =
  { readonly certificateId: string } | { readonly serial: string } | { readonly fingerprintSha256: string };

function columnOf(named: CertificateName) {
  if ('certificateId' in named) return ['certificate_id', named.certificateId] as const;
  if ('serial' in named) return ['serial', named.serial] as const;
  return ['fingerprint_sha256', named.fingerprintSha256] as const;
}

/**
 * Revokes an ACTIVE certificate, named by its id, or by serial or fingerprint (lower-case hexadecimal). The
 * listener hears of it by database notification. Throws `NOT_FOUND`, `STATE_CONFLICT`.
 */
export async function revokeCertificate(
  trx: Trx,
  named: CertificateName,
  reason: RevocationReason,
): Promise<{ certificateId: string; label: string }> {
  const [column, value] = columnOf(named);
  const revoked = await trx
    .updateTable('certificates')
    .set({ state: 'REVOKED', revoked_at: nowOf(trx), revocation_reason: reason })
    .where(column, '=', value)
    .where('state', '=', 'ACTIVE')
    .returning(['certificate_id', 'label', 'partner_id'])
    .executeTakeFirst();
  if (revoked === undefined) {
    const known = await trx.selectFrom('certificates').select('state').where(column, '=', value).execute();
    if (known.length === 0) throw new Refusal('NOT_FOUND', 'There is no such certificate.');
    throw new Refusal('STATE_CONFLICT', `The certificate is ${known[0]?.state ?? 'gone'}, not ACTIVE.`);
  }
  await audit(trx, {
    action: 'certificate.revoked',
    objectType: 'certificate',
    objectId: revoked.certificate_id,
    before: { state: 'ACTIVE' },
    after: { state: 'REVOKED', reason },
    ...(revoked.partner_id === null ? {} : { partnerId: revoked.partner_id }),
  });
  return { certificateId: revoked.certificate_id, label: revoked.label };
}
