import { describe, expect, it } from 'vitest';
import { afterNoticeAttempt, type NoticeAttempt, resendsOf } from '../../domain/delivery.ts';

const attempt = (changes: Partial<NoticeAttempt>): NoticeAttempt => ({
  outcome: 'HTTP_ERROR',
  attempt: 1,
  resends: 5,
  retryAfterMs: null,
  chance: 0.5,
  ...changes,
});
const delayOf = (changes: Partial<NoticeAttempt>) => {
  const fate = afterNoticeAttempt(attempt(changes));
  return fate.status === 'RETRYING' ? fate.delayMs : fate.status;
};

describe('what becomes of a notice', () => {
  it('it is over once the partner accepts, at whatever attempt', () => {
    expect(delayOf({ outcome: 'ACCEPTED', attempt: 6 })).toBe('DELIVERED');
  });

  it.each([
    [1, 5_000],
    [2, 30_000],
    [3, 120_000],
    [4, 600_000],
    [5, 3_600_000],
    [6, 10_800_000],
    [7, 21_600_000],
    [8, 43_200_000],
    [12, 43_200_000],
  ])('after attempt %i it waits %i ms', (number, delayMs) => {
    expect(delayOf({ attempt: number, resends: 15 })).toBe(delayMs);
  });

  it('spreads the pause over 20 % to either side', () => {
    expect([delayOf({ chance: 0 }), delayOf({ chance: 1 })]).toEqual([4_000, 6_000]);
  });

  it('is given up after 1 + resends attempts', () => {
    expect(delayOf({ attempt: 5 })).not.toBe('DEAD');
    expect(delayOf({ attempt: 6 })).toBe('DEAD');
    expect(delayOf({ attempt: 1, resends: 0 })).toBe('DEAD');
  });

  it('takes the pauses of the programme where it has some', () => {
    expect([1, 2, 3].map((number) => delayOf({ attempt: number, delaysMs: [10, 20] }))).toEqual([10, 20, 20]);
    expect(delayOf({ delaysMs: [] })).toBe(5_000);
  });

  it('waits longer where the partner asks for it, at most an hour, and never shorter', () => {
    expect(delayOf({ retryAfterMs: 60_000 })).toBe(60_000);
    expect(delayOf({ retryAfterMs: 86_400_000 })).toBe(3_600_000);
    expect(delayOf({ retryAfterMs: 1_000 })).toBe(5_000);
  });

  it('gives the legacy transaction notifier five resends at most', () => {
    expect([resendsOf('transaction', 15), resendsOf('transaction', 2), resendsOf('cardLocked', 15)]).toEqual([
      5, 2, 15,
    ]);
  });
});
