import type { Kysely } from 'kysely';
import { Refusal } from '../domain/errors.ts';
import { nowOf, type Trx } from './atomically.ts';
import { audit } from './audit-log.ts';
import type { CertificatesTable, Database } from './database.ts';

/** Why a certificate may be revoked (channels 9). */
export const REVOCATION_REASONS = [
  'KEY_COMPROMISE',
  'SUPERSEDED',
  'AFFILIATION_CHANGED',
  'CESSATION_OF_OPERATION',
  'UNSPECIFIED',
] as const;

export type RevocationReason = (typeof REVOCATION_REASONS)[number];

/** A row of the certificate registry, for people. */
export interface CertificateEntry {
  readonly certificateId: string;
  readonly partnerCode: string | null;
  readonly label: string;
  readonly scopes: readonly string[];
  readonly serial: string;
  readonly fingerprintSha256: string;
  readonly notAfter: Date;
  readonly state: CertificatesTable['state'];
  readonly revocationReason: string | null;
}

/** All certificates, by partner and label; those without a partner first. Engine only. */
export async function listCertificates(engine: Kysely<Database>): Promise<CertificateEntry[]> {
  const rows = await engine
    .selectFrom('certificates')
    .leftJoin('partners', 'partners.partner_id', 'certificates.partner_id')
    .selectAll('certificates')
    .select('partners.code as partnerCode')
    .orderBy('partners.code', (order) => order.asc().nullsFirst())
    .orderBy('certificates.label')
    .orderBy('certificates.not_after')
    .execute();
  return rows.map((row) => ({
    certificateId: row.certificate_id,
    partnerCode: row.partnerCode,
    label: row.label,
    scopes: row.scopes,
    serial: row.serial,
    fingerprintSha256: row.fingerprint_sha256,
    notAfter: row.not_after,
    state: row.state,
    revocationReason: row.revocation_reason,
  }));
}

/**
 * Revokes an ACTIVE certificate, named by serial or fingerprint (lower-case hexadecimal). The listener hears of
 * it by database notification. Throws `NOT_FOUND`, `STATE_CONFLICT`.
 */
export async function revokeCertificate(
  trx: Trx,
  named: { readonly serial: string } | { readonly fingerprintSha256: string },
  reason: RevocationReason,
): Promise<{ certificateId: string; label: string }> {
  const [column, value] =
    'serial' in named
      ? (['serial', named.serial] as const)
      : (['fingerprint_sha256', named.fingerprintSha256] as const);
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
