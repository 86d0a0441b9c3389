export const TIME_UNITS = ['daily', 'weekly', 'monthly'] as const;
export type TimeUnit = (typeof TIME_UNITS)[number];

export const LIMIT_TYPES = ['general', 'ecommerce', 'atm', 'foreign_amount'] as const;
export type LimitType = (typeof LIMIT_TYPES)[number];

/** The most that may be spent in one period; 0 = blocked. Minor units of the balance's currency. */
export interface LimitCell {
  readonly timeUnit: TimeUnit;
  readonly type: LimitType;
  readonly amountMinor: number;
}

/** A sum to be spent inside a window; local times of `timezone` without offset, `2026-03-01T00:00:00`. */
export interface Budget {
  readonly budgetMinor: number;
  readonly validFrom: string;
  readonly validTo: string;
  readonly timezone: string;
}

/** Switches by channel, merchant category and country (alpha-3); an empty allow list allows all. */
export interface Controls {
  readonly atm: boolean;
  readonly ecommerce: boolean;
  readonly contactless: boolean;
  readonly magstripe: boolean;
  readonly foreign: boolean;
  readonly mccAllow: readonly string[];
  readonly mccBlock: readonly string[];
  readonly countryAllow: readonly string[];
  readonly countryBlock: readonly string[];
}

/** Limits of a card, customer, product or programme as they are put and stored (money 9). */
export interface LimitDocument {
  /** At most one cell for each time unit and type; an absent one is unlimited. */
  readonly limits: readonly LimitCell[];
  readonly perTransactionMinor: number | null;
  readonly budget: Budget | null;
  readonly controls: Controls | null;
}

/** No limit at all. */
export const NO_LIMITS: LimitDocument = {
  limits: [],
  perTransactionMinor: null,
  budget: null,
  controls: null,
};

/**
 * What was spent in the current periods: cell of unit u and type t at `3 * index of t + index of u`, the budget
 * at 12. `on` is the local day of the newest charge: cells of periods that ended before today count as zero.
 */
export interface Consumption {
  readonly consumed: readonly number[];
  readonly on: string | null;
}

/** Place of the budget in `Consumption.consumed`; its cells come before it. */
export const BUDGET_PLACE = TIME_UNITS.length * LIMIT_TYPES.length;

/** Place of a cell in `Consumption.consumed`. */
export const placeOf = (type: LimitType, unit: TimeUnit): number =>
  LIMIT_TYPES.indexOf(type) * TIME_UNITS.length + TIME_UNITS.indexOf(unit);
