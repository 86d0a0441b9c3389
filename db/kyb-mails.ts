import type { KybMailFacts } from '../domain/kyb-mail.ts';
import { nowOf, type Trx } from './atomically.ts';
import type { KybApplication } from './kyb-applications.ts';
import { queueMail } from './messages.ts';
import { programmeName } from './partners.ts';

/**
 * Asks the relay to mail the applicant once the transaction has committed. The row names the application and
 * nothing personal; address, text and link are made when it goes out. With `key` it is asked for once.
 */
export async function queueKybMail(
  trx: Trx,
  application: KybApplication,
  facts: KybMailFacts,
  key?: string,
): Promise<void> {
  const { applicationId, partnerId, programmeId } = application;
  if (key !== undefined) {
    const asked = await trx
      .insertInto('kyb_mails')
      .values({
        mail_key: `${applicationId}:mail:${key}`,
        application_id: applicationId,
        partner_id: partnerId,
        created_at: nowOf(trx),
      })
      .onConflict((conflict) => conflict.doNothing())
      .executeTakeFirst();
    if (Number(asked.numInsertedOrUpdatedRows ?? 0) === 0) return;
  }
  await trx
    .insertInto('outbox')
    .values({
      partner_id: partnerId,
      programme_id: programmeId,
      destination: 'message',
      kind: 'kyb',
      subject_id: applicationId,
      order_key: `kyb:${applicationId}`,
      data: JSON.stringify({ to: '', facts }),
    })
    .execute();
}

/**
 * Tells those who review companies that an application waits (onboarding 8.5): Admins and Managers of the partner
 * and of the platform. Engine only.
 */
export async function remindKybReviewers(trx: Trx, application: KybApplication): Promise<void> {
  const { applicationId, partnerId, programmeId, status } = application;
  const reviewers = await trx
    .selectFrom('operators')
    .select('email')
    .where('state', '=', 'ACTIVE')
    .where('role', 'in', ['Admin', 'Manager'])
    .where((where) => where.or([where('partner_id', '=', partnerId), where('scope', '=', 'PLATFORM')]))
    .orderBy('email')
    .execute();
  if (reviewers.length === 0) return;
  await queueMail(trx, application, {
    template: 'kybWaiting',
    facts: { programme: await programmeName(trx, programmeId), applicationId, status },
    subjectId: applicationId,
    addresses: reviewers.map((one) => one.email),
  });
}
