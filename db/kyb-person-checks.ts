import type { Selectable } from 'kysely';
import type { PictureKind, ProviderOutcome } from '../domain/verification.ts';
import { audit } from './audit-log.ts';
import { nowOf, type Trx } from './atomically.ts';
import type { KybApplication } from './kyb-applications.ts';
import { type KybDocument, kybDocuments } from './kyb-documents.ts';
import { kybPersons } from './kyb-form.ts';
import { flagKyb } from './kyb-screening.ts';
import type { KybPersonChecksTable } from './database.ts';

/** Names one check of a person: `person-verification:{personId}:{round}`. */
export interface PersonCheckKey {
  readonly personId: string;
  readonly round: number;
}

/** What the provider found about a person of a company (onboarding 8.5); shown, it never decides. */
export interface PersonCheck extends PersonCheckKey {
  readonly applicationId: string;
  readonly providerCode: string | null;
  readonly applicantId: string | null;
  readonly checkId: string | null;
  /** `MISSING`: the provider refused, was away or stayed silent. */
  readonly state: 'RUNNING' | 'COMPLETED' | 'MISSING';
  readonly outcome: ProviderOutcome | null;
  readonly reasons: readonly string[];
}

const KIND_OF: Readonly<Partial<Record<KybDocument['type'], PictureKind>>> = {
  PERSON_SELFIE: 'FACE',
  PERSON_DOCUMENT_FRONT: 'FRONT',
  PERSON_DOCUMENT_BACK: 'BACK',
};

/** Pictures of a person, the newest of each kind; FACE, FRONT and BACK in this order. */
export async function personPictures(
  trx: Trx,
  applicationId: string,
  personId: string,
): Promise<{ readonly kind: PictureKind; readonly document: KybDocument }[]> {
  const documents = (await kybDocuments(trx, applicationId)).filter((one) => one.personId === personId);
  return (['PERSON_SELFIE', 'PERSON_DOCUMENT_FRONT', 'PERSON_DOCUMENT_BACK'] as const).flatMap((type) => {
    const document = documents.findLast((one) => one.type === type);
    const kind = KIND_OF[type];
    return document === undefined || kind === undefined ? [] : [{ kind, document }];
  });
}

/** A person to be checked by the provider, with the kinds of pictures that there are. */
export interface PersonToCheck {
  readonly personId: string;
  readonly pictures: readonly PictureKind[];
}

/**
 * Persons the provider is to look at in this round, in a programme with `kycMode` AUTOMATIC: those who, or whose
 * pictures, changed since they were last looked at. Asked before they are screened.
 */
export async function personsToCheck(trx: Trx, application: KybApplication): Promise<PersonToCheck[]> {
  const { applicationId, programmeId, round } = application;
  const programme = await trx
    .selectFrom('programmes')
    .select('kyc_mode')
    .where('programme_id', '=', programmeId)
    .executeTakeFirstOrThrow();
  if (programme.kyc_mode !== 'AUTOMATIC') return [];
  const checks = await personChecks(trx, applicationId);
  const wanted: PersonToCheck[] = [];
  for (const { personId, screenedRound } of await kybPersons(trx, applicationId)) {
    const last = checks.filter((one) => one.personId === personId && one.round < round).at(-1);
    const pictures = await personPictures(trx, applicationId, personId);
    const isKnown =
      screenedRound !== null &&
      last?.state === 'COMPLETED' &&
      pictures.every(({ document }) => document.createdAt <= last.createdAt);
    if (!isKnown) wanted.push({ personId, pictures: pictures.map((one) => one.kind) });
  }
  return wanted;
}

/** Begins a check; begun again it is as it was. A person who was taken off the form meanwhile has none. */
export async function beginPersonCheck(
  trx: Trx,
  { applicationId, partnerId, programmeId }: KybApplication,
  { personId, round }: PersonCheckKey,
): Promise<boolean> {
  const person = await trx
    .selectFrom('kyb_persons')
    .select('person_id')
    .where('person_id', '=', personId)
    .where('application_id', '=', applicationId)
    .forKeyShare()
    .executeTakeFirst();
  if (person === undefined) return false;
  const { kyc_provider: provider } = await trx
    .selectFrom('programmes')
    .select('kyc_provider')
    .where('programme_id', '=', programmeId)
    .executeTakeFirstOrThrow();
  await trx
    .insertInto('kyb_person_checks')
    .values({
      person_id: personId,
      round,
      application_id: applicationId,
      partner_id: partnerId,
      provider_code: provider,
      applicant_id: null,
      check_id: null,
      outcome: null,
      created_at: nowOf(trx),
      ended_at: null,
    })
    .onConflict((conflict) => conflict.doNothing())
    .execute();
  return true;
}

/** One check, or undefined when the person was taken off the form. */
export async function findPersonCheck(
  trx: Trx,
  { personId, round }: PersonCheckKey,
): Promise<PersonCheck | undefined> {
  const row = await trx
    .selectFrom('kyb_person_checks')
    .selectAll()
    .where('person_id', '=', personId)
    .where('round', '=', round)
    .executeTakeFirst();
  return row === undefined ? undefined : toCheck(row);
}

/** Every check of an application, those of a person in the order of rounds. */
export async function personChecks(
  trx: Trx,
  applicationId: string,
): Promise<(PersonCheck & { readonly createdAt: Date })[]> {
  const rows = await trx
    .selectFrom('kyb_person_checks')
    .selectAll()
    .where('application_id', '=', applicationId)
    .orderBy('person_id')
    .orderBy('round')
    .execute();
  return rows.map((row) => ({ ...toCheck(row), createdAt: row.created_at }));
}

/** Keeps the provider's ids with a check. */
export async function notePersonCheck(
  trx: Trx,
  { personId, round }: PersonCheckKey,
  ids: { readonly applicantId?: string; readonly checkId?: string },
): Promise<void> {
  await trx
    .updateTable('kyb_person_checks')
    .set({
      ...(ids.applicantId === undefined ? {} : { applicant_id: ids.applicantId }),
      ...(ids.checkId === undefined ? {} : { check_id: ids.checkId }),
    })
    .where('person_id', '=', personId)
    .where('round', '=', round)
    .execute();
}

/** Ends a running check with what the provider found, null = nothing in time; the reviewer is shown a flag. */
export async function endPersonCheck(
  trx: Trx,
  key: PersonCheckKey,
  found: { readonly outcome: ProviderOutcome; readonly reasons: readonly string[] } | null,
): Promise<void> {
  const { personId, round } = key;
  const ended = await trx
    .updateTable('kyb_person_checks')
    .set({
      state: found === null ? 'MISSING' : 'COMPLETED',
      outcome: found?.outcome ?? null,
      reasons: [...(found?.reasons ?? [])],
      ended_at: nowOf(trx),
    })
    .where('person_id', '=', personId)
    .where('round', '=', round)
    .where('state', '=', 'RUNNING')
    .returning(['application_id', 'partner_id'])
    .executeTakeFirst();
  if (ended === undefined) return;
  const { application_id: applicationId, partner_id: partnerId } = ended;
  const outcome = found?.outcome ?? null;
  await flagCheck(trx, applicationId, outcome);
  await audit(trx, {
    action: 'kyb.person_checked',
    objectType: 'kyb_application',
    objectId: applicationId,
    partnerId,
    after: { personId, round, outcome: outcome ?? 'MISSING' },
  });
}

/** Flags an application by the newest check of each of its persons; one that still runs has brought nothing in time. */
export async function flagPersonChecks(trx: Trx, applicationId: string): Promise<void> {
  const newest = new Map((await personChecks(trx, applicationId)).map((one) => [one.personId, one]));
  for (const { outcome } of newest.values()) await flagCheck(trx, applicationId, outcome);
}

/** What a reviewer is told of a person the provider did not simply approve. */
async function flagCheck(trx: Trx, applicationId: string, outcome: ProviderOutcome | null): Promise<void> {
  switch (outcome) {
    case 'APPROVED':
      return;
    case 'REJECTED':
      return await flagKyb(trx, applicationId, 'PERSON_CHECK_REJECTED');
    case 'REVIEW':
      return await flagKyb(trx, applicationId, 'PERSON_CHECK_REVIEW');
    case null:
      return await flagKyb(trx, applicationId, 'PERSON_CHECK_MISSING');
  }
}

const toCheck = (row: Selectable<KybPersonChecksTable>): PersonCheck => ({
  personId: row.person_id,
  round: row.round,
  applicationId: row.application_id,
  providerCode: row.provider_code,
  applicantId: row.applicant_id,
  checkId: row.check_id,
  state: row.state,
  outcome: row.outcome,
  reasons: row.reasons,
});
