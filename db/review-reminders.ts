import type { Trx } from './atomically.ts';
import { queueMail } from './messages.ts';
import type { Verification } from './verifications.ts';

/**
 * Mails those who may decide on a case that still waits for them (onboarding 6.2, step 4): active operators of the
 * roles that the programme's `kycReviewRoles` lists, of the platform or of this partner. Answers how many.
 */
export async function remindReviewers(trx: Trx, verification: Verification): Promise<number> {
  const { verificationId, partnerId, programmeId } = verification;
  if (verification.status !== 'IN_PROGRESS' || verification.stage !== 'REVIEW') return 0;
  const programme = await trx
    .selectFrom('programmes')
    .select(['name', 'kyc_review_roles'])
    .where('programme_id', '=', programmeId)
    .executeTakeFirstOrThrow();
  const reviewers = await trx
    .selectFrom('operators')
    .select('email')
    .where('state', '=', 'ACTIVE')
    .where('role', 'in', programme.kyc_review_roles)
    .where((is) => is.or([is('scope', '=', 'PLATFORM'), is('partner_id', '=', partnerId)]))
    .orderBy('email')
    .execute();
  if (reviewers.length === 0) return 0;
  await queueMail(
    trx,
    { partnerId, programmeId },
    {
      template: 'verificationWaits',
      facts: {
        programme: programme.name,
        verificationId,
        since: verification.createdAt.toISOString(),
      },
      subjectId: verificationId,
      addresses: reviewers.map((one) => one.email),
    },
  );
  return reviewers.length;
}
