import { createHash } from 'node:crypto';
import type { Kysely } from 'kysely';
import type { ListedEntry } from '../domain/screening-list.ts';
import type { ScreeningList } from '../domain/screening.ts';
import { audit } from './audit-log.ts';
import { callerOf, newId, nowOf, type Trx } from './atomically.ts';
import type { Database } from './database.ts';
import { startWorkflow } from './outbox.ts';

/** A list as it stands. */
export interface LoadedList {
  readonly list: ScreeningList;
  readonly listVersionId: string;
  readonly entries: number;
  readonly loadedBy: string;
  readonly loadedAt: Date;
}

const ROWS_A_STATEMENT = 1_000;

/**
 * Puts a new version of a list in the place of the old one as a whole, and asks for a rescreening of everybody
 * (onboarding 6.7). Hits on entries that are gone keep their decision. Engine only.
 */
export async function replaceScreeningList(
  trx: Trx,
  list: ScreeningList,
  entries: readonly ListedEntry[],
): Promise<LoadedList> {
  const loaded: LoadedList = {
    list,
    listVersionId: newId(trx),
    entries: entries.length,
    loadedBy: callerOf(trx).actor.id,
    loadedAt: nowOf(trx),
  };
  const columns = {
    list_version_id: loaded.listVersionId,
    entries: loaded.entries,
    loaded_by: loaded.loadedBy,
    loaded_at: loaded.loadedAt,
  };
  // The row of the list is held first: two uploads of one list come one after the other.
  await trx
    .insertInto('screening_lists')
    .values({ list_code: list, ...columns })
    .onConflict((conflict) => conflict.column('list_code').doUpdateSet(columns))
    .execute();
  await trx.deleteFrom('screening_entries').where('list_code', '=', list).execute();
  for (let at = 0; at < entries.length; at += ROWS_A_STATEMENT) {
    const rows = entries.slice(at, at + ROWS_A_STATEMENT).map((entry) => ({
      list_code: list,
      entry_id: entry.entryId,
      kind: entry.kind,
      normalized_names: [...entry.normalizedNames],
      birth_years: [...entry.birthYears],
      fingerprint: fingerprintOf(entry),
    }));
    await trx.insertInto('screening_entries').values(rows).execute();
  }
  await audit(trx, {
    action: 'screening.list_loaded',
    objectType: 'screening_list',
    objectId: list,
    after: { listVersionId: loaded.listVersionId, entries: loaded.entries },
  });
  const { listVersionId } = loaded;
  await startWorkflow(trx, null, {
    workflow: 'rescreening',
    id: `rescreening:${listVersionId}`,
    input: { listVersionId },
  });
  return loaded;
}

/** The lists that have been loaded, by code. Engine only. */
export async function screeningLists(trx: Trx): Promise<LoadedList[]> {
  const rows = await trx.selectFrom('screening_lists').selectAll().orderBy('list_code').execute();
  return rows.map((row) => ({
    list: row.list_code,
    listVersionId: row.list_version_id,
    entries: row.entries,
    loadedBy: row.loaded_by,
    loadedAt: row.loaded_at,
  }));
}

/** Ids of the next customers to be screened, in the order of ids. Engine only. */
export async function customersToScreen(
  engine: Kysely<Database>,
  after: number,
  limit: number,
): Promise<number[]> {
  const rows = await engine
    .selectFrom('customers')
    .select('customer_id')
    .where('customer_id', '>', after)
    .where('state', '<>', 'DELETED')
    .orderBy('customer_id')
    .limit(limit)
    .execute();
  return rows.map((row) => row.customer_id);
}

/** Ids of the next applications under review to be screened, in the order of ids. Engine only. */
export async function applicationsToScreen(
  engine: Kysely<Database>,
  after: string | null,
  limit: number,
): Promise<string[]> {
  let query = engine
    .selectFrom('kyb_applications')
    .select('application_id')
    .where('status', 'in', ['SUBMITTED', 'IN_REVIEW', 'NEEDS_CORRECTION', 'ON_HOLD'])
    .orderBy('application_id')
    .limit(limit);
  if (after !== null) query = query.where('application_id', '>', after);
  return (await query.execute()).map((row) => row.application_id);
}

/** Ids of the next corporations to be screened, in the order of ids. Engine only. */
export async function corporationsToScreen(
  engine: Kysely<Database>,
  after: string | null,
  limit: number,
): Promise<string[]> {
  let query = engine
    .selectFrom('corporations')
    .select('corporation_id')
    .where('state', '<>', 'DELETED')
    .orderBy('corporation_id')
    .limit(limit);
  if (after !== null) query = query.where('corporation_id', '>', after);
  return (await query.execute()).map((row) => row.corporation_id);
}

const fingerprintOf = (entry: ListedEntry): string =>
  createHash('sha256')
    .update(JSON.stringify([entry.kind, entry.normalizedNames, entry.birthYears]))
    .digest('hex')
    .slice(0, 32);
