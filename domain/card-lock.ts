/** The reasons a card is locked for, and who may lift them (cards 4.5, 4.6). */

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

/** Codes of all lock reasons. */
export const LOCK_CODES = LOCK_REASONS.map(({ code }) => code);

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

/** The lock shown on a card: an irreversible one first, then the oldest. */
export function worstLock(locks: readonly OpenLock[]): OpenLock | null {
  const ordered = locks.toSorted(
    (one, other) =>
      Number(lockReasonOf(other.code).irreversible) - Number(lockReasonOf(one.code).irreversible) ||
      one.placedAt.getTime() - other.placedAt.getTime(),
  );
  return ordered[0] ?? null;
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
