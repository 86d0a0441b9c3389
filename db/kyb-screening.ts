import { sql } from 'kysely';
import { isSanctionList, type ScreeningEntry, type ScreeningMatch } from '../domain/screening.ts';
import { audit } from './audit-log.ts';
import { newId, type Trx } from './atomically.ts';
import type { KybApplication } from './kyb-applications.ts';

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
  const { applicationId, partnerId, round } = application;
  const subjectRef = subject.type === 'PERSON' ? subject.personId : applicationId;
  if (matches.length > 0) {
    await trx
      .insertInto('screening_hits')
      .values(
        matches.map((match) => ({
          hit_id: newId(trx),
          partner_id: partnerId,
          subject_type: subject.type,
          subject_ref: subjectRef,
          verification_id: null,
          kyb_application_id: applicationId,
          list_code: match.listCode,
          entry_id: match.entryId,
          score: match.score,
          entry_fingerprint: match.fingerprint,
        })),
      )
      .onConflict((conflict) => conflict.doNothing())
      .execute();
  }
  if (subject.type === 'PERSON') {
    await trx
      .updateTable('kyb_persons')
      .set({ screened_round: round })
      .where('person_id', '=', subject.personId)
      .execute();
  }
  await audit(trx, {
    action: 'kyb.screened',
    objectType: 'kyb_application',
    objectId: applicationId,
    partnerId,
    after: { subject: subject.type, subjectRef, matches: matches.length },
  });
}

export interface KybHits {
  /** Some hit of any list still waits for a person. */
  readonly openHit: boolean;
  readonly sanctionConfirmed: boolean;
  readonly pepConfirmed: boolean;
}

/** What the hits of an application mean for its acceptance. */
export async function kybHits(trx: Trx, applicationId: string): Promise<KybHits> {
  const hits = await trx
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
  const confirmed = hits.filter((hit) => hit.state === 'CONFIRMED');
  return {
    openHit: hits.some((hit) => hit.state === 'OPEN'),
    sanctionConfirmed: confirmed.some((hit) => isSanctionList(hit.list_code as ScreeningEntry['listCode'])),
    pepConfirmed: confirmed.some((hit) => hit.list_code === 'PEP'),
  };
}

/** Adds a flag for the reviewer; one that is there stays. */
export async function flagKyb(trx: Trx, applicationId: string, flag: string): Promise<void> {
  await sql`update kyb_applications set flags = array_append(flags, ${flag})
    where application_id = ${applicationId} and not flags @> array[${flag}]`.execute(trx);
}
