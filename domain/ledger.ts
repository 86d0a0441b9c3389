import { add, minorUnits, subtract } from './money.ts';

/** Places of the chart of accounts (money 3.1). U is the customer's balance, PC, PD, CO, IT the partner's. */
export const ACCOUNT_CODES = [
  'U', 'XU', 'XC', 'PC', 'PD', 'CO', 'IT', 'RV', 'WO', 'BK', 'NS', 'NR', 'PH', 'IC', 'IH', 'PO', 'CB', 'SU', 'FX',
] as const; // prettier-ignore
export type AccountCode = (typeof ACCOUNT_CODES)[number];

/** Accounts with a cached value, locked by every writer; the others are only ever inserted to. */
export type GuardedCode = 'U' | 'XU' | 'PC' | 'PD' | 'CO' | 'IT';
const GUARDED: readonly AccountCode[] = ['U', 'XU', 'PC', 'PD', 'CO', 'IT'];

/** True for an account that has a cached value. */
export const isGuarded = (code: AccountCode): code is GuardedCode => GUARDED.includes(code);

/** Who pays the network: A = the platform holds the money, funded by credit; B = funded by a deposit (money 3.2). */
export type FundingKind = 'A' | 'B';

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

export type PostingEvent =
  | 'authorization'
  | 'increment'
  | 'release'
  | 'clearing'
  | 'clearingBelowHold'
  | 'clearingAboveHold'
  | 'forcePost'
  | 'refund'
  | 'interchangeCredit'
  | 'interchangeDebit'
  | 'userCredit'
  | 'collateralCredit';

/** amount = a, i, r or c of the table; within, excess, unused = min(c,h), c-h, h-c; hold = h, the open rest. */
type Part = 'amount' | 'hold' | 'within' | 'excess' | 'unused';
type Posting = readonly [debit: AccountCode, credit: AccountCode, part: Part];

interface TableRow {
  /** Row of the table in money 3.2. */
  readonly row: number;
  readonly A: readonly Posting[];
  readonly B: readonly Posting[];
  /** What happens to the user's hold: the part reserved, used by the U posting, and freed. */
  readonly reserves?: Part;
  readonly uses?: Part;
  readonly frees?: Part;
}

/** Event -> postings (money 3.2), rows of platform-held balances that exist so far. */
export const POSTING_TABLE: Readonly<Record<PostingEvent, TableRow>> = {
  authorization: { row: 1, A: [], B: [['PD', 'NR', 'amount']], reserves: 'amount' },
  increment: { row: 2, A: [], B: [['PD', 'NR', 'amount']], reserves: 'amount' },
  release: { row: 3, A: [], B: [['NR', 'PD', 'amount']], frees: 'amount' },
  clearing: {
    row: 5,
    A: [['U', 'NS', 'amount']],
    B: [
      ['U', 'PH', 'amount'],
      ['NR', 'NS', 'amount'],
    ],
    uses: 'within',
  },
  clearingBelowHold: {
    row: 6,
    A: [['U', 'NS', 'amount']],
    B: [
      ['U', 'PH', 'amount'],
      ['NR', 'NS', 'amount'],
      ['NR', 'PD', 'unused'],
    ],
    uses: 'within',
    frees: 'unused',
  },
  clearingAboveHold: {
    row: 7,
    A: [['U', 'NS', 'amount']],
    B: [
      ['U', 'PH', 'amount'],
      ['NR', 'NS', 'hold'],
      ['PD', 'NS', 'excess'],
    ],
    uses: 'within',
  },
  forcePost: {
    row: 8,
    A: [['U', 'NS', 'amount']],
    B: [
      ['U', 'PH', 'amount'],
      ['PD', 'NS', 'amount'],
    ],
  },
  refund: {
    row: 11,
    A: [['NS', 'U', 'amount']],
    B: [
      ['PH', 'U', 'amount'],
      ['NS', 'PD', 'amount'],
    ],
  },
  interchangeCredit: { row: 15, A: [['NS', 'CO', 'amount']], B: [['NS', 'CO', 'amount']] },
  interchangeDebit: { row: 15, A: [['CO', 'NS', 'amount']], B: [['CO', 'NS', 'amount']] },
  userCredit: { row: 17, A: [['PC', 'U', 'amount']], B: [['PH', 'U', 'amount']] },
  collateralCredit: { row: 24, A: [['BK', 'PC', 'amount']], B: [['BK', 'PD', 'amount']] },
};

/** Account that the clearing of a hold will credit: the other side of the user's PENDING transfer. */
const holdCredit = (kind: FundingKind): AccountCode => (kind === 'A' ? 'NS' : 'PH');

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
  const row = POSTING_TABLE[event];
  const part = partsOf(amount, heldOf(holds));
  const draft: Omit<Transfer, 'seq'>[] = [];
  if (row.reserves !== undefined) {
    draft.push({
      debit: 'U',
      credit: holdCredit(kind),
      amount: part[row.reserves],
      state: 'PENDING',
      of: null,
    });
  }
  let open = holds;
  for (const [debit, credit, name] of row[kind]) {
    const value = part[name];
    if (debit === 'U' && row.uses !== undefined) {
      const used = take(open, part[row.uses]);
      open = used.rest;
      draft.push(...used.taken.map((one) => ({ debit, credit, ...one, state: 'POSTED' as const })));
      draft.push({ debit, credit, amount: subtract(value, part[row.uses]), state: 'POSTED', of: null });
    } else {
      draft.push({ debit, credit, amount: value, state: 'POSTED', of: null });
    }
  }
  if (row.frees !== undefined) {
    const voided = { debit: 'U', credit: holdCredit(kind), state: 'VOIDED' } as const;
    draft.push(...take(open, part[row.frees]).taken.map((one) => ({ ...voided, ...one })));
  }
  return draft.filter((one) => one.amount > 0).map((one, at) => ({ seq: firstSeq + at, ...one }));
}

/** Sum of what is still held. */
export const heldOf = (holds: readonly OpenHold[]): number =>
  holds.reduce((sum, hold) => add(sum, hold.remaining), 0);

function partsOf(amount: number, hold: number): Record<Part, number> {
  if (minorUnits(amount) < 0) throw new RangeError('an entry needs an amount that is not negative');
  return {
    amount,
    hold,
    within: Math.min(amount, hold),
    excess: Math.max(subtract(amount, hold), 0),
    unused: Math.max(subtract(hold, amount), 0),
  };
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
