import { KYB_TOKEN_MS } from '../domain/kyb-application.ts';
import { audit } from './audit-log.ts';
import { nowOf, type Trx } from './atomically.ts';
import { type KybApplication, readKybApplication } from './kyb-applications.ts';
import { queueKybMail } from './kyb-mails.ts';

/** Lets the holder of a token open an application for 14 days; gives the end of that. */
export async function addKybToken(trx: Trx, application: KybApplication, tokenHash: Buffer): Promise<Date> {
  const expiresAt = new Date(nowOf(trx).getTime() + KYB_TOKEN_MS);
  await trx
    .insertInto('kyb_tokens')
    .values({
      token_hash: tokenHash,
      application_id: application.applicationId,
      partner_id: application.partnerId,
      expires_at: expiresAt,
      created_at: nowOf(trx),
    })
    .execute();
  return expiresAt;
}

/**
 * The application that a token opens, by its hashes under the keys that live; `expired` is true when its time
 * is over by the database's clock. Engine only.
 */
export async function findKybToken(
  trx: Trx,
  tokenHashes: readonly Buffer[],
): Promise<{ readonly application: KybApplication; readonly expired: boolean } | undefined> {
  const row = await trx
    .selectFrom('kyb_tokens')
    .select(['application_id', 'expires_at'])
    .where('token_hash', 'in', [...tokenHashes])
    .executeTakeFirst();
  if (row === undefined) return undefined;
  return {
    application: await readKybApplication(trx, 'every', row.application_id),
    expired: row.expires_at <= nowOf(trx),
  };
}

const MOST_APPLICATIONS = 10;

/**
 * Mails a fresh link for every application of an address that is not at its end; their older tokens die
 * (onboarding 8.4). Engine only: applications of all programmes.
 */
export async function requestKybLinks(trx: Trx, emailIndexes: readonly Buffer[]): Promise<void> {
  const rows = await trx
    .selectFrom('kyb_applications')
    .select('application_id')
    .where('email_index', 'in', [...emailIndexes])
    .where('status', 'not in', ['ACCEPTED', 'REJECTED', 'EXPIRED'])
    .orderBy('application_id', 'desc')
    .limit(MOST_APPLICATIONS)
    .execute();
  for (const { application_id: applicationId } of rows) {
    const application = await readKybApplication(trx, 'every', applicationId);
    await trx.deleteFrom('kyb_tokens').where('application_id', '=', applicationId).execute();
    await queueKybMail(trx, application, { applicationId, mail: 'link' });
    await audit(trx, {
      action: 'kyb.link_requested',
      objectType: 'kyb_application',
      objectId: applicationId,
      partnerId: application.partnerId,
    });
  }
}
