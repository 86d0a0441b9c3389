import { aPurchase, aRecord, aReversal, type TestCard } from './card-traffic.ts';
import type { Action } from './scenario-messages.ts';

/** What may happen to one purchase of 5000. */
export const PURCHASE_EVENTS = ['authorize', 'increment', 'partialReversal', 'clear', 'clearAgain', 'reverse', 'expire'] as const; // prettier-ignore
export type PurchaseEvent = (typeof PURCHASE_EVENTS)[number];

const AMOUNTS: Readonly<Record<PurchaseEvent, number>> = {
  authorize: 5000,
  increment: 1000,
  partialReversal: 2000,
  clear: 3000,
  clearAgain: 4000,
  reverse: 0,
  expire: 0,
};

/** One event with its amount in minor units; a reversal of everything has none. */
export type PurchaseStep = readonly [event: PurchaseEvent, amount: number];

/** The events with the amounts that the orders are tried with. */
export const stepsOf = (events: readonly PurchaseEvent[]): PurchaseStep[] =>
  events.map((event) => [event, AMOUNTS[event]]);

/** All orders of at most `length` different events. */
export function ordersUpTo(length: number): PurchaseEvent[][] {
  const grow = (sofar: readonly PurchaseEvent[]): PurchaseEvent[][] =>
    sofar.length === length
      ? []
      : PURCHASE_EVENTS.filter((one) => !sofar.includes(one)).flatMap((one) => {
          const order = [...sofar, one];
          return [order, ...grow(order)];
        });
  return grow([]);
}

/** Makes the messages about one purchase, whatever order they come in. `clear` is not final, `clearAgain` is. */
export function purchaseActions(card: TestCard): (step: PurchaseStep) => Action {
  const first = aPurchase(card, AMOUNTS.authorize);
  const { networkReferenceId } = first;
  return ([event, amount]) => {
    const purchase = { ...first, amount };
    switch (event) {
      case 'authorize':
        return { kind: 'authorize', message: purchase };
      case 'increment':
        return {
          kind: 'authorize',
          message: aPurchase(card, amount, { kind: 'INCREMENTAL', networkReferenceId }),
        };
      case 'partialReversal':
        return { kind: 'reverse', message: aReversal(purchase, { amount, currency: 'EUR' }) };
      case 'clear':
        return {
          kind: 'clear',
          record: aRecord(purchase, amount, { final: false, clearingSequence: next() }),
        };
      case 'clearAgain':
        return { kind: 'clear', record: aRecord(purchase, amount, { clearingSequence: next() }) };
      case 'reverse':
        return { kind: 'reverse', message: aReversal(purchase) };
      case 'expire':
        return { kind: 'expire' };
    }
  };
}

let sequence = 0;
/** Two records of one purchase that say the same would be one record sent twice. */
const next = (): number => (sequence += 1);

type Life = {
  state: 'AUTHORIZED' | 'PARTLY_CLEARED' | 'CLEARED' | 'REVERSED' | 'EXPIRED' | 'DECLINED';
  held: number;
  /** Made by the authorization; others are forced clearings. */
  readonly asked: boolean;
  /** Amount of a forced clearing that has not met its authorization. */
  alone: number | null;
};

/** What the chapter says must be posted and held after these events, in the plainest words. */
export function expectedBooks(posted: number, steps: readonly PurchaseStep[]) {
  const lives: Life[] = [];
  /** What reversals gave back before the purchase came; null = everything. */
  const early: (number | null)[] = [];
  let left = posted;

  const giveBack = (life: Life, amount: number): void => {
    life.held -= Math.min(amount, life.held);
    if (life.held === 0) life.state = life.state === 'PARTLY_CLEARED' ? 'CLEARED' : 'REVERSED';
  };
  const reverse = (amount: number | null): void => {
    const own = lives.find((life) => life.asked);
    if (own !== undefined && own.held > 0) giveBack(own, amount ?? own.held);
    else if (lives.length === 0) early.push(amount);
  };
  const clear = (amount: number, final: boolean): void => {
    left -= amount;
    const alive = lives.filter((life) => life.state !== 'DECLINED');
    const fitting = alive.filter((life) => life.held === amount);
    const [one, ...others] = alive.length === 1 ? alive : fitting;
    if (one === undefined || others.length > 0) {
      lives.push({ state: 'CLEARED', held: 0, asked: false, alone: amount });
      return;
    }
    one.held = final || one.held < amount ? 0 : one.held - amount;
    one.state = one.held === 0 ? 'CLEARED' : 'PARTLY_CLEARED';
  };

  const affords = (amount: number): boolean =>
    left - lives.reduce((sum, life) => sum + life.held, 0) >= amount;

  for (const [event, amount] of steps) {
    switch (event) {
      case 'authorize': {
        const late = lives.find((life) => life.alone === amount);
        if (late !== undefined) {
          // Its clearing came first: there is nothing to hold, and it is not met a second time.
          late.alone = null;
          break;
        }
        const given = early.reduce<number>((sum, one) => sum + (one ?? Infinity), 0);
        const held = affords(amount) ? Math.max(0, amount - given) : 0;
        lives.push({ state: held > 0 ? 'AUTHORIZED' : 'DECLINED', held, asked: true, alone: null });
        break;
      }
      case 'increment': {
        const open = lives.find((life) => life.state === 'AUTHORIZED');
        if (open !== undefined && affords(amount)) open.held += amount;
        break;
      }
      case 'partialReversal':
        reverse(amount);
        break;
      case 'reverse':
        reverse(null);
        break;
      case 'clear':
      case 'clearAgain':
        clear(amount, event === 'clearAgain');
        break;
      case 'expire':
        for (const life of lives) {
          if (life.held === 0) continue;
          life.state = life.state === 'PARTLY_CLEARED' ? 'CLEARED' : 'EXPIRED';
          life.held = 0;
        }
        break;
    }
  }
  return { posted: left, held: lives.reduce((sum, life) => sum + life.held, 0) };
}
