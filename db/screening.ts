import { sql } from 'kysely';
import {
  isSanctionList,
  type ScreeningEntry,
  type ScreeningList,
  type ScreeningMatch,
} from '../domain/screening.ts';
import { newId, type Trx } from './atomically.ts';

/** Entries of all lists that may be a person born in `birthYear`; names are compared by the rule in domain. */
export async function screeningEntriesFor(trx: Trx, birthYear: number): Promise<ScreeningEntry[]> {
  const years = [birthYear - 1, birthYear, birthYear + 1];
  const rows = await trx
    .selectFrom('screening_entries')
    .selectAll()
    .where('kind', '=', 'PERSON')
    .where(sql<boolean>`(birth_years = '{}' or birth_years && ${years}::smallint[])`)
    .execute();
  return rows.map((row) => ({
    listCode: row.list_code,
    entryId: row.entry_id,
    normalizedNames: row.normalized_names,
    birthYears: row.birth_years,
  }));
}

interface ScreenedCustomer {
  readonly customerId: number;
  readonly partnerId: number;
  readonly verificationId: string | null;
}

/** Stores what matched; a pair of customer and entry that is known already keeps its decision. */
export async function recordHits(
  trx: Trx,
  customer: ScreenedCustomer,
  matches: readonly ScreeningMatch[],
): Promise<void> {
  if (matches.length === 0) return;
  await trx
    .insertInto('screening_hits')
    .values(
      matches.map((match) => ({
        hit_id: newId(trx),
        partner_id: customer.partnerId,
        subject_type: 'CUSTOMER' as const,
        subject_ref: String(customer.customerId),
        verification_id: customer.verificationId,
        list_code: match.listCode,
        entry_id: match.entryId,
        score: match.score,
      })),
    )
    .onConflict((conflict) => conflict.doNothing())
    .execute();
}

/** What the hits of a customer mean for a verification or a lock. */
export interface HitSummary {
  /** Some hit of any list still waits for a person. */
  readonly open: boolean;
  /** A sanction list's hit that is open or confirmed. */
  readonly sanction: boolean;
  readonly sanctionConfirmed: boolean;
  readonly pepConfirmed: boolean;
}

/** Hits of a customer that were not found to be false. */
export async function hitSummary(trx: Trx, customerId: number): Promise<HitSummary> {
  const hits = await trx
    .selectFrom('screening_hits')
    .select(['list_code', 'state'])
    .where('subject_type', '=', 'CUSTOMER')
    .where('subject_ref', '=', String(customerId))
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
