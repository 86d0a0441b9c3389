import { describe, expect, it } from 'vitest';
import {
  ACCOUNT_CODES,
  entryOf,
  type FundingKind,
  heldOf,
  holdsAfter,
  type OpenHold,
  POSTING_TABLE,
  type PostingEvent,
  type Transfer,
  valueAfterAll,
} from '../../domain/ledger.ts';

const HOLD: OpenHold[] = [{ eventSeq: 1, seq: 1, remaining: 1000 }];
const TWO_HOLDS: OpenHold[] = [
  { eventSeq: 1, seq: 1, remaining: 700 },
  { eventSeq: 2, seq: 1, remaining: 300 },
];

/** One transfer a word: debit>credit amount, then ? pending, ! voided, and @event of the hold used. */
const written = (transfers: readonly Transfer[]): string =>
  transfers
    .map(({ debit, credit, amount, state, of }) => {
      const mark = state === 'PENDING' ? '?' : state === 'VOIDED' ? '!' : '';
      return `${debit}>${credit} ${amount}${mark}${of === null ? '' : `@${of.eventSeq}`}`;
    })
    .join(', ');

/** Rows of money 3.2: event, kind, amount, open holds, transfers. */
const TABLE: readonly (readonly [PostingEvent, FundingKind, number, OpenHold[], string])[] = [
  ['authorization', 'A', 1000, [], 'U>NS 1000?'],
  ['authorization', 'B', 1000, [], 'U>PH 1000?, PD>NR 1000'],
  ['increment', 'A', 300, HOLD, 'U>NS 300?'],
  ['increment', 'B', 300, HOLD, 'U>PH 300?, PD>NR 300'],
  ['release', 'A', 400, HOLD, 'U>NS 400!@1'],
  ['release', 'B', 400, HOLD, 'NR>PD 400, U>PH 400!@1'],
  ['release', 'B', 800, TWO_HOLDS, 'NR>PD 800, U>PH 700!@1, U>PH 100!@2'],
  ['clearing', 'A', 1000, HOLD, 'U>NS 1000@1'],
  ['clearing', 'B', 1000, HOLD, 'U>PH 1000@1, NR>NS 1000'],
  ['clearing', 'B', 800, TWO_HOLDS, 'U>PH 700@1, U>PH 100@2, NR>NS 800'],
  ['clearingBelowHold', 'A', 600, HOLD, 'U>NS 600@1, U>NS 400!@1'],
  ['clearingBelowHold', 'B', 600, HOLD, 'U>PH 600@1, NR>NS 600, NR>PD 400, U>PH 400!@1'],
  ['clearingAboveHold', 'A', 1500, HOLD, 'U>NS 1000@1, U>NS 500'],
  ['clearingAboveHold', 'B', 1500, HOLD, 'U>PH 1000@1, U>PH 500, NR>NS 1000, PD>NS 500'],
  ['forcePost', 'A', 250, [], 'U>NS 250'],
  ['forcePost', 'B', 250, [], 'U>PH 250, PD>NS 250'],
  ['refund', 'A', 250, [], 'NS>U 250'],
  ['refund', 'B', 250, [], 'PH>U 250, NS>PD 250'],
  ['interchangeCredit', 'A', 7, [], 'NS>CO 7'],
  ['interchangeDebit', 'B', 7, [], 'CO>NS 7'],
  ['userCredit', 'A', 100, [], 'PC>U 100'],
  ['userCredit', 'B', 100, [], 'PH>U 100'],
  ['collateralCredit', 'A', 100, [], 'BK>PC 100'],
  ['collateralCredit', 'B', 100, [], 'BK>PD 100'],
];

describe('event to postings', () => {
  it.each(TABLE)('%s, kind %s', (event, kind, amount, holds, expected) => {
    expect(written(entryOf(event, kind, amount, holds))).toBe(expected);
  });

  it('numbers the transfers of an entry without a gap, from where it is told to', () => {
    expect(entryOf('clearingAboveHold', 'B', 1500, HOLD, 3).map(({ seq }) => seq)).toEqual([3, 4, 5, 6]);
  });

  it('refuses to free more than is held, and negative amounts', () => {
    expect(() => entryOf('release', 'A', 1001, HOLD)).toThrow(RangeError);
    expect(() => entryOf('forcePost', 'A', -1)).toThrow(RangeError);
  });
});

describe('the books after any entry', () => {
  const events = Object.keys(POSTING_TABLE) as PostingEvent[];
  const cases = events.flatMap((event) =>
    (['A', 'B'] as const).flatMap((kind) => [1, 999, 1000].map((amount) => [event, kind, amount] as const)),
  );

  it.each(cases)('%s, kind %s, %i: debits equal credits', (event, kind, amount) => {
    const transfers = entryOf(event, kind, amount, HOLD).filter(({ state }) => state === 'POSTED');
    const movements = new Map(ACCOUNT_CODES.map((code) => [code, 0]));
    for (const { debit, credit, amount: moved } of transfers) {
      movements.set(debit, (movements.get(debit) ?? 0) - moved);
      movements.set(credit, (movements.get(credit) ?? 0) + moved);
    }
    expect([...movements.values()].reduce((sum, one) => sum + one, 0)).toBe(0);
  });

  it.each(cases)('%s, kind %s, %i: what the account holds is what the holds say', (event, kind, amount) => {
    const before = { posted: 10_000, held: heldOf(HOLD) };
    const transfers = entryOf(event, kind, amount, HOLD);
    const after = valueAfterAll(before, 'U', transfers);
    expect(after.held).toBe(heldOf(holdsAfter(HOLD, 2, transfers)));
    expect(after.held).toBeGreaterThanOrEqual(0);
  });

  it.each([1, 600, 1000])('kind B: the network reserve follows the holds when %i is cleared', (amount) => {
    const event = amount < 1000 ? 'clearingBelowHold' : 'clearing';
    const moved = entryOf(event, 'B', amount, HOLD)
      .filter(({ debit }) => debit === 'NR')
      .reduce((sum, one) => sum + one.amount, 0);
    expect(moved).toBe(1000);
  });
});
