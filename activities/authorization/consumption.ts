import type { LimitsView } from '../../domain/authorization-view.ts';
import type { Effects } from '../../domain/decision.ts';
import type { Consumption, LimitDocument } from '../../domain/limit.ts';
import { type Countable, consume } from '../../domain/limit-consumption.ts';
import { consumptionOn, localDateTime, localDay } from '../../domain/limit-periods.ts';
import type { Fold, Lifecycle } from '../../domain/transaction.ts';

/** What counts against the limits of one holder, changed by each decision of a batch. */
export interface Counted {
  readonly document: LimitDocument | null;
  readonly version: number;
  /** IANA zone whose days and months its periods are. */
  readonly zone: string;
  /** Since when it counts, and since when there is a budget; milliseconds, 0 = always. */
  readonly sinceMs: number;
  readonly budgetSinceMs: number;
  consumption: Consumption;
  changed: boolean;
}

/** A counted row: the budget's zone rules, else the programme's (money 9). */
export const countedOf = (
  row: {
    readonly limits: string | null;
    readonly limits_version: number;
    readonly consumed: string;
    readonly consumed_on: string | null;
    readonly budget_since: Date | null;
    /** Of a card there is none: it counts from its making. */
    readonly created_at?: Date;
  },
  programmeZone: string,
): Counted => {
  const document = row.limits === null ? null : documentOf(row.limits);
  return {
    document,
    version: row.limits_version,
    zone: document?.budget?.timezone ?? programmeZone,
    sinceMs: row.created_at?.getTime() ?? 0,
    budgetSinceMs: row.budget_since?.getTime() ?? 0,
    consumption: { consumed: numbersIn(row.consumed), on: row.consumed_on },
    changed: false,
  };
};

const DOCUMENTS_KEPT = 1000;
const documents = new Map<string, LimitDocument>();

/** Read once for all cards that have the same. */
function documentOf(text: string): LimitDocument {
  const known = documents.get(text);
  if (known !== undefined) return known;
  if (documents.size >= DOCUMENTS_KEPT) documents.clear();
  const read = JSON.parse(text) as LimitDocument;
  documents.set(text, read);
  return read;
}

/** `{1,2,3}` of PostgreSQL. */
const numbersIn = (array: string): number[] => array.slice(1, -1).split(',').map(Number);

/** Limits as a decision sees them; null where nobody set any. */
export function limitsViewOf(
  document: LimitDocument | null,
  version: number,
  counted: Counted,
  nowMs: number,
): LimitsView | null {
  if (document === null) return null;
  const { budget } = document;
  return {
    document,
    version,
    counted: consumptionOn(counted.consumption, localDay(nowMs, counted.zone)),
    localNow: budget === null ? '' : localDateTime(nowMs, budget.timezone),
  };
}

type Charged = Pick<
  Lifecycle,
  'type' | 'category' | 'captureMode' | 'originalCurrency' | 'currency' | 'cashback'
>;

/** What a transaction costs its holder: what is held and what was cleared (money 9). */
const costOf = (fold: Pick<Fold, 'held' | 'cleared'> | undefined): number =>
  fold === undefined ? 0 : fold.held + fold.cleared;

/**
 * Counts what an outcome changes for its card and customer: what is added counts today, what is given back goes to the
 * day on which the transaction was made, in the zone of each counter. Credits, inquiries and adjustments are not
 * counted, and nothing is given back to a counter that was not there when it was taken (money 9).
 */
export function count(
  counters: readonly Counted[],
  { transaction }: Effects,
  before: Lifecycle | undefined,
  charged: Charged,
  nowMs: number,
): void {
  if (transaction === null || !isCounted(charged)) return;
  const cost = { before: costOf(before), after: costOf(transaction.fold) };
  if (cost.before === cost.after) return;
  const madeAtMs = before?.createdAtMs ?? nowMs;
  const givesBack = cost.after < cost.before;
  for (const counted of counters) {
    if (givesBack && madeAtMs < counted.sinceMs) continue;
    const today = localDay(nowMs, counted.zone);
    const firstDay = localDay(madeAtMs, counted.zone);
    const hasBudget =
      (counted.document?.budget ?? null) !== null && !(givesBack && madeAtMs < counted.budgetSinceMs);
    const charge = { what: countableOf(charged), ...cost, firstDay };
    counted.consumption = consume(counted.consumption, today, charge, hasBudget);
    counted.changed = true;
  }
}

const isCounted = ({ category, type }: Charged): boolean =>
  category === 'DEBIT' && type !== 'adjustment' && type !== 'balance_inquiry';

const countableOf = ({ type, captureMode, originalCurrency, currency, cashback }: Charged): Countable => ({
  type,
  captureMode,
  foreign: originalCurrency !== null && originalCurrency !== currency,
  cashback,
});
