import type { AllLimitsView, AuthorizationCommand, LimitsView } from './authorization-view.ts';
import { BUDGET_PLACE, type Controls, placeOf } from './limit.ts';
import { type Countable, countedIn } from './limit-consumption.ts';
import { add, subtract } from './money.ts';
import { type Refused, refuse } from './network-answer.ts';
import type { Description } from './response-code.ts';

/** What is to be spent: `amount` now, `total` with what the same transaction holds already. */
export interface Spending {
  readonly what: Countable;
  readonly amount: number;
  readonly total: number;
}

type Holder = keyof AllLimitsView;

/** Step 14: switches of every holder, then cells of programme, product and customer (authorization 3). */
export function ceilingRefusal(
  limits: AllLimitsView,
  command: AuthorizationCommand,
  spending: Spending,
): Refused | null {
  for (const holder of ['card', 'programme', 'product', 'customer'] as const) {
    const controls = limits[holder]?.document.controls ?? null;
    const control = controls === null ? null : brokenControl(controls, command, spending.what.foreign);
    if (control !== null) {
      const rule = `${holder}.${control}`;
      return refuse('LIMIT_EXCEED', 'CONTROL', { rule, version: limits[holder]?.version ?? 0 });
    }
  }
  for (const holder of ['programme', 'product', 'customer'] as const) {
    const refused = cellRefusal(holder, limits[holder], spending, 'LIMIT_EXCEED');
    if (refused !== null) return refused;
  }
  return null;
}

/** Step 15: the card's own maximum for one transaction, then its cells. */
export const cardLimitRefusal = ({ card }: AllLimitsView, spending: Spending): Refused | null =>
  cellRefusal('card', card, spending, 'EXCEEDS_AMOUNT_LIMIT');

/** Step 16: budget and window of the card, then of the customer. */
export function budgetRefusal(limits: AllLimitsView, { amount }: Spending): Refused | null {
  for (const holder of ['card', 'customer'] as const) {
    const budget = limits[holder]?.document.budget ?? null;
    if (budget === null) continue;
    const { localNow, counted, version } = limits[holder] as LimitsView;
    const { budgetMinor: limit, validFrom, validTo } = budget;
    const rule = `${holder}.budget`;
    if (localNow < validFrom || localNow > validTo) {
      return refuse('BUDGET_EXCEEDED', 'BUDGET_WINDOW', { rule, version, validFrom, validTo });
    }
    const consumed = counted[BUDGET_PLACE] ?? 0;
    if (add(consumed, amount) > limit) {
      return refuse('BUDGET_EXCEEDED', 'BUDGET_SPENT', { rule, version, limit, consumed, amount });
    }
  }
  return null;
}

function cellRefusal(
  holder: Holder,
  limits: LimitsView | null,
  { what, amount, total }: Spending,
  description: Description,
): Refused | null {
  if (limits === null) return null;
  const { document, counted, version } = limits;
  const most = document.perTransactionMinor;
  if (most !== null && total > most) {
    const rule = `${holder}.perTransaction`;
    return refuse(description, 'LIMIT', {
      rule,
      version,
      limit: most,
      consumed: subtract(total, amount),
      amount,
    });
  }
  for (const { type, timeUnit, amountMinor: limit } of document.limits) {
    const part = countedIn(type, what, total) - countedIn(type, what, subtract(total, amount));
    const consumed = counted[placeOf(type, timeUnit)] ?? 0;
    if (part > 0 && add(consumed, part) > limit) {
      const rule = `${holder}.${timeUnit}.${type}`;
      return refuse(description, 'LIMIT', { rule, version, limit, consumed, amount: part });
    }
  }
  return null;
}

/** The switch that is off for this message, null when none is. */
function brokenControl(
  controls: Controls,
  { type, mcc, country, captureMode }: AuthorizationCommand,
  foreign: boolean,
): keyof Controls | null {
  if (!controls.atm && type === 'atm') return 'atm';
  if (!controls.ecommerce && (captureMode === 'ecommerce' || captureMode === 'manual')) return 'ecommerce';
  if (!controls.contactless && captureMode === 'nfc') return 'contactless';
  if (!controls.magstripe && captureMode === 'magstripe') return 'magstripe';
  if (!controls.foreign && foreign) return 'foreign';
  const allows = (list: readonly string[], value: string | null): boolean =>
    list.length === 0 || (value !== null && list.includes(value));
  const blocks = (list: readonly string[], value: string | null): boolean =>
    value !== null && list.includes(value);
  if (!allows(controls.mccAllow, mcc)) return 'mccAllow';
  if (blocks(controls.mccBlock, mcc)) return 'mccBlock';
  if (!allows(controls.countryAllow, country)) return 'countryAllow';
  return blocks(controls.countryBlock, country) ? 'countryBlock' : null;
}
