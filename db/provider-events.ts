import type { Trx } from './atomically.ts';
import { startWorkflow } from './outbox.ts';

/** A provider's report that a check has ended (onboarding 9.2); its outcome is not believed, only asked for. */
export interface ProviderEvent {
  readonly providerCode: string;
  readonly eventId: string;
  readonly checkId: string;
  /** The `externalId` we gave the applicant: a verificationId, or a personId of a company's application. */
  readonly externalId: string;
}

/** The check that an event is about, and the workflow that waits for it; null = nobody waits any more. */
interface Awaited {
  readonly partnerId: number;
  readonly programmeId: number;
  /** Null until the provider's answer has told it. */
  readonly checkId: string | null;
  readonly workflowId: string | null;
}

/**
 * Stores an event and asks for the signal to its workflow, once an event id. Events that are repeated, of nobody
 * that this provider was asked about, or of a case that has ended have no effect. Engine only.
 */
export async function takeProviderEvent(trx: Trx, event: ProviderEvent): Promise<'TAKEN' | 'IGNORED'> {
  const { externalId, eventId, checkId, providerCode } = event;
  const awaited = (await verificationOf(trx, event)) ?? (await personOf(trx, event));
  // The callback may overtake the answer that tells us the check's id: an id we do not know yet is no fault.
  if (awaited === undefined || (awaited.checkId ?? checkId) !== checkId) return 'IGNORED';
  const inserted = await trx
    .insertInto('provider_events')
    .values({
      provider_code: providerCode,
      event_id: eventId,
      partner_id: awaited.partnerId,
      verification_id: externalId,
    })
    .onConflict((conflict) => conflict.doNothing())
    .executeTakeFirst();
  if (Number(inserted.numInsertedOrUpdatedRows ?? 0) === 0) return 'IGNORED';
  if (awaited.workflowId === null) return 'IGNORED';
  await startWorkflow(trx, awaited, {
    workflow: 'provider-result',
    id: awaited.workflowId,
    input: { externalId, eventId, checkId },
  });
  return 'TAKEN';
}

async function verificationOf(trx: Trx, event: ProviderEvent): Promise<Awaited | undefined> {
  const row = await trx
    .selectFrom('verifications')
    .select(['partner_id', 'programme_id', 'check_id', 'status'])
    .where('verification_id', '=', event.externalId)
    .where('provider_code', '=', event.providerCode)
    .executeTakeFirst();
  if (row === undefined) return undefined;
  return {
    partnerId: row.partner_id,
    programmeId: row.programme_id,
    checkId: row.check_id,
    workflowId: row.status === 'IN_PROGRESS' ? `customer-verification:${event.externalId}` : null,
  };
}

/** The newest check of a person of a company: an older one is not waited for any more. */
async function personOf(trx: Trx, event: ProviderEvent): Promise<Awaited | undefined> {
  const row = await trx
    .selectFrom('kyb_person_checks')
    .innerJoin('kyb_applications', 'kyb_applications.application_id', 'kyb_person_checks.application_id')
    .select(['kyb_applications.partner_id', 'programme_id', 'check_id', 'state', 'kyb_person_checks.round'])
    .where('person_id', '=', event.externalId)
    .where('provider_code', '=', event.providerCode)
    .orderBy('kyb_person_checks.round', 'desc')
    .executeTakeFirst();
  if (row === undefined) return undefined;
  return {
    partnerId: row.partner_id,
    programmeId: row.programme_id,
    checkId: row.check_id,
    workflowId: row.state === 'RUNNING' ? `person-verification:${event.externalId}:${row.round}` : null,
  };
}
