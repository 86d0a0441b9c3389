import { type Kysely, type RawBuilder, sql } from 'kysely';
import { audit } from './audit-log.ts';
import { nowOf, type Trx } from './atomically.ts';
import type { Database } from './database.ts';
import { lockKybApplication } from './kyb-applications.ts';

/** An application that came to nothing is kept so long (onboarding 5). */
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
