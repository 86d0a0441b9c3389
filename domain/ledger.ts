import type { AccountCode, GuardedCode } from './account.ts';
import { add, minorUnits, subtract } from './money.ts';
import {
  type FundingKind,
  HOLDS,
  type Part,
  PARTS,
  POSTING_TABLE,
  type PostingEvent,
  type TableRow,
} from './posting-table.ts';

export { ACCOUNT_CODES, type AccountCode, type GuardedCode, isGuarded } from './account.ts';
export { type FundingKind, POSTING_TABLE, type PostingEvent } from './posting-table.ts';

/** Key of a PENDING transfer inside its transaction. */
export interface TransferKey {
  readonly eventSeq: number;
  readonly seq: number;
}

/** A PENDING transfer with the part of it that is neither posted nor voided. */
export interface OpenHold extends TransferKey {
  readonly remaining: number;
}

/** One debit and one equal credit; POSTED and VOIDED ones with `of` use up or free a PENDING one. */
export interface Transfer {
  readonly seq: number;
  readonly debit: AccountCode;
  readonly credit: AccountCode;
  readonly amount: number;
  readonly state: 'PENDING' | 'POSTED' | 'VOIDED';
  readonly of: TransferKey | null;
}

/** Kind of a platform-held programme by how it is funded. */
export const fundingKindOf = (funding: 'credit' | 'deposit'): FundingKind =>
  funding === 'credit' ? 'A' : 'B';

/** Accounts that an event may move in a programme of that kind, each once. */
export function accountsOf(event: PostingEvent, kind: FundingKind): readonly AccountCode[] {
  const { reserves, frees, against, ...row }: TableRow = POSTING_TABLE[event];
  const hold = HOLDS[kind];
  const held = reserves === undefined && frees === undefined ? [] : [hold.debit, against ?? hold.credit];
  return [...new Set([...row[kind].flatMap(([debit, credit]) => [debit, credit]), ...held])];
}

/**
 * The transfers of one event, in order, numbered from `firstSeq`. `amount` is what the event is about;
 * `holds` are the open holds of its transaction, used and freed oldest first. Parts that are zero leave no
 * transfer. Throws when more is freed than is held: a defect of the caller.
 */
export function entryOf(
  event: PostingEvent,
  kind: FundingKind,
  amount: number,
  holds: readonly OpenHold[] = [],
  firstSeq = 1,
): Transfer[] {
  const row: TableRow = POSTING_TABLE[event];
  const hold = { ...HOLDS[kind], ...(row.against === undefined ? {} : { credit: row.against }) };
  const part = partsOf(amount, heldOf(holds));
  const draft: Omit<Transfer, 'seq'>[] = [];
  if (row.reserves !== undefined) {
    draft.push({ ...hold, amount: part(row.reserves), state: 'PENDING', of: null });
  }
  let open = holds;
  for (const [debit, credit, name] of row[kind]) {
    const value = part(name);
    if (debit === hold.debit && row.uses !== undefined) {
      const used = take(open, part(row.uses));
      open = used.rest;
      draft.push(...used.taken.map((one) => ({ debit, credit, ...one, state: 'POSTED' as const })));
      draft.push({ debit, credit, amount: subtract(value, part(row.uses)), state: 'POSTED', of: null });
    } else {
      draft.push({ debit, credit, amount: value, state: 'POSTED', of: null });
    }
  }
  if (row.frees !== undefined) {
    const freed = take(open, part(row.frees)).taken;
    draft.push(...freed.map((one) => ({ ...hold, state: 'VOIDED' as const, ...one })));
  }
  return draft.filter((one) => one.amount > 0).map((one, at) => ({ seq: firstSeq + at, ...one }));
}

/** Sum of what is still held. */
export const heldOf = (holds: readonly OpenHold[]): number =>
  holds.reduce((sum, hold) => add(sum, hold.remaining), 0);

function partsOf(amount: number, hold: number): (part: Part) => number {
  if (minorUnits(amount) < 0) throw new RangeError('an entry needs an amount that is not negative');
  return (part) => PARTS[part]({ amount, hold });
}

function take(holds: readonly OpenHold[], amount: number) {
  const taken: { amount: number; of: TransferKey }[] = [];
  const rest: OpenHold[] = [];
  let left = amount;
  for (const hold of holds) {
    const part = Math.min(hold.remaining, left);
    left -= part;
    if (part > 0) taken.push({ amount: part, of: { eventSeq: hold.eventSeq, seq: hold.seq } });
    if (hold.remaining > part) rest.push({ ...hold, remaining: hold.remaining - part });
  }
  if (left > 0) throw new RangeError('an entry cannot use more than is held');
  return { taken, rest };
}

/** Open holds after `transfers` of event `eventSeq`. */
export function holdsAfter(
  holds: readonly OpenHold[],
  eventSeq: number,
  transfers: readonly Transfer[],
): OpenHold[] {
  const after = new Map(holds.map((hold) => [`${hold.eventSeq}/${hold.seq}`, hold]));
  for (const { seq, amount, state, of } of transfers) {
    if (state === 'PENDING') after.set(`${eventSeq}/${seq}`, { eventSeq, seq, remaining: amount });
    const used = of === null ? undefined : after.get(`${of.eventSeq}/${of.seq}`);
    if (used !== undefined) {
      after.set(`${used.eventSeq}/${used.seq}`, { ...used, remaining: subtract(used.remaining, amount) });
    }
  }
  return [...after.values()].filter((hold) => hold.remaining > 0);
}

/** Cached value of a guarded account; value = credits - debits (all guarded accounts are of the credit side). */
export interface AccountValue {
  readonly posted: number;
  readonly held: number;
}

/** Posted value less what is held; never clamped. */
export const availableOf = (value: AccountValue): number => subtract(value.posted, value.held);

/** Value of the account `code` after one transfer; unchanged where the transfer does not touch it. */
export function valueAfter(value: AccountValue, code: GuardedCode, transfer: Transfer): AccountValue {
  const { debit, credit, amount, state, of } = transfer;
  let { posted, held } = value;
  if (debit === code) {
    if (state === 'PENDING') held = add(held, amount);
    if (of !== null) held = subtract(held, amount);
    if (state === 'POSTED') posted = subtract(posted, amount);
  }
  if (credit === code && state === 'POSTED') posted = add(posted, amount);
  return { posted, held };
}

/** Values of the account `code` after all `transfers`. */
export const valueAfterAll = (
  value: AccountValue,
  code: GuardedCode,
  transfers: readonly Transfer[],
): AccountValue => transfers.reduce((sofar, transfer) => valueAfter(sofar, code, transfer), value);
