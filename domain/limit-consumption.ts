import { BUDGET_PLACE, type Consumption, LIMIT_TYPES, type LimitType, placeOf, TIME_UNITS } from './limit.ts';
import { consumptionOn, periodStart } from './limit-periods.ts';

/** What of a transaction decides which cells it counts in (money 9). */
export interface Countable {
  readonly type: string;
  readonly captureMode: string | null;
  /** Paid in another currency than the balance's. */
  readonly foreign: boolean;
  /** Cash inside the amount of a purchase. */
  readonly cashback: number;
}

/** How much of `total` counts in cells of `limitType`; minor units. */
export function countedIn(limitType: LimitType, what: Countable, total: number): number {
  switch (limitType) {
    case 'general':
      return total;
    case 'ecommerce':
      return what.captureMode === 'ecommerce' || what.captureMode === 'manual' ? total : 0;
    case 'atm':
      if (what.type === 'atm') return total;
      return what.type === 'cashback_at_pos' ? Math.min(what.cashback, total) : 0;
    case 'foreign_amount':
      return what.foreign ? total : 0;
  }
}

/** A change of what a transaction costs its holder: held and cleared together, before and after. */
export interface Charge {
  readonly what: Countable;
  readonly before: number;
  readonly after: number;
  /** Local day on which the transaction was made. */
  readonly firstDay: string;
}

/**
 * Counts a charge. What is added counts today; what is given back goes to the periods of the first day alone, so
 * periods that are over stay as they were (money 9). The budget counts while there is one (`hasBudget`).
 */
export function consume(
  consumption: Consumption,
  today: string,
  { what, before, after, firstDay }: Charge,
  hasBudget: boolean,
): Consumption {
  const consumed = [...consumptionOn(consumption, today)];
  const day = after >= before ? today : firstDay;
  const units = TIME_UNITS.filter(
    (unit) => day === today || periodStart(unit, day) === periodStart(unit, today),
  );
  for (const type of LIMIT_TYPES) {
    const change = countedIn(type, what, after) - countedIn(type, what, before);
    if (change !== 0) for (const unit of units) addAt(consumed, placeOf(type, unit), change);
  }
  if (hasBudget) addAt(consumed, BUDGET_PLACE, after - before);
  return { consumed, on: today };
}

function addAt(consumed: number[], place: number, change: number): void {
  consumed[place] = Math.max(0, (consumed[place] ?? 0) + change);
}
