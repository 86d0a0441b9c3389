/** Card states, locks and who may lift them (cards 3, 4.5, 4.6). */

export type CardBaseState = 'PENDING' | 'INACTIVE' | 'ACTIVE' | 'REMOVED' | 'FAILED';
export type CardState = CardBaseState | 'LOCKED' | 'EXPIRED';
export type LockParty = 'customer' | 'partner' | 'operator' | 'processor' | 'system';

export interface LockReason {
  readonly code: number;
  readonly constant: string;
  readonly irreversible: boolean;
}

const LOCK_REASONS: readonly LockReason[] = [
  { code: 1, constant: 'CARD_LOST', irreversible: true },
  { code: 2, constant: 'CARD_STOLEN', irreversible: true },
  { code: 3, constant: 'PENDING_QUERY', irreversible: false },
  { code: 4, constant: 'CARD_CONSOLIDATION', irreversible: false },
  { code: 5, constant: 'CARD_INACTIVE', irreversible: true },
  { code: 6, constant: 'PIN_TRIES_EXCEEDED', irreversible: false },
  { code: 7, constant: 'SUSPECTED_FRAUD', irreversible: false },
  { code: 8, constant: 'CARD_REPLACED', irreversible: true },
  { code: 11, constant: 'OFFLINE_PIN_TRIES_EXCEEDED', irreversible: false },
];

/** The lock reason of a code or of its constant in any case, or undefined. */
export function lockReason(codeOrConstant: number | string): LockReason | undefined {
  const constant = String(codeOrConstant).toUpperCase();
  return LOCK_REASONS.find((one) => one.code === Number(codeOrConstant) || one.constant === constant);
}

/** The lock reason of a stored code. */
export function lockReasonOf(code: number): LockReason {
  const found = lockReason(code);
  if (found === undefined) throw new Error(`no lock reason has code ${code}`);
  return found;
}

/** Constant told to a partner: code 11 has none of its own there (partner-integrations 11.3). */
export const notifiedReason = (code: number): string =>
  code === 11 ? 'PIN_TRIES_EXCEEDED' : lockReasonOf(code).constant;

export interface OpenLock {
  readonly code: number;
  readonly placedBy: LockParty;
  readonly placedAt: Date;
}

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

/** The lock shown on a card: an irreversible one first, then the oldest. */
export function worstLock(locks: readonly OpenLock[]): OpenLock | null {
  const ordered = locks.toSorted(
    (one, other) =>
      Number(lockReasonOf(other.code).irreversible) - Number(lockReasonOf(one.code).irreversible) ||
      one.placedAt.getTime() - other.placedAt.getTime(),
  );
  return ordered[0] ?? null;
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

export type UnlockVerdict<L extends OpenLock> =
  | { readonly lift: readonly L[] }
  | { readonly refused: 'CARD_NOT_LOCKED' | 'LOCK_IRREVERSIBLE' | 'LOCK_NOT_LIFTABLE' };

/** Which locks a party lifts, or why none (cards 4.6). */
export function decideUnlock<L extends OpenLock>(locks: readonly L[], party: LockParty): UnlockVerdict<L> {
  if (locks.length === 0) return { refused: 'CARD_NOT_LOCKED' };
  if (locks.some((lock) => lockReasonOf(lock.code).irreversible)) return { refused: 'LOCK_IRREVERSIBLE' };
  const lift = locks.filter((lock) => mayLift(lock, party));
  return lift.length === 0 ? { refused: 'LOCK_NOT_LIFTABLE' } : { lift };
}

function mayLift(lock: OpenLock, party: LockParty): boolean {
  switch (party) {
    case 'operator':
    case 'system':
      return true;
    case 'partner':
      return lock.placedBy !== 'operator';
    case 'customer':
      return lock.placedBy === 'customer' || lock.code === 6 || lock.code === 11;
    case 'processor':
      return lock.placedBy === 'processor';
  }
}

/** Last day of the month `YYYY-MM`, as a card's expiry date. */
export function lastDayOfMonth(month: string): string {
  const [year = 0, number = 0] = month.split('-').map(Number);
  const leap = (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0;
  const days = [31, leap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31][number - 1];
  if (days === undefined) throw new RangeError('a month is written YYYY-MM');
  return `${month}-${String(days).padStart(2, '0')}`;
}
