import { sql } from 'kysely';
import { isSanctionList, type ScreeningEntry, type ScreeningMatch } from '../domain/screening.ts';
import { audit } from './audit-log.ts';
import type { Trx } from './atomically.ts';
import type { KybApplication } from './kyb-applications.ts';
import { hitSummary, recordHits } from './screening.ts';

/** Companies of all lists. */
export async function companyEntries(trx: Trx): Promise<ScreeningEntry[]> {
  const rows = await trx.selectFrom('screening_entries').selectAll().where('kind', '=', 'ENTITY').execute();
  return rows.map((row) => ({
    listCode: row.list_code,
    entryId: row.entry_id,
    normalizedNames: row.normalized_names,
    birthYears: row.birth_years,
    fingerprint: row.fingerprint,
  }));
}

/** A company is known by its application until a corporation is made of it. */
export type KybSubject =
  { readonly type: 'CORPORATION' } | { readonly type: 'PERSON'; readonly personId: string };

/** Stores what matched a company or one of its persons; a pair that is known keeps its decision. */
export async function recordKybHits(
  trx: Trx,
  application: KybApplication,
  subject: KybSubject,
  matches: readonly ScreeningMatch[],
): Promise<void> {
  const { applicationId, partnerId } = application;
  const subjectRef = subject.type === 'PERSON' ? subject.personId : applicationId;
  const about = { partnerId, verificationId: null, kybApplicationId: applicationId };
  await recordHits(trx, { type: subject.type, ref: subjectRef }, about, matches);
  await audit(trx, {
    action: 'kyb.screened',
    objectType: 'kyb_application',
    objectId: applicationId,
    partnerId,
    after: { subject: subject.type, subjectRef, matches: matches.length },
  });
}

/** Notes that a person is screened as the form has them; until they change they are not asked about again. */
export async function markScreened(trx: Trx, { round }: KybApplication, personId: string): Promise<void> {
  await trx
    .updateTable('kyb_persons')
    .set({ screened_round: round })
    .where('person_id', '=', personId)
    .execute();
}

export interface KybHits {
  /** Some hit of any list still waits for a person. */
  readonly openHit: boolean;
  readonly sanctionConfirmed: boolean;
  readonly pepConfirmed: boolean;
}

const isSanction = (listCode: string): boolean => isSanctionList(listCode as ScreeningEntry['listCode']);

/** Hits of an application that were not found to be false. */
const hitsOf = (trx: Trx, applicationId: string) =>
  trx
    .selectFrom('screening_hits')
    .select(['list_code', 'state'])
    .where('kyb_application_id', '=', applicationId)
    .where('state', '<>', 'FALSE_POSITIVE')
    // Hits of persons who were taken off the form say nothing any more.
    .where(
      sql<boolean>`(subject_type <> 'PERSON' or subject_ref in
        (select person_id::text from kyb_persons where application_id = ${applicationId}))`,
    )
    .execute();

/** What the hits of an application mean for its acceptance. */
export async function kybHits(trx: Trx, applicationId: string): Promise<KybHits> {
  const hits = await hitsOf(trx, applicationId);
  const confirmed = hits.filter((hit) => hit.state === 'CONFIRMED');
  return {
    openHit: hits.some((hit) => hit.state === 'OPEN'),
    sanctionConfirmed: confirmed.some((hit) => isSanction(hit.list_code)),
    pepConfirmed: confirmed.some((hit) => hit.list_code === 'PEP'),
  };
}

/**
 * True while a sanction hit of a corporation, or of the application it was made of and its persons, was not found to
 * be false.
 */
export async function isCompanySanctioned(trx: Trx, corporationId: string): Promise<boolean> {
  if ((await hitSummary(trx, { type: 'CORPORATION', ref: corporationId })).sanction) return true;
  const { kyb_application_id: applicationId } = await trx
    .selectFrom('corporations')
    .select('kyb_application_id')
    .where('corporation_id', '=', corporationId)
    .executeTakeFirstOrThrow();
  return (
    applicationId !== null && (await hitsOf(trx, applicationId)).some((hit) => isSanction(hit.list_code))
  );
}

/** Adds a flag for the reviewer; one that is there stays. */
export async function flagKyb(trx: Trx, applicationId: string, flag: string): Promise<void> {
  await sql`update kyb_applications set flags = array_append(flags, ${flag})
    where application_id = ${applicationId} and not flags @> array[${flag}]`.execute(trx);
}
