import { lockReasonOf, type OpenLock } from './card-lock.ts';

/** Card states and what follows from them (cards 3, 4.4). */

export type CardBaseState = 'PENDING' | 'INACTIVE' | 'ACTIVE' | 'REMOVED' | 'FAILED';
export type CardState = CardBaseState | 'LOCKED' | 'EXPIRED';

/** The state a caller sees; `today` is a day YYYY-MM-DD, a card is good through its expiry date. */
export function wireState(
  base: CardBaseState,
  expiryDate: string | null,
  locks: readonly OpenLock[],
  today: string,
): CardState {
  if (base === 'REMOVED' || base === 'FAILED') return base;
  if (expiryDate !== null && expiryDate < today) return 'EXPIRED';
  return locks.length > 0 ? 'LOCKED' : base;
}

/** Why full card data cannot be shown, or null when it can (cards 4.4). */
export function fullDataRefusal(
  base: CardBaseState,
  expiryDate: string | null,
  locks: readonly OpenLock[],
  today: string,
): 'CARD_NOT_READY' | 'CARD_NOT_ACTIVE' | 'CARD_DATA_UNAVAILABLE' | null {
  if (base === 'PENDING' || base === 'FAILED') return 'CARD_NOT_READY';
  if (base === 'REMOVED' || wireState(base, expiryDate, [], today) === 'EXPIRED')
    return 'CARD_DATA_UNAVAILABLE';
  if (locks.some((lock) => lockReasonOf(lock.code).irreversible)) return 'CARD_DATA_UNAVAILABLE';
  return base === 'INACTIVE' ? 'CARD_NOT_ACTIVE' : null;
}

/** Last day of the month `YYYY-MM`, as a card's expiry date. */
export function lastDayOfMonth(month: string): string {
  const [year = 0, number = 0] = month.split('-').map(Number);
  const leap = (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0;
  const days = [31, leap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31][number - 1];
  if (days === undefined) throw new RangeError('a month is written YYYY-MM');
  return `${month}-${String(days).padStart(2, '0')}`;
}
