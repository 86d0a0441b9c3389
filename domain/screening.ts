/** Comparison of a person with entries of sanction and PEP lists (onboarding 6.7). */
export const SCREENING_LISTS = ['OFAC_SDN', 'UN', 'EU', 'PEP', 'CUSTOM'] as const;
export type ScreeningList = (typeof SCREENING_LISTS)[number];

/** A person's word on a hit: another person of that name, or the very one. */
export const HIT_DECISIONS = ['FALSE_POSITIVE', 'CONFIRMED'] as const;
export type HitDecision = (typeof HIT_DECISIONS)[number];

/** Score from which two names count as the same, unless the programme says otherwise. */
export const SCREENING_THRESHOLD = 0.92;
const YEARS_APART = 1;

export interface ScreeningEntry {
  readonly listCode: ScreeningList;
  readonly entryId: string;
  /** As `normalizeName` makes them. */
  readonly normalizedNames: readonly string[];
  readonly birthYears: readonly number[];
  /** Changes with the entry's content. */
  readonly fingerprint: string;
}

export interface ScreenedPerson {
  readonly firstName: string;
  readonly lastName: string;
  readonly birthYear: number | null;
}

export interface ScreeningMatch {
  readonly listCode: ScreeningList;
  readonly entryId: string;
  /** Jaro-Winkler similarity, 0 to 1. */
  readonly score: number;
  readonly fingerprint: string;
}

/** A list of sanctions, as opposed to one of politically exposed persons. */
export const isSanctionList = (listCode: ScreeningList): boolean => listCode !== 'PEP';

// Onboarding 6.7 names NFKD only, which leaves these letters as they are. Passports write them otherwise (ICAO 9303,
// part 3, section 6), and lists are written from passports: "Lukasz" would never meet "Łukasz", who even sorts behind
// another word. Where ICAO writes OE for Ø we write O, as NFKD does for Ö.
const FOLDED: Readonly<Record<string, string>> = {
  ...{ ł: 'l', ø: 'o', đ: 'd', ð: 'd', ħ: 'h', ŧ: 't', ı: 'i', ȷ: 'j', ŋ: 'n', ĸ: 'q', ə: 'e' },
  ...{ ɓ: 'b', ɗ: 'd', ɖ: 'd', ƙ: 'k', ƴ: 'y', ɨ: 'i', ƚ: 'l', ǥ: 'g' },
  ...{ ß: 'ss', æ: 'ae', œ: 'oe', þ: 'th' },
};
const FOLDED_LETTER = new RegExp(`[${Object.keys(FOLDED).join('')}]`, 'gu');

/** Marks dropped, lower case, letters without decomposition folded, everything but letters to blanks, words sorted. */
export function normalizeName(name: string): string {
  return name
    .normalize('NFKD')
    .replace(/\p{M}/gu, '')
    .toLowerCase()
    .replace(FOLDED_LETTER, (letter) => FOLDED[letter] ?? letter)
    .replace(/[^\p{L}]+/gu, ' ')
    .trim()
    .split(' ')
    .toSorted()
    .join(' ');
}

/** The entries that `person` may be, each with its best score; an entry of another birth year is none of them. */
export function matchesOf(
  person: ScreenedPerson,
  entries: readonly ScreeningEntry[],
  threshold: number = SCREENING_THRESHOLD,
): ScreeningMatch[] {
  const name = normalizeName(`${person.firstName} ${person.lastName}`);
  return nameMatches(
    name,
    entries.filter((entry) => mayBeBornThen(person.birthYear, entry.birthYears)),
    threshold,
  );
}

/** The entries that a company of this name may be, each with its best score. */
export function companyMatchesOf(
  companyName: string,
  entries: readonly ScreeningEntry[],
  threshold: number = SCREENING_THRESHOLD,
): ScreeningMatch[] {
  return nameMatches(normalizeName(companyName), entries, threshold);
}

function nameMatches(name: string, entries: readonly ScreeningEntry[], threshold: number): ScreeningMatch[] {
  const matches: ScreeningMatch[] = [];
  for (const { listCode, entryId, fingerprint, normalizedNames } of entries) {
    let score = 0;
    for (const one of normalizedNames) {
      if (mayReach(name, one, threshold)) score = Math.max(score, jaroWinkler(name, one));
    }
    if (score >= threshold) matches.push({ listCode, entryId, score, fingerprint });
  }
  return matches;
}

function mayBeBornThen(birthYear: number | null, years: readonly number[]): boolean {
  if (birthYear === null || years.length === 0) return true;
  return years.some((year) => Math.abs(year - birthYear) <= YEARS_APART);
}

const PREFIX_WEIGHT = 0.1;
const LONGEST_PREFIX = 4;

/** Jaro-Winkler similarity of two strings: 0 for nothing in common, 1 for equal ones. */
export function jaroWinkler(left: string, right: string): number {
  return withPrefix(jaroSimilarity([...left], [...right]), left, right);
}

/** False only where the lengths and the first letters alone keep the similarity below `threshold`: most pairs. */
function mayReach(left: string, right: string, threshold: number): boolean {
  const shorter = Math.min(left.length, right.length);
  const longer = Math.max(left.length, right.length);
  // Letters of two units are counted once in the similarity, so lengths say nothing there.
  if (shorter === 0 || TWO_UNITS.test(left) || TWO_UNITS.test(right)) return true;
  return withPrefix((2 + shorter / longer) / 3, left, right) >= threshold;
}

const TWO_UNITS = /[\ud800-\udfff]/;

function withPrefix(jaro: number, left: string, right: string): number {
  let prefix = 0;
  while (prefix < LONGEST_PREFIX && prefix < left.length && left[prefix] === right[prefix]) prefix += 1;
  return jaro + prefix * PREFIX_WEIGHT * (1 - jaro);
}

function jaroSimilarity(left: readonly string[], right: readonly string[]): number {
  if (left.length === 0 && right.length === 0) return 1;
  const reach = Math.max(0, Math.floor(Math.max(left.length, right.length) / 2) - 1);
  const taken = new Array<boolean>(right.length).fill(false);
  const commonLeft: string[] = [];
  left.forEach((letter, at) => {
    const from = Math.max(0, at - reach);
    const to = Math.min(right.length - 1, at + reach);
    for (let other = from; other <= to; other += 1) {
      if (taken[other] === true || right[other] !== letter) continue;
      taken[other] = true;
      commonLeft.push(letter);
      return;
    }
  });
  const common = commonLeft.length;
  if (common === 0) return 0;
  const commonRight = right.filter((_letter, at) => taken[at]);
  const transposed = commonLeft.filter((letter, at) => letter !== commonRight[at]).length / 2;
  return (common / left.length + common / right.length + (common - transposed) / common) / 3;
}
