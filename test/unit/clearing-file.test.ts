import { describe, expect, it } from 'vitest';
import { checkClearingFile, type FileFault } from '../../domain/clearing-file.ts';
import { linesOf } from '../../activities/authorization/lines.ts';
import { aClearingFile, inPieces } from '../support/clearing-file.ts';

const RECORDS = [
  { recordType: 'PURCHASE', amount: 100, currency: 'EUR' },
  { recordType: 'CASH', amount: 20, currency: 'PLN' },
  { recordType: 'REFUND', amount: 30, currency: 'EUR' },
];

/** What a check says of a file whose lines were changed: the first fault, or null. */
function verdict(options: Parameters<typeof aClearingFile>[1]): FileFault | null {
  const { announced, bytes } = aClearingFile(RECORDS, options);
  const check = checkClearingFile(announced);
  for (const text of bytes.toString().split('\n').slice(0, -1)) {
    let value: unknown;
    try {
      value = JSON.parse(text);
    } catch {
      value = undefined;
    }
    const line = check.line(value);
    if (line.kind === 'FAULT') return line.fault;
  }
  return check.end();
}

const replaced = (at: number, change: object) => (lines: string[]) =>
  lines.map((line, place) =>
    place === at ? JSON.stringify({ ...(JSON.parse(line) as object), ...change }) : line,
  );

describe('a clearing file', () => {
  it('is right as the processor sends it', () => {
    expect(verdict({})).toBeNull();
  });

  it.each<[FileFault, string, Parameters<typeof aClearingFile>[1]]>([
    ['HEADER', 'no header', { spoil: (lines) => lines.slice(1) }],
    ['HEADER', 'the header of another file', { spoil: replaced(0, { fileId: 'other' }) }],
    ['HEADER', 'another day', { spoil: replaced(0, { businessDate: '2026-03-03' }) }],
    ['HEADER', 'another version', { spoil: replaced(0, { version: 2 }) }],
    ['RECORD_NUMBER', 'a record left out', { spoil: (lines) => lines.toSpliced(2, 1) }],
    [
      'RECORD_NUMBER',
      'two records changed over',
      { spoil: ([h, a, b, ...more]) => [h, b, a, ...more] as string[] },
    ],
    ['RECORD_NUMBER', 'a second header', { spoil: (lines) => lines.toSpliced(1, 0, lines[0] as string) }],
    ['RECORD_COUNT', 'another count in the trailer', { spoil: replaced(4, { records: 4 }) }],
    ['RECORD_COUNT', 'another count in the announcement', { announce: { records: 4 } }],
    ['TOTALS', 'another debit total', { spoil: replaced(4, { debitTotals: { EUR: 101, PLN: 20 } }) }],
    ['TOTALS', 'a total of another currency', { spoil: replaced(4, { creditTotals: { EUR: 30, USD: 1 } }) }],
    ['TOTALS', 'no totals', { spoil: replaced(4, { debitTotals: null }) }],
    ['TOTALS', 'a changed amount', { spoil: replaced(1, { amount: 99 }) }],
    ['NO_TRAILER', 'a cut end', { spoil: (lines) => lines.slice(0, -1) }],
    ['AFTER_TRAILER', 'a line after the trailer', { spoil: (lines) => [...lines, '{}'] }],
    [
      'LINE_UNREADABLE',
      'a line that is no JSON',
      { spoil: (lines) => lines.toSpliced(2, 1, '{"recordNo":') },
    ],
    ['LINE_UNREADABLE', 'an empty line', { spoil: (lines) => lines.toSpliced(2, 0, '') }],
    ['LINE_UNREADABLE', 'a line that is no object', { spoil: (lines) => lines.toSpliced(2, 1, '[]') }],
  ])('is refused as a whole for %s: %s', (fault, _what, options) => {
    expect(verdict(options)).toBe(fault);
  });

  it('is refused when its totals leave the safe integers', () => {
    const huge = { recordType: 'PURCHASE', amount: Number.MAX_SAFE_INTEGER, currency: 'EUR' };
    const { announced } = aClearingFile([huge, huge], { fileId: 'F' });
    const second = checkClearingFile(announced);
    second.line({ recordType: 'H', version: 1, fileId: 'F', businessDate: announced.businessDate });
    second.line({ ...huge, recordNo: 1 });
    second.line({ ...huge, recordNo: 2 });
    const trailer = { recordType: 'T', records: 2, debitTotals: { EUR: 2 ** 54 - 2 }, creditTotals: {} };
    expect(second.line(trailer)).toEqual({ kind: 'FAULT', fault: 'TOTALS' });
  });
});

describe('lines of a stream', () => {
  async function read(bytes: Buffer, size: number) {
    const lines: (string | null)[] = [];
    for await (const line of linesOf(inPieces(bytes, size))) lines.push(line);
    return lines;
  }

  it.each([1, 2, 3, 5, 100])('come whole from pieces of %i bytes', async (size) => {
    expect(await read(Buffer.from('zażółć\n\n{"a":1}\nlast'), size)).toEqual([
      'zażółć',
      '',
      '{"a":1}',
      'last',
    ]);
    expect(await read(Buffer.from('one\n'), size)).toEqual(['one']);
  });

  it('end at what is no UTF-8 or too long', async () => {
    expect(await read(Buffer.from([0x61, 10, 0xff, 10, 0x62, 10]), 2)).toEqual(['a', null]);
    expect(await read(Buffer.alloc(100_000, 'x'), 1_000)).toEqual([null]);
    expect(await read(Buffer.concat([Buffer.alloc(70_000, 'x'), Buffer.from('\ny\n')]), 70_001)).toEqual([
      null,
    ]);
  });
});
