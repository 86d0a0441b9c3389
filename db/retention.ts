import { type Kysely, type RawBuilder, sql } from 'kysely';
import { audit } from './audit-log.ts';
import { nowOf, type Trx } from './atomically.ts';
import type { Database } from './database.ts';
import { lockKybApplication } from './kyb-applications.ts';

/** Files of somebody who was never accepted are kept so long (onboarding 5). */
const NEVER_ACCEPTED = sql`interval '12 months'`;

/**
 * Applications whose time is over: 12 months after one that came to nothing, `retentionYears` after the corporation
 * that was made of it was deleted (onboarding 5). Engine only.
 */
export async function kybToShred(engine: Kysely<Database>, limit: number): Promise<string[]> {
  const { rows } = await sql<{ application_id: string }>`
    select a.application_id from kyb_applications a
    where ${kybIsDue()} order by a.decided_at limit ${limit}`.execute(engine);
  return rows.map((row) => row.application_id);
}

const kybIsDue = (): RawBuilder<boolean> => sql<boolean>`
  a.decided_at is not null and a.shredded_at is null
  and case when a.status = 'ACCEPTED' then exists (
      select from corporations c join programmes p on p.programme_id = c.programme_id
      where c.kyb_application_id = a.application_id and c.state = 'DELETED'
        and c.updated_at < cardloom_now() - make_interval(years => p.retention_years))
    else a.decided_at < cardloom_now() - ${NEVER_ACCEPTED} end`;

/** Where the files of an application lie, in the document store. */
export async function kybFiles(trx: Trx, applicationId: string): Promise<string[]> {
  const rows = await trx
    .selectFrom('kyb_documents')
    .select('store_key')
    .where('application_id', '=', applicationId)
    .execute();
  return rows.map((row) => row.store_key);
}

/**
 * Makes everything that names somebody in an application unreadable: its key is destroyed, and what it sealed is
 * deleted. States, marks and hits stay. The caller has deleted the files. One that is not due stays as it is.
 */
export async function shredKyb(trx: Trx, applicationId: string): Promise<boolean> {
  const { partnerId, subjectKey, status } = await lockKybApplication(trx, 'every', applicationId);
  const { rows } = await sql`
    select from kyb_applications a where a.application_id = ${applicationId} and ${kybIsDue()}`.execute(trx);
  if (rows.length === 0) return false;
  for (const table of ['kyb_documents', 'kyb_persons', 'kyb_comments', 'kyb_tokens'] as const) {
    await trx.deleteFrom(table).where('application_id', '=', applicationId).execute();
  }
  await trx
    .updateTable('kyb_sections')
    .set({ content: null })
    .where('application_id', '=', applicationId)
    .execute();
  await trx
    .updateTable('kyb_applications')
    .set({
      company_name: null,
      country: null,
      tax_id: null,
      email_index: Buffer.alloc(0),
      ip_index: null,
      reason: null,
      note: null,
      shredded_at: nowOf(trx),
    })
    .where('application_id', '=', applicationId)
    .execute();
  await trx
    .updateTable('subject_keys')
    .set({ wrapped: Buffer.alloc(0) })
    .where('subject_id', '=', subjectKey.subjectId)
    .execute();
  await audit(trx, {
    action: 'kyb.shredded',
    objectType: 'kyb_application',
    objectId: applicationId,
    partnerId,
    after: { status },
  });
  return true;
}

/** Files of one verification, in the document store. */
export interface FilesToShred {
  readonly verificationId: string;
  readonly storeKeys: readonly string[];
}

/**
 * Verifications whose files' time is over: `retentionYears` after their user was deleted, 12 months after a decision
 * for somebody who was never accepted (onboarding 5). Engine only.
 */
export async function verificationFilesToShred(
  engine: Kysely<Database>,
  limit: number,
): Promise<FilesToShred[]> {
  const { rows } = await sql<{ verification_id: string; store_keys: string[] }>`
    select v.verification_id, array_agg(d.store_key) as store_keys
    from verifications v
    join verification_documents d on d.verification_id = v.verification_id
    join customers u on u.customer_id = v.customer_id
    join programmes p on p.programme_id = u.programme_id
    where v.decided_at is not null and case when u.kyc_successes = 0
      then v.decided_at < cardloom_now() - ${NEVER_ACCEPTED}
      else u.state = 'DELETED' and u.updated_at < cardloom_now() - make_interval(years => p.retention_years) end
    group by v.verification_id order by v.verification_id limit ${limit}`.execute(engine);
  return rows.map((row) => ({ verificationId: row.verification_id, storeKeys: row.store_keys }));
}

/** Forgets the files of a verification; the caller has deleted them. */
export async function forgetVerificationFiles(
  trx: Trx,
  { verificationId, storeKeys }: FilesToShred,
): Promise<void> {
  const deleted = await trx
    .deleteFrom('verification_documents')
    .where('verification_id', '=', verificationId)
    .where('store_key', 'in', storeKeys)
    .returning('partner_id')
    .execute();
  const partnerId = deleted[0]?.partner_id;
  if (partnerId === undefined) return;
  await audit(trx, {
    action: 'verification.documents_shredded',
    objectType: 'verification',
    objectId: verificationId,
    partnerId,
    after: { documents: deleted.length },
  });
}
