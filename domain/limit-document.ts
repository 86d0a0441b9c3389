import { isAlpha3 } from './country.ts';
import type { FieldFault } from './errors.ts';
import { isTimeZone } from './limit-periods.ts';
import {
  BUDGET_PLACE,
  type Budget,
  type Consumption,
  type Controls,
  type LimitCell,
  type LimitDocument,
  placeOf,
} from './limit.ts';

/** What a period allows, what of it is used up, and what may still be spent; never below zero. */
interface Use {
  readonly consumed: number;
  readonly remaining: number;
}

/** Limits as they are shown: each cell and the budget with what they are used up to today (money 9). */
export interface LimitStatus {
  readonly limits: readonly (LimitCell & Use)[];
  readonly perTransactionMinor: number | null;
  readonly budget: (Budget & Use) | null;
  readonly controls: Controls | null;
}

/** The zone whose days, weeks and months a document's periods follow (money 9). */
export const zoneOf = (document: LimitDocument | null, programmeZone: string): string =>
  document?.budget?.timezone ?? programmeZone;

/** True when nothing is limited: such a document is as good as none. */
export const limitsNothing = ({ limits, perTransactionMinor, budget, controls }: LimitDocument): boolean =>
  limits.length === 0 && perTransactionMinor === null && budget === null && controls === null;

/** A document with its use; `consumed` are the numbers of a consumption as they count today. */
export function limitStatus(document: LimitDocument, consumed: Consumption['consumed']): LimitStatus {
  const use = (most: number, place: number): Use => {
    const spent = consumed[place] ?? 0;
    return { consumed: spent, remaining: Math.max(0, most - spent) };
  };
  const { budget } = document;
  return {
    limits: document.limits.map((cell) => ({
      ...cell,
      ...use(cell.amountMinor, placeOf(cell.type, cell.timeUnit)),
    })),
    perTransactionMinor: document.perTransactionMinor,
    budget: budget === null ? null : { ...budget, ...use(budget.budgetMinor, BUDGET_PLACE) },
    controls: document.controls,
  };
}

/** What is wrong with a document whose members are of the right kind, by field; none when it may be stored. */
export function documentFaults({ limits, budget, controls }: LimitDocument): FieldFault[] {
  return [
    ...repeatedCells(limits),
    ...(budget === null ? [] : budgetFaults(budget)),
    ...(controls === null ? [] : controlFaults(controls)),
  ];
}

/**
 * Fields of a document that lie above a ceiling: a cell or `perTransactionMinor` of a product or programme. A
 * cell that only the ceiling has is none: the ceiling's own cell is checked at each authorization.
 */
export function aboveCeiling(
  document: LimitDocument,
  ceilings: readonly (LimitDocument | null)[],
): FieldFault[] {
  const given = ceilings.filter((one) => one !== null);
  const message = 'is above what the card product or programme allows';
  const cells = document.limits.flatMap((cell, at): FieldFault[] =>
    given.some((ceiling) => cell.amountMinor > ceilingOf(ceiling, cell))
      ? [{ field: `limits.${at}.amountMinor`, message }]
      : [],
  );
  const once = document.perTransactionMinor;
  const onceAbove = given.some(
    (ceiling) => once !== null && once > (ceiling.perTransactionMinor ?? Infinity),
  );
  return onceAbove ? [...cells, { field: 'perTransactionMinor', message }] : cells;
}

const isSameCell = (left: LimitCell, right: LimitCell): boolean =>
  left.timeUnit === right.timeUnit && left.type === right.type;

const ceilingOf = ({ limits }: LimitDocument, cell: LimitCell): number =>
  limits.find((one) => isSameCell(one, cell))?.amountMinor ?? Infinity;

const repeatedCells = (limits: readonly LimitCell[]): FieldFault[] =>
  limits.flatMap((cell, at) =>
    limits.slice(0, at).some((earlier) => isSameCell(earlier, cell))
      ? [{ field: `limits.${at}`, message: 'stands twice: one cell for each timeUnit and type' }]
      : [],
  );

function budgetFaults({ validFrom, validTo, timezone }: Budget): FieldFault[] {
  const faults: FieldFault[] = [];
  const times = { validFrom, validTo };
  for (const [name, value] of Object.entries(times)) {
    if (isLocalDateTime(value)) continue;
    faults.push({ field: `budget.${name}`, message: 'must be YYYY-MM-DDTHH:MM:SS, without offset' });
  }
  if (faults.length === 0 && validFrom >= validTo) {
    faults.push({ field: 'budget.validTo', message: 'must be after validFrom' });
  }
  if (!isTimeZone(timezone)) {
    faults.push({ field: 'budget.timezone', message: 'must be a time zone of the IANA list' });
  }
  return faults;
}

/** True for a date-time that exists, written `YYYY-MM-DDTHH:MM:SS`. */
function isLocalDateTime(value: string): boolean {
  if (!/^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}$/.test(value)) return false;
  const ms = Date.parse(`${value}Z`);
  return !Number.isNaN(ms) && new Date(ms).toISOString() === `${value}.000Z`;
}

const controlFaults = (controls: Controls): FieldFault[] => [
  ...listFaults(controls, ['mccAllow', 'mccBlock'], isMerchantCategory, 'must be 4 digits'),
  ...listFaults(controls, ['countryAllow', 'countryBlock'], isAlpha3, 'must be an ISO 3166-1 alpha-3 code'),
];

const isMerchantCategory = (value: string): boolean => /^[0-9]{4}$/.test(value);

type ControlList = 'mccAllow' | 'mccBlock' | 'countryAllow' | 'countryBlock';

const listFaults = (
  controls: Controls,
  names: readonly ControlList[],
  isGood: (value: string) => boolean,
  message: string,
): FieldFault[] =>
  names.flatMap((name) =>
    controls[name].flatMap((value, at) =>
      isGood(value) ? [] : [{ field: `controls.${name}.${at}`, message }],
    ),
  );
