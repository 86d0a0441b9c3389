import { BUDGET_PLACE, type Consumption, TIME_UNITS, type TimeUnit } from './limit.ts';

/** A calendar day `YYYY-MM-DD`; days compare as text. */
export type LocalDay = string;

const DAY_MS = 86_400_000;
const QUARTER_HOUR_MS = 900_000;
/** Names of zones may be written in any case, so that the number kept needs a bound. */
const ZONES_KEPT = 1000;
const formatters = new Map<string, Intl.DateTimeFormat>();
const newestDay = new Map<string, { readonly quarter: number; readonly day: LocalDay }>();

/** True for a zone of the IANA database by name; offsets as `+01:00` are none. */
export const isTimeZone = (zone: string): boolean => {
  if (!/^[A-Za-z]/.test(zone)) return false;
  try {
    formatterOf(zone);
    return true;
  } catch {
    return false;
  }
};

/** Local date-time `YYYY-MM-DDTHH:MM:SS` of an instant, as budgets give their window. Throws RangeError on no zone. */
export const localDateTime = (nowMs: number, zone: string): string => {
  const parts = new Map<string, string>();
  for (const { type, value } of formatterOf(zone).formatToParts(nowMs)) parts.set(type, value);
  const part = (type: string) => parts.get(type) ?? '';
  const day = `${part('year').padStart(4, '0')}-${part('month')}-${part('day')}`;
  return `${day}T${part('hour')}:${part('minute')}:${part('second')}`;
};

/**
 * Local day of an instant. Every authorization asks, so the newest answer of a zone is kept: all zones in use keep
 * whole quarter hours, a day never changes inside one. Throws RangeError on no zone.
 */
export const localDay = (nowMs: number, zone: string): LocalDay => {
  const quarter = Math.floor(nowMs / QUARTER_HOUR_MS);
  const kept = newestDay.get(zone);
  if (kept?.quarter === quarter) return kept.day;
  const day = localDateTime(nowMs, zone).slice(0, 10);
  if (newestDay.size >= ZONES_KEPT) newestDay.clear();
  newestDay.set(zone, { quarter, day });
  return day;
};

/** First day of the week, a Monday, that holds the day (money 9). */
export const weekStart = (day: LocalDay): LocalDay => {
  const ms = Date.parse(`${day}T00:00:00Z`);
  const sinceMonday = (new Date(ms).getUTCDay() + 6) % 7;
  return new Date(ms - sinceMonday * DAY_MS).toISOString().slice(0, 10);
};

/** First day of the calendar month that holds the day. */
export const monthStart = (day: LocalDay): LocalDay => `${day.slice(0, 7)}-01`;

/** First day of the period of this unit that holds the day. */
export const periodStart = (unit: TimeUnit, day: LocalDay): LocalDay => {
  switch (unit) {
    case 'daily':
      return day;
    case 'weekly':
      return weekStart(day);
    case 'monthly':
      return monthStart(day);
  }
};

/**
 * The numbers of a consumption, at the same places, as they count today: a cell whose period ended before today is
 * zero, the budget never ends. A newest charge after today, as another time zone may leave it, still counts.
 */
export const consumptionOn = (consumption: Consumption, today: LocalDay): readonly number[] => {
  const { consumed, on } = consumption;
  if (on === null || on === today) return consumed;
  const ended = TIME_UNITS.map((unit) => periodStart(unit, on) < periodStart(unit, today));
  return consumed.map((amount, place) =>
    place !== BUDGET_PLACE && ended[place % TIME_UNITS.length] === true ? 0 : amount,
  );
};

function formatterOf(zone: string): Intl.DateTimeFormat {
  const known = formatters.get(zone);
  if (known !== undefined) return known;
  const made = new Intl.DateTimeFormat('en-US', {
    timeZone: zone,
    calendar: 'iso8601',
    numberingSystem: 'latn',
    hourCycle: 'h23',
    year: 'numeric',
    month: '2-digit',
    day: '2-digit',
    hour: '2-digit',
    minute: '2-digit',
    second: '2-digit',
  });
  if (formatters.size >= ZONES_KEPT) formatters.clear();
  formatters.set(zone, made);
  return made;
}
