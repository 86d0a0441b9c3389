import type { AccountCode } from './account.ts';

/** Who pays the network: A = the platform holds the money, funded by credit; B = funded by a deposit (money 3.2). */
export type FundingKind = 'A' | 'B';

/** Sums that an entry is made of; `hold` is the open rest that its transaction still holds. */
interface Sums {
  readonly amount: number;
  readonly hold: number;
}

/** Named parts of an entry: a, i, r or c of the table; h; min(c, h); c - h; h - c. */
export const PARTS = {
  amount: ({ amount }: Sums) => amount,
  hold: ({ hold }: Sums) => hold,
  within: ({ amount, hold }: Sums) => Math.min(amount, hold),
  excess: ({ amount, hold }: Sums) => Math.max(amount - hold, 0),
  unused: ({ amount, hold }: Sums) => Math.max(hold - amount, 0),
} as const satisfies Record<string, (sums: Sums) => number>;
export type Part = keyof typeof PARTS;

export type Posting = readonly [debit: AccountCode, credit: AccountCode, part: Part];

export interface TableRow {
  /** Row of the table in money 3.2. */
  readonly row: number;
  /** Transfers by who pays the network, in order. */
  readonly A: readonly Posting[];
  readonly B: readonly Posting[];
  /** What happens to the user's hold: the part reserved, used by the user's own posting, and freed. */
  readonly reserves?: Part;
  readonly uses?: Part;
  readonly frees?: Part;
  /** Other side of the hold where it is not that of card traffic (`HOLDS`). */
  readonly against?: AccountCode;
}

/** Accounts of the PENDING transfer behind a hold of card traffic: the customer's, and what clearing credits. */
export const HOLDS: Readonly<Record<FundingKind, { readonly debit: AccountCode; readonly credit: AccountCode }>> =
  { A: { debit: 'U', credit: 'NS' }, B: { debit: 'U', credit: 'PH' } }; // prettier-ignore

/** A row whose transfers are the same whoever pays the network. */
const either = (row: number, ...postings: readonly Posting[]): TableRow => ({
  row,
  A: postings,
  B: postings,
});

/**
 * Event -> postings for balances that the platform holds (money 3.2). A later kind of programme or event is
 * more rows and columns here, not code: `entryOf` reads nothing else. Row 4 (declined) posts nothing, row 22
 * (transfer in one currency) is row 18 of the one balance and row 17 of the other.
 */
export const POSTING_TABLE = {
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
  provisionalCredit: either(12, ['CB', 'U', 'amount']),
  chargebackAfterProvisional: {
    row: 13,
    A: [['NS', 'CB', 'amount']],
    B: [
      ['PH', 'CB', 'amount'],
      ['NS', 'PD', 'amount'],
    ],
  },
  chargebackTakenBack: either(14, ['U', 'CB', 'amount']),
  chargebackWrittenOff: either(14, ['WO', 'CB', 'amount']),
  interchangeCredit: either(15, ['NS', 'CO', 'amount']),
  interchangeDebit: either(15, ['CO', 'NS', 'amount']),
  userCredit: { row: 17, A: [['PC', 'U', 'amount']], B: [['PH', 'U', 'amount']] },
  funding: { row: 18, A: [['U', 'PC', 'amount']], B: [['U', 'PH', 'amount']] },
  withdrawal: { row: 19, A: [['U', 'PO', 'amount']], B: [['U', 'PH', 'amount']] },
  withdrawalConfirmed: { row: 19, A: [['PO', 'BK', 'amount']], B: [] },
  feeHold: { ...either(20), reserves: 'amount', against: 'CO' },
  feeRelease: { ...either(20), frees: 'amount', against: 'CO' },
  fee: { ...either(20, ['U', 'CO', 'amount']), uses: 'within' },
  partnerRevenue: either(21, ['U', 'RV', 'amount']),
  collateralCredit: { row: 24, A: [['BK', 'PC', 'amount']], B: [['BK', 'PD', 'amount']] },
  collateralDebit: { row: 24, A: [['PC', 'BK', 'amount']], B: [['PD', 'BK', 'amount']] },
  companyCredit: either(25, ['BK', 'CO', 'amount']),
  companyDebit: either(25, ['CO', 'BK', 'amount']),
  ibanTechnicalCredit: either(26, ['BK', 'IT', 'amount']),
  ibanTechnicalDebit: either(26, ['IT', 'BK', 'amount']),
  manualCredit: either(32, ['CO', 'U', 'amount']),
  manualDebit: either(32, ['U', 'CO', 'amount']),
  writeOff: either(33, ['WO', 'U', 'amount']),
  unknownCardItem: either(34, ['SU', 'NS', 'amount']),
  unknownCardPlaced: {
    row: 34,
    A: [['U', 'SU', 'amount']],
    B: [
      ['U', 'PH', 'amount'],
      ['PD', 'SU', 'amount'],
    ],
  },
  /** The opposite of the first leg: a record that was refused after all (authorization 13, REJECT_RECORD). */
  unknownCardRejected: either(34, ['NS', 'SU', 'amount']),
  revenuePaidOut: either(35, ['RV', 'BK', 'amount']),
  companyPaidOut: either(35, ['CO', 'BK', 'amount']),
} as const satisfies Readonly<Record<string, TableRow>>;

export type PostingEvent = keyof typeof POSTING_TABLE;
