import { describe, expect, it } from 'vitest';
import { dueReminder } from '../../domain/certificate.ts';

const DAY_MS = 86_400_000;
const NOW = new Date('2026-03-01T12:00:00.000Z');
const inDays = (days: number) => new Date(NOW.getTime() + days * DAY_MS);

describe('dueReminder', () => {
  it.each([
    [60.01, null, null],
    [60, null, 60],
    [45, 60, null],
    [30, 60, 30],
    [14, 30, 14],
    [7.5, 14, null],
    [6, 14, 7],
    [1, 7, 1],
    [0.1, 1, null],
    [0, 7, null],
    [-3, 1, null],
    // Nobody looked for a month: one reminder, the newest.
    [5, 60, 7],
    [0.5, null, 1],
  ])('%d days before the end, reminded at %s: %s', (days, reminded, due) => {
    expect(dueReminder(inDays(days), NOW, reminded)).toBe(due);
  });
});
