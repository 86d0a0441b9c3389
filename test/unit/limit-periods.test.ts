import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  consumptionOn,
  isTimeZone,
  localDateTime,
  localDay,
  monthStart,
  periodStart,
  weekStart,
} from '../../domain/limit-periods.ts';
import { BUDGET_PLACE, LIMIT_TYPES, placeOf, TIME_UNITS } from '../../domain/limit.ts';

const at = (iso: string) => Date.parse(iso);
const counted = Array.from({ length: BUDGET_PLACE + 1 }, (_, place) => 100 + place);

/** What is left of `counted` when these units still run. */
const running = (...units: string[]) =>
  counted.map((amount, place) => {
    const ofRunningUnit = LIMIT_TYPES.some((type) =>
      TIME_UNITS.some((unit) => units.includes(unit) && placeOf(type, unit) === place),
    );
    return place === BUDGET_PLACE || ofRunningUnit ? amount : 0;
  });

describe('the local day', () => {
  it('changes at the midnight of its zone, not of UTC', () => {
    expect(localDay(at('2026-03-01T22:59:59Z'), 'Europe/Warsaw')).toBe('2026-03-01');
    expect(localDay(at('2026-03-01T23:00:00Z'), 'Europe/Warsaw')).toBe('2026-03-02');
    expect(localDay(at('2026-03-01T23:00:00Z'), 'UTC')).toBe('2026-03-01');
    expect(localDay(at('2026-03-01T04:59:59.999Z'), 'America/New_York')).toBe('2026-02-28');
  });

  it('follows summer time', () => {
    expect(localDay(at('2026-06-30T22:00:00Z'), 'Europe/Warsaw')).toBe('2026-07-01');
    expect(localDay(at('2026-12-31T22:00:00Z'), 'Europe/Warsaw')).toBe('2026-12-31');
    expect(localDateTime(at('2026-03-29T00:59:59Z'), 'Europe/Warsaw')).toBe('2026-03-29T01:59:59');
    expect(localDateTime(at('2026-03-29T01:00:00Z'), 'Europe/Warsaw')).toBe('2026-03-29T03:00:00');
  });

  it('is right in zones of quarter and half hours', () => {
    expect(localDay(at('2026-03-01T18:14:59Z'), 'Asia/Kathmandu')).toBe('2026-03-01');
    expect(localDay(at('2026-03-01T18:15:00Z'), 'Asia/Kathmandu')).toBe('2026-03-02');
    expect(localDay(at('2026-03-01T10:14:59Z'), 'Pacific/Chatham')).toBe('2026-03-01');
    expect(localDay(at('2026-03-01T10:15:00Z'), 'Pacific/Chatham')).toBe('2026-03-02');
  });

  it('writes midnight as hour 00', () => {
    expect(localDateTime(at('2026-03-01T00:00:05Z'), 'UTC')).toBe('2026-03-01T00:00:05');
  });

  it('is the day of its date-time at any instant of this century in any order of asking', () => {
    const zones = ['UTC', 'Europe/Warsaw', 'America/St_Johns', 'Australia/Lord_Howe', 'Asia/Kathmandu'];
    const instant = fc.integer({ min: at('2001-01-01'), max: at('2099-12-31') });
    fc.assert(
      fc.property(instant, fc.constantFrom(...zones), (nowMs, zone) => {
        expect(localDay(nowMs, zone)).toBe(localDateTime(nowMs, zone).slice(0, 10));
      }),
    );
  });
});

describe('time zones', () => {
  it.each(['UTC', 'Europe/Warsaw', 'America/Argentina/Buenos_Aires'])('knows %s', (zone) => {
    expect(isTimeZone(zone)).toBe(true);
  });
  it.each(['', 'Mars/Olympus', '+01:00', 'Europe/Warsaw ', '../UTC'])('refuses %j', (zone) => {
    expect(isTimeZone(zone)).toBe(false);
  });
});

describe('the start of a period', () => {
  it('of a week is its Monday, over months and years', () => {
    expect(weekStart('2026-03-02')).toBe('2026-03-02');
    expect(weekStart('2026-03-08')).toBe('2026-03-02');
    expect(weekStart('2026-03-01')).toBe('2026-02-23');
    expect(weekStart('2027-01-03')).toBe('2026-12-28');
    expect(weekStart('2028-03-01')).toBe('2028-02-28');
  });

  it('of a month is its first day', () => {
    expect(monthStart('2026-02-28')).toBe('2026-02-01');
    expect(periodStart('daily', '2026-02-28')).toBe('2026-02-28');
    expect(periodStart('weekly', '2026-02-28')).toBe('2026-02-23');
    expect(periodStart('monthly', '2026-02-28')).toBe('2026-02-01');
  });
});

describe('what was consumed', () => {
  it('counts whole on the day of the newest charge', () => {
    expect(consumptionOn({ consumed: counted, on: '2026-03-04' }, '2026-03-04')).toEqual(counted);
  });

  it('loses the daily cells on the next day', () => {
    const today = consumptionOn({ consumed: counted, on: '2026-03-04' }, '2026-03-05');
    expect(today).toEqual(running('weekly', 'monthly'));
  });

  it('loses the weekly cells on Monday, the monthly ones on the first', () => {
    expect(consumptionOn({ consumed: counted, on: '2026-03-08' }, '2026-03-09')).toEqual(running('monthly'));
    expect(consumptionOn({ consumed: counted, on: '2026-03-31' }, '2026-04-01')).toEqual(running('weekly'));
    expect(consumptionOn({ consumed: counted, on: '2025-03-04' }, '2026-03-04')).toEqual(running());
  });

  it('is never forgiven by a day that lies before the newest charge', () => {
    expect(consumptionOn({ consumed: counted, on: '2026-03-05' }, '2026-03-04')).toEqual(counted);
  });

  it('is as stored before the first charge', () => {
    const none = counted.map(() => 0);
    expect(consumptionOn({ consumed: none, on: null }, '2026-03-04')).toEqual(none);
  });
});
