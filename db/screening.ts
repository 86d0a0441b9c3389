import { type Kysely, type Selectable, sql } from 'kysely';
import {
  isSanctionList,
  type ScreeningEntry,
  type ScreeningList,
  type ScreeningMatch,
} from '../domain/screening.ts';
import { newId, type Trx } from './atomically.ts';
import type { Database, ScreeningEntriesTable } from './database.ts';

/** Entries of all lists that may be a person born in `birthYear`; names are compared by the rule in domain. */
export async function screeningEntriesFor(trx: Trx, birthYear: number): Promise<ScreeningEntry[]> {
  const years = [birthYear - 1, birthYear, birthYear + 1];
  const rows = await trx
    .selectFrom('screening_entries')
    .selectAll()
    .where('kind', '=', 'PERSON')
    .where(sql<boolean>`(birth_years = '{}' or birth_years && ${years}::smallint[])`)
    .execute();
  return rows.map(toEntry);
}

const toEntry = (row: Selectable<ScreeningEntriesTable>): ScreeningEntry => ({
  listCode: row.list_code,
  entryId: row.entry_id,
  normalizedNames: row.normalized_names,
  birthYears: row.birth_years,
  fingerprint: row.fingerprint,
});

/** The version of each list that has been loaded. Engine only. */
export async function listVersions(engine: Kysely<Database>): Promise<Map<ScreeningList, string>> {
  const rows = await engine.selectFrom('screening_lists').select(['list_code', 'list_version_id']).execute();
  return new Map(rows.map((row) => [row.list_code, row.list_version_id]));
}

// A statement may take ten seconds; so many rows take a fraction of one.
const ENTRIES_A_STATEMENT = 20_000;

/** All persons of a list, of the one version that they are of; null when it was never loaded. Engine only. */
export async function listedPersons(
  engine: Kysely<Database>,
  list: ScreeningList,
): Promise<{ readonly versionId: string | null; readonly entries: ScreeningEntry[] }> {
  // One snapshot for all statements; it holds no row, so a new version may come meanwhile.
  return await engine
    .transaction()
    .setIsolationLevel('repeatable read')
    .setAccessMode('read only')
    .execute(async (trx) => {
      const versionId = (await listVersions(trx)).get(list) ?? null;
      const entries: ScreeningEntry[] = [];
      for (;;) {
        const rows = await trx
          .selectFrom('screening_entries')
          .selectAll()
          .where('list_code', '=', list)
          .where('entry_id', '>', entries.at(-1)?.entryId ?? '')
          .where('kind', '=', 'PERSON')
          .orderBy('entry_id')
          .limit(ENTRIES_A_STATEMENT)
          .execute();
        entries.push(...rows.map(toEntry));
        if (rows.length < ENTRIES_A_STATEMENT) return { versionId, entries };
      }
    });
}

/** Score from which names count as the same in a programme. */
export async function screeningThresholdOf(trx: Trx, programmeId: number): Promise<number> {
  const { screening_threshold: threshold } = await trx
    .selectFrom('programmes')
    .select('screening_threshold')
    .where('programme_id', '=', programmeId)
    .executeTakeFirstOrThrow();
  return threshold;
}

/** Whom a hit is about: a customer, a person of a company's application, or a corporation. */
export interface ScreenedSubject {
  readonly type: 'CUSTOMER' | 'PERSON' | 'CORPORATION';
  /** Id as text. */
  readonly ref: string;
}

/** A customer as the subject of hits. */
export const customerSubject = (customerId: number): ScreenedSubject => ({
  type: 'CUSTOMER',
  ref: String(customerId),
});

/**
 * Stores what matched. A pair of subject and entry that is known already keeps its decision, until the entry's
 * content has changed: then one that was found false is open again. Answers how many hits are new or open again.
 */
export async function recordHits(
  trx: Trx,
  subject: ScreenedSubject,
  about: {
    readonly partnerId: number;
    readonly verificationId: string | null;
    /** The company's application that is being screened. */
    readonly kybApplicationId?: string;
  },
  matches: readonly ScreeningMatch[],
): Promise<number> {
  if (matches.length === 0) return 0;
  const opened = await trx
    .insertInto('screening_hits')
    .values(
      matches.map((match) => ({
        hit_id: newId(trx),
        partner_id: about.partnerId,
        subject_type: subject.type,
        subject_ref: subject.ref,
        verification_id: about.verificationId,
        kyb_application_id: about.kybApplicationId ?? null,
        list_code: match.listCode,
        entry_id: match.entryId,
        score: match.score,
        entry_fingerprint: match.fingerprint,
      })),
    )
    .onConflict((conflict) =>
      conflict
        .columns(['subject_type', 'subject_ref', 'list_code', 'entry_id'])
        .doUpdateSet((set) => ({
          state: 'OPEN',
          score: set.ref('excluded.score'),
          entry_fingerprint: set.ref('excluded.entry_fingerprint'),
          verification_id: set.ref('excluded.verification_id'),
          note: null,
          decided_by: null,
          decided_at: null,
        }))
        .where('screening_hits.state', '=', 'FALSE_POSITIVE')
        .whereRef('screening_hits.entry_fingerprint', '<>', 'excluded.entry_fingerprint'),
    )
    .returning('hit_id')
    .execute();
  return opened.length;
}

/** What the hits of a subject mean for a verification or a lock. */
export interface HitSummary {
  /** Some hit of any list still waits for a person. */
  readonly open: boolean;
  /** A sanction list's hit that is open or confirmed. */
  readonly sanction: boolean;
  readonly sanctionConfirmed: boolean;
  readonly pepConfirmed: boolean;
}

/** Hits of a subject that were not found to be false. */
export async function hitSummary(trx: Trx, subject: ScreenedSubject): Promise<HitSummary> {
  const hits = await trx
    .selectFrom('screening_hits')
    .select(['list_code', 'state'])
    .where('subject_type', '=', subject.type)
    .where('subject_ref', '=', subject.ref)
    .where('state', '<>', 'FALSE_POSITIVE')
    .execute();
  const sanctions = hits.filter((hit) => isSanctionList(hit.list_code as ScreeningList));
  return {
    open: hits.some((hit) => hit.state === 'OPEN'),
    sanction: sanctions.length > 0,
    sanctionConfirmed: sanctions.some((hit) => hit.state === 'CONFIRMED'),
    pepConfirmed: hits.some((hit) => hit.list_code === 'PEP' && hit.state === 'CONFIRMED'),
  };
}
