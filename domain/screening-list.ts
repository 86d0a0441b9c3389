import { isCountry } from './country.ts';
import { normalizeName } from './screening.ts';

/** An entry of a list as it is kept: compared by its names and birth years. */
export interface ListedEntry {
  readonly entryId: string;
  readonly kind: 'PERSON' | 'ENTITY';
  readonly normalizedNames: readonly string[];
  readonly birthYears: readonly number[];
}

/** Columns of a list's file, in any order (onboarding 6.7); values inside a column are parted by `|`. */
export const LIST_COLUMNS = ['entryId', 'kind', 'name', 'aliases', 'birthDates', 'countries'] as const;

export interface ListFault {
  /** Line of the file, the header being 1. */
  readonly line: number;
  readonly fault: string;
}

export type ReadList =
  | { readonly entries: readonly ListedEntry[]; readonly faults: readonly [] }
  | { readonly entries: readonly []; readonly faults: readonly ListFault[] };

const MOST_FAULTS = 100;

/**
 * Reads a list from the records of its file, the header first. A list is taken as a whole or not at all: with one
 * fault there are no entries, and up to 100 faults with their lines.
 */
export function readScreeningList(records: readonly (readonly string[])[]): ReadList {
  const [header = [], ...rows] = records;
  const missing = LIST_COLUMNS.filter((column) => !header.includes(column));
  if (missing.length > 0) return refused([{ line: 1, fault: `the header lacks ${missing.join(', ')}` }]);
  const faults: ListFault[] = [];
  const entries = new Map<string, ListedEntry>();
  rows.forEach((row, at) => {
    const line = at + 2;
    const cell = (column: (typeof LIST_COLUMNS)[number]) => (row[header.indexOf(column)] ?? '').trim();
    const read = readEntry(cell);
    if (typeof read === 'string') faults.push({ line, fault: read });
    else if (entries.has(read.entryId)) faults.push({ line, fault: 'entryId stands twice' });
    else entries.set(read.entryId, read);
  });
  if (rows.length === 0) faults.push({ line: 1, fault: 'there is no entry' });
  return faults.length > 0 ? refused(faults) : { entries: [...entries.values()], faults: [] };
}

const refused = (faults: readonly ListFault[]): ReadList => ({
  entries: [],
  faults: faults.slice(0, MOST_FAULTS),
});

function readEntry(cell: (column: (typeof LIST_COLUMNS)[number]) => string): ListedEntry | string {
  const entryId = cell('entryId');
  if (!/^[\x21-\x7e]{1,64}$/.test(entryId)) return 'entryId must be 1 to 64 visible characters';
  const kind = cell('kind').toUpperCase();
  if (kind !== 'PERSON' && kind !== 'ENTITY') return 'kind must be PERSON or ENTITY';
  const names = [cell('name'), ...partsOf(cell('aliases'))].map(normalizeName).filter((one) => one !== '');
  if (normalizeName(cell('name')) === '') return 'name must have letters';
  const dates = partsOf(cell('birthDates'));
  if (dates.some((one) => !/^[0-9]{4}(-[0-9]{2}(-[0-9]{2})?)?$/.test(one))) {
    return 'birthDates must be YYYY, YYYY-MM or YYYY-MM-DD';
  }
  if (partsOf(cell('countries')).some((one) => !isCountry(one.toUpperCase()))) {
    return 'countries must be ISO 3166-1 alpha-2 codes';
  }
  return {
    entryId,
    kind,
    normalizedNames: [...new Set(names)],
    birthYears: [...new Set(dates.map((one) => Number(one.slice(0, 4))))],
  };
}

const partsOf = (cell: string): string[] =>
  cell
    .split('|')
    .map((one) => one.trim())
    .filter((one) => one !== '');
