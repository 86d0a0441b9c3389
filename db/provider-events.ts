import type { Trx } from './atomically.ts';
import { startWorkflow } from './outbox.ts';

/** A provider's report that a check has ended (onboarding 9.2); its outcome is not believed, only asked for. */
export interface ProviderEvent {
  readonly providerCode: string;
  readonly eventId: string;
  readonly checkId: string;
  /** The `externalId` we gave the applicant: a verificationId. */
  readonly verificationId: string;
}

/**
 * Stores an event and asks for the signal to its workflow, once an event id. Events that are repeated, of no
 * verification of that provider, or of one already decided have no effect. Engine only.
 */
export async function takeProviderEvent(trx: Trx, event: ProviderEvent): Promise<'TAKEN' | 'IGNORED'> {
  const { verificationId, eventId, checkId, providerCode } = event;
  const verification = await trx
    .selectFrom('verifications')
    .select(['partner_id', 'programme_id', 'check_id', 'status'])
    .where('verification_id', '=', verificationId)
    .where('provider_code', '=', providerCode)
    .executeTakeFirst();
  // The callback may overtake the answer that tells us the check's id: an id we do not know yet is no fault.
  if (verification === undefined || (verification.check_id ?? checkId) !== checkId) return 'IGNORED';
  const inserted = await trx
    .insertInto('provider_events')
    .values({
      provider_code: providerCode,
      event_id: eventId,
      partner_id: verification.partner_id,
      verification_id: verificationId,
    })
    .onConflict((conflict) => conflict.doNothing())
    .executeTakeFirst();
  if (Number(inserted.numInsertedOrUpdatedRows ?? 0) === 0) return 'IGNORED';
  if (verification.status !== 'IN_PROGRESS') return 'IGNORED';
  const owner = { partnerId: verification.partner_id, programmeId: verification.programme_id };
  await startWorkflow(trx, owner, {
    workflow: 'provider-result',
    id: `customer-verification:${verificationId}`,
    input: { verificationId, eventId, checkId },
  });
  return 'TAKEN';
}
