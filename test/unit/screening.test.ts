import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { jaroWinkler, matchesOf, normalizeName, type ScreeningEntry } from '../../domain/screening.ts';

describe('a name', () => {
  it.each([
    ['  José  María O’Neill-Żak ', 'jose maria neill o zak'],
    ['NOWAK, Ada', 'ada nowak'],
    ['Ada Nowak', 'ada nowak'],
    ['ﬁsher', 'fisher'],
    ['1234', ''],
    ['Łukasz Nowak', 'lukasz nowak'],
    ['Søren Ǿrsted', 'orsted soren'],
    ['Đorđe Ðe', 'de dorde'],
    ['Strauß STRAUẞ', 'strauss strauss'],
    ['Æsir Œuvre Þór', 'aesir oeuvre thor'],
    ['Işıl IŞIL İnan', 'inan isil isil'],
    ['Ħal Ŧor Ŋor Əli', 'eli hal nor tor'],
  ])('%j is compared as %j', (name, normalized) => {
    expect(normalizeName(name)).toBe(normalized);
  });
});

describe('Jaro-Winkler similarity', () => {
  it.each([
    ['martha', 'marhta', 0.961],
    ['dixon', 'dicksonx', 0.813],
    ['dwayne', 'duane', 0.84],
    ['same', 'same', 1],
    ['abc', 'xyz', 0],
    ['', '', 1],
    ['', 'a', 0],
  ])('of %j and %j is %d', (left, right, score) => {
    expect(jaroWinkler(left, right)).toBeCloseTo(score, 3);
    expect(jaroWinkler(right, left)).toBeCloseTo(score, 3);
  });
});

describe('letters that no decomposition takes apart', () => {
  it.each([
    ['Łukasz Nowakowski', 'Lukasz Nowakowski'],
    ['Łukasz Nowak', 'Lukasz Nowak'],
    ['Jørgen Þórsson', 'Jorgen Thorsson'],
  ])('%j and %j are one name', (left, right) => {
    expect(jaroWinkler(normalizeName(left), normalizeName(right))).toBe(1);
  });
});

describe('matches', () => {
  const entry: ScreeningEntry = {
    listCode: 'EU',
    entryId: 'e-1',
    normalizedNames: ['boris example', 'b example'],
    birthYears: [1970],
    fingerprint: 'f-1',
  };
  const person = { firstName: 'Boris', lastName: 'Example', birthYear: 1970 };

  it('are found by name or alias with their best score', () => {
    expect(matchesOf(person, [entry])).toEqual([
      { listCode: 'EU', entryId: 'e-1', score: 1, fingerprint: 'f-1' },
    ]);
  });

  it('are none below the threshold', () => {
    expect(matchesOf({ ...person, firstName: 'Anna', lastName: 'Kowalska' }, [entry])).toEqual([]);
  });

  it.each([
    [1969, 1],
    [1971, 1],
    [1972, 0],
    [null, 1],
  ])('with a birth year of %s: %i', (birthYear, count) => {
    expect(matchesOf({ ...person, birthYear }, [entry])).toHaveLength(count);
  });

  it('leave out no pair that reaches the threshold, whatever the lengths', () => {
    const name = fc.string({ unit: fc.constantFrom('a', 'b', 'c', '𐐨'), minLength: 1, maxLength: 12 });
    fc.assert(
      fc.property(name, name, fc.constantFrom(0.5, 0.8, 0.92, 1), (left, right, threshold) => {
        const listed = { ...entry, normalizedNames: [normalizeName(right)], birthYears: [] };
        const score = jaroWinkler(normalizeName(left), normalizeName(right));
        const found = matchesOf({ firstName: left, lastName: '', birthYear: null }, [listed], threshold);
        expect(found.map((one) => one.score)).toEqual(score >= threshold ? [score] : []);
      }),
      { numRuns: 2_000 },
    );
  });

  it('do not need a birth year in the list', () => {
    expect(matchesOf({ ...person, birthYear: 1990 }, [{ ...entry, birthYears: [] }])).toHaveLength(1);
  });
});
