import type { KybMailFacts } from '../domain/kyb-mail.ts';
import { nowOf, type Trx } from './atomically.ts';
import type { KybApplication } from './kyb-applications.ts';

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
