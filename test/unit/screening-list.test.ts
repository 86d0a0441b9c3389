import { describe, expect, it } from 'vitest';
import { readScreeningList } from '../../domain/screening-list.ts';

const HEADER = ['entryId', 'kind', 'name', 'aliases', 'birthDates', 'countries'];
const ROW = ['e-1', 'person', 'José Example', 'Joe Example|J. Example', '1970-05-01|1971', 'pl|DE'];

describe('a screening list', () => {
  it('is read by its header, in any order of columns', () => {
    const order = [5, 2, 0, 1, 4, 3];
    const turned = [HEADER, ROW].map((row) => order.map((at) => row[at] ?? ''));
    expect(readScreeningList(turned)).toEqual({
      faults: [],
      entries: [
        {
          entryId: 'e-1',
          kind: 'PERSON',
          normalizedNames: ['example jose', 'example joe', 'example j'],
          birthYears: [1970, 1971],
        },
      ],
    });
  });

  it('may leave out what is not known', () => {
    const { entries } = readScreeningList([HEADER, ['e-1', 'ENTITY', 'Example Ltd', '', '', '']]);
    expect(entries).toEqual([
      { entryId: 'e-1', kind: 'ENTITY', normalizedNames: ['example ltd'], birthYears: [] },
    ]);
  });

  it.each([
    ['without a column', [HEADER.slice(1), ROW.slice(1)], [1]],
    ['without an entry', [HEADER], [1]],
    ['without an id', [HEADER, ['', ...ROW.slice(1)]], [2]],
    ['with an id twice', [HEADER, ROW, ROW], [3]],
    ['with another kind', [HEADER, ['e-1', 'SHIP', ...ROW.slice(2)]], [2]],
    ['with a name without letters', [HEADER, ['e-1', 'PERSON', '12', '', '', '']], [2]],
    ['with a wrong date', [HEADER, ROW, ['e-2', 'PERSON', 'A', '', '1.5.1970', '']], [3]],
    ['with a country that is none', [HEADER, ['e-1', 'PERSON', 'A', '', '', 'XX']], [2]],
    ['with several faults', [HEADER, ['', '', '', '', '', ''], ROW, ['e-3', 'X', 'A', '', '', '']], [2, 4]],
  ])('is not taken %s, and its lines are named', (_name, records, lines) => {
    const { entries, faults } = readScreeningList(records);
    expect(entries).toEqual([]);
    expect(faults.map((one) => one.line)).toEqual(lines);
  });
});
