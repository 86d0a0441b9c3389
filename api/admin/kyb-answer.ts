import type { Trx } from '../../db/atomically.ts';
import { type KybApplication, type KybProgress, kybTextPlace } from '../../db/kyb-applications.ts';
import { personChecks } from '../../db/kyb-person-checks.ts';
import { kybClaimant } from '../../db/kyb-reviews.ts';
import { openPersonal } from '../../vault/personal-data.ts';
import type { Vault } from '../../vault/vault.ts';
import { kybAnswer } from '../kyb/answer.ts';
import { type OperatorPrincipal, programmeOfResource } from '../operator-principal.ts';
import type { kybQueueItemSchema, kybReviewSchema } from '../schemas/kyb-review.ts';
import type { z } from '../schemas/shared.ts';

const companyOf = (trx: Trx, principal: OperatorPrincipal, application: KybApplication) => ({
  issuerCode: programmeOfResource(principal, application.programmeId).issuerCode,
  companyName: application.companyName,
  country: application.country,
  taxId: application.taxId,
  flags: [...application.flags],
  claimedBy: kybClaimant(trx, application),
});

/** An application as the queue shows it. */
export const toKybQueueItem = (
  trx: Trx,
  principal: OperatorPrincipal,
  application: KybApplication,
  progress: KybProgress,
): z.input<typeof kybQueueItemSchema> => ({
  applicationId: application.applicationId,
  status: application.status,
  channel: application.channel,
  round: application.round,
  ...companyOf(trx, principal, application),
  ...progress,
  createdAt: application.createdAt.toISOString(),
  submittedAt: application.submittedAt?.toISOString() ?? null,
  decidedAt: application.decidedAt?.toISOString() ?? null,
});

/** An application as its reviewers see it: what the applicant sees, and what operators have noted. */
export async function kybReviewAnswer(
  trx: Trx,
  vault: Vault,
  principal: OperatorPrincipal,
  application: KybApplication,
): Promise<z.input<typeof kybReviewSchema>> {
  const { applicationId, subjectKey } = application;
  const open = (field: 'reason' | 'note') => {
    const sealed = application[field];
    return sealed === null
      ? null
      : openPersonal<string>(vault, subjectKey, kybTextPlace(applicationId, field), sealed);
  };
  return {
    ...(await kybAnswer(trx, vault, application)),
    ...companyOf(trx, principal, application),
    reason: open('reason'),
    note: open('note'),
    decidedBy: application.decidedBy,
    personChecks: (await personChecks(trx, applicationId)).map((one) => ({
      personId: one.personId,
      round: one.round,
      state: one.state,
      outcome: one.outcome,
      reasons: [...one.reasons],
    })),
  };
}
