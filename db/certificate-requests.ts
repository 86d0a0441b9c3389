import { type Kysely, sql } from 'kysely';
import { Refusal } from '../domain/errors.ts';
import { newId, nowOf, type Trx, violatedUnique } from './atomically.ts';
import { audit, type AuditAction } from './audit-log.ts';
import { queueMail } from './messages.ts';
import type { CertificateScope, CertificatesTable, Database } from './database.ts';

/** A request for a client certificate, checked (channels 9). */
export interface NewCertificate {
  readonly partnerId: number | null;
  readonly label: string;
  readonly scopes: readonly CertificateScope[];
  /** Issuer codes; empty = all of the partner. */
  readonly programmes: readonly string[];
  readonly csrPem: string;
  readonly requestedSubject: string;
  readonly contactEmail: string;
  readonly keyType: string;
  readonly keySha256: string;
  readonly validityDays: number;
  readonly requestedBy: string;
}

/** What the authority made of a request. */
export interface IssuedFacts {
  readonly certificatePem: string;
  readonly subject: string;
  readonly serial: string;
  readonly fingerprintSha256: string;
  readonly notBefore: Date;
  readonly notAfter: Date;
}

/** Keeps a request until another operator decides; answers its id. Throws `CSR_KEY_REUSED`. */
export async function requestCertificate(trx: Trx, wanted: NewCertificate): Promise<string> {
  const id = await insertRequest(trx, wanted);
  await audited(trx, 'certificate.requested', { id, partnerId: wanted.partnerId }, 'PENDING', {
    label: wanted.label,
    scopes: wanted.scopes,
  });
  return id;
}

async function insertRequest(trx: Trx, wanted: NewCertificate): Promise<string> {
  const id = newId(trx);
  try {
    await trx
      .insertInto('certificates')
      .values({
        certificate_id: id,
        partner_id: wanted.partnerId,
        label: wanted.label,
        scopes: [...wanted.scopes],
        programmes: [...wanted.programmes],
        subject: null,
        requested_subject: wanted.requestedSubject,
        contact_email: wanted.contactEmail,
        key_type: wanted.keyType,
        key_sha256: wanted.keySha256,
        csr_pem: wanted.csrPem,
        validity_days: wanted.validityDays,
        requested_by: wanted.requestedBy,
        serial: null,
        fingerprint_sha256: null,
        not_before: null,
        not_after: null,
        state: 'PENDING',
        revoked_at: null,
        revocation_reason: null,
        last_used_at: null,
      })
      .execute();
  } catch (error) {
    if (violatedUnique(error) !== 'certificates_key_sha256_key') throw error;
    throw new Refusal('CSR_KEY_REUSED', 'This key has been sent before. Make a new one.');
  }
  return id;
}

/** A request of a holder for a certificate beside the one it calls with. */
type Renewal = Pick<
  NewCertificate,
  'csrPem' | 'requestedSubject' | 'contactEmail' | 'keyType' | 'keySha256' | 'validityDays'
>;

/**
 * Makes a certificate with the label, scopes and programmes of the calling one, ACTIVE at once (channels 9). Throws
 * `CERTIFICATE_NOT_TRUSTED` where that was revoked just now, `CSR_KEY_REUSED`, `CERTIFICATE_LIMIT`.
 */
export async function renewCertificate(
  trx: Trx,
  callingId: string,
  renewal: Renewal,
  issue: Issue,
): Promise<IssuedFacts & { readonly certificateId: string }> {
  // The registry's copy of the calling certificate may be two seconds old.
  const calling = await trx
    .selectFrom('certificates')
    .select(['partner_id', 'label', 'scopes', 'programmes'])
    .where('certificate_id', '=', callingId)
    .where('state', '=', 'ACTIVE')
    .forShare()
    .executeTakeFirst();
  if (calling === undefined) throw new Refusal('CERTIFICATE_NOT_TRUSTED', 'This certificate has ended.');
  const { partner_id: partnerId, label, scopes, programmes } = calling;
  const requestedBy = `certificate:${callingId}`;
  const wanted = { ...renewal, partnerId, label, scopes, programmes, requestedBy };
  const certificateId = await insertRequest(trx, wanted);
  const issued = await activateCertificate(
    trx,
    { ...wanted, certificateId },
    requestedBy,
    'certificate.renewed',
    issue,
  );
  return { ...issued, certificateId };
}

/** A request that waits, as the authority needs it. */
export interface PendingCertificate {
  readonly certificateId: string;
  readonly partnerId: number | null;
  readonly label: string;
  readonly scopes: readonly CertificateScope[];
  readonly csrPem: string;
  readonly validityDays: number;
  readonly requestedBy: string;
  readonly contactEmail: string | null;
}

/** Locks a request for its decision. Throws `CERTIFICATE_NOT_FOUND`, `STATE_CONFLICT` when it is decided. */
export async function lockPending(
  trx: Trx,
  certificateId: string,
  partnerId: number | null,
): Promise<PendingCertificate> {
  let query = trx.selectFrom('certificates').selectAll().where('certificate_id', '=', certificateId);
  if (partnerId !== null) query = query.where('partner_id', '=', partnerId);
  const row = await query.forNoKeyUpdate().executeTakeFirst();
  if (row === undefined) throw new Refusal('CERTIFICATE_NOT_FOUND', 'There is no such certificate.');
  const { csr_pem: csrPem, validity_days: validityDays, requested_by: requestedBy } = row;
  if (row.state !== 'PENDING' || csrPem === null || validityDays === null || requestedBy === null) {
    throw new Refusal('STATE_CONFLICT', `The certificate is ${row.state}, not PENDING.`);
  }
  const { label, scopes, partner_id: owner, contact_email: contactEmail } = row;
  return { certificateId, partnerId: owner, label, scopes, csrPem, validityDays, requestedBy, contactEmail };
}

/** Signs a request. */
type Issue = (pending: PendingCertificate, nowMs: number) => Promise<IssuedFacts>;

const MOST_ACTIVE = 2;

/**
 * Makes a locked request an ACTIVE certificate with what `issue` signs. Throws `CERTIFICATE_LIMIT` where the
 * partner has two of this label already: one to use, one to change over to. The contact is mailed.
 */
export async function activateCertificate(
  trx: Trx,
  pending: PendingCertificate,
  approvedBy: string,
  action: 'certificate.approved' | 'certificate.renewed',
  issue: Issue,
): Promise<IssuedFacts> {
  const { certificateId: id, partnerId, label } = pending;
  // Approvals of one label come one after the other, else two of them would both count one.
  await sql`select pg_advisory_xact_lock(hashtext('certificates'), hashtext(${`${partnerId}:${label}`}))`.execute(
    trx,
  );
  if ((await countActive(trx, partnerId, label)) >= MOST_ACTIVE) {
    throw new Refusal('CERTIFICATE_LIMIT', 'Two certificates of this label are in use. Revoke one first.');
  }
  const issued = await issue(pending, nowOf(trx).getTime());
  await trx
    .updateTable('certificates')
    .set({
      state: 'ACTIVE',
      subject: issued.subject,
      serial: issued.serial,
      fingerprint_sha256: issued.fingerprintSha256,
      not_before: issued.notBefore,
      not_after: issued.notAfter,
      certificate_pem: issued.certificatePem,
      approved_by: approvedBy,
    })
    .where('certificate_id', '=', id)
    .execute();
  const { serial } = issued;
  await audited(trx, action, { id, partnerId }, 'ACTIVE', { label, serial });
  if (pending.contactEmail !== null) {
    await queueMail(
      trx,
      { partnerId, programmeId: null },
      {
        template: 'certificateIssued',
        facts: { label, serial, notAfter: issued.notAfter.toISOString() },
        subjectId: id,
        addresses: [pending.contactEmail],
      },
    );
  }
  return issued;
}

async function countActive(db: Kysely<Database>, partnerId: number | null, label: string): Promise<number> {
  const { count } = await db
    .selectFrom('certificates')
    .select((select) => select.fn.countAll<number>().as('count'))
    .where('partner_id', 'is not distinct from', partnerId)
    .where('label', '=', label)
    .where('state', '=', 'ACTIVE')
    .where('not_after', '>', sql<Date>`cardloom_now()`)
    .executeTakeFirstOrThrow();
  return Number(count);
}

/** Ends a locked request without a certificate. */
export async function rejectCertificate(
  trx: Trx,
  { certificateId: id, partnerId }: PendingCertificate,
  reason: string,
): Promise<void> {
  await trx.updateTable('certificates').set({ state: 'REJECTED' }).where('certificate_id', '=', id).execute();
  await audited(trx, 'certificate.rejected', { id, partnerId }, 'REJECTED', { reason });
}

const audited = (
  trx: Trx,
  action: AuditAction,
  { id, partnerId }: { readonly id: string; readonly partnerId: number | null },
  state: CertificatesTable['state'],
  facts: Record<string, unknown>,
): Promise<void> =>
  audit(trx, {
    action,
    objectType: 'certificate',
    objectId: id,
    after: { state, ...facts },
    ...(partnerId === null ? {} : { partnerId }),
  });
