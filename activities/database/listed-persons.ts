import type { Kysely } from 'kysely';
import type { Database } from '../../db/database.ts';
import { listedPersons, listVersions } from '../../db/screening.ts';
import { SCREENING_LISTS, type ScreeningEntry, type ScreeningList } from '../../domain/screening.ts';

/** One list as it is compared with. */
interface KeptList {
  /** Null for a list that was never loaded. */
  readonly versionId: string | null;
  readonly entries: readonly ScreeningEntry[];
}

/** The persons of all lists, and a mark that changes with any of them. */
export interface ListedPersons {
  readonly versions: string;
  readonly lists: readonly (readonly ScreeningEntry[])[];
}

type Kept = Map<ScreeningList, { readonly versionId: string; readonly list: Promise<KeptList> }>;

// A connection is what activities of one worker share; their lists go when it goes.
const caches = new WeakMap<Kysely<Database>, Kept>();

/**
 * The persons of all lists as they are now, from memory unless a list was loaded since: a list may have a million
 * entries, and everybody is compared with each.
 */
export async function currentPersons(db: Kysely<Database>): Promise<ListedPersons> {
  const kept: Kept = caches.get(db) ?? new Map();
  caches.set(db, kept);
  const versions = await listVersions(db);
  const lists = await Promise.all(SCREENING_LISTS.map((code) => listOf(db, kept, code, versions.get(code))));
  const read = new Map(SCREENING_LISTS.map((code, at) => [code, lists[at]?.versionId ?? null]));
  return { versions: versionsMark(read), lists: lists.map((one) => one.entries) };
}

/** The mark of these versions, as `ListedPersons` has it. */
export const versionsMark = (versions: ReadonlyMap<ScreeningList, string | null>): string =>
  SCREENING_LISTS.map((code) => versions.get(code) ?? '-').join();

async function listOf(
  db: Kysely<Database>,
  kept: Kept,
  code: ScreeningList,
  versionId: string | undefined,
): Promise<KeptList> {
  if (versionId === undefined) return await listedPersons(db, code);
  const known = kept.get(code);
  if (known?.versionId === versionId) return await known.list;
  // All who ask meanwhile wait for one reading.
  const list = listedPersons(db, code);
  const reading = { versionId, list };
  kept.set(code, reading);
  try {
    return await list;
  } catch (error) {
    if (kept.get(code) === reading) kept.delete(code);
    throw error;
  }
}
