/** How a person may end an exception (authorization 13). */
export const RESOLUTIONS = [
  'ACCEPT',
  'LINK',
  'ADJUST',
  'WRITE_OFF',
  'REASSIGN',
  'REJECT_RECORD',
  'DISPUTE',
] as const;
export type Resolution = (typeof RESOLUTIONS)[number];

interface Ways {
  readonly by: readonly Resolution[];
  /** Which way an adjustment takes the customer's money: back to them, or back from them. */
  readonly adjusts?: 'CREDIT' | 'DEBIT';
}

const ACCEPT_ONLY: Ways = { by: ['ACCEPT'] };
/** The customer may have been charged wrongly. */
const CHARGED: Ways = { by: ['ACCEPT', 'ADJUST', 'DISPUTE'], adjusts: 'CREDIT' };
/** A charge that may belong to an authorization which it did not find. */
const UNMATCHED: Ways = { by: ['ACCEPT', 'LINK', 'ADJUST', 'DISPUTE'], adjusts: 'CREDIT' };
/** The customer may lack money that the merchant gave back. */
const NOT_GIVEN_BACK: Ways = { by: ['ACCEPT', 'ADJUST'], adjusts: 'CREDIT' };
/** The customer may have been given too much. */
const GIVEN: Ways = { by: ['ACCEPT', 'ADJUST'], adjusts: 'DEBIT' };

const WAYS: Readonly<Record<string, Ways>> = {
  OVER_CLEARING: CHARGED,
  FX_OUTLIER: CHARGED,
  CLEARING_AFTER_REVERSAL: CHARGED,
  CLEARING_AFTER_DECLINE: CHARGED,
  EXTRA_CLEARING: CHARGED,
  STAND_IN_CONFLICT: CHARGED,
  SECOND_PRESENTMENT: NOT_GIVEN_BACK,
  FORCE_POST: UNMATCHED,
  AMBIGUOUS_MATCH: UNMATCHED,
  OVER_REVERSAL: NOT_GIVEN_BACK,
  REVERSAL_AFTER_CLEARING: NOT_GIVEN_BACK,
  AMBIGUOUS_REVERSAL: NOT_GIVEN_BACK,
  REFUND_EXCEEDS: GIVEN,
  CREDIT_NOT_CLEARED: GIVEN,
  UNLINKED_REFUND: { by: ['ACCEPT', 'LINK', 'ADJUST'], adjusts: 'DEBIT' },
  NEGATIVE_BALANCE: { by: ['ACCEPT', 'WRITE_OFF'] },
  STAND_IN_OVER_FUNDS: { by: ['ACCEPT', 'WRITE_OFF'] },
  CLOSED_BALANCE: { by: ['ACCEPT', 'ADJUST', 'WRITE_OFF'], adjusts: 'DEBIT' },
  RECORD_INVALID: { by: ['ACCEPT', 'REJECT_RECORD'] },
  UNKNOWN_CARD: { by: ['REASSIGN', 'REJECT_RECORD'] },
};

/** The resolutions of a kind; what jobs and processes report is accepted once it is dealt with. */
export const resolutionsOf = (kind: string): readonly Resolution[] => (WAYS[kind] ?? ACCEPT_ONLY).by;

/** Direction of an adjustment for a kind that has one. */
export const adjustmentOf = (kind: string): 'CREDIT' | 'DEBIT' | null => WAYS[kind]?.adjusts ?? null;

/** Resolutions that move money need a second operator (money 0, four eyes). */
export const movesMoney = (resolution: Resolution): boolean =>
  resolution === 'ADJUST' || resolution === 'WRITE_OFF' || resolution === 'REASSIGN';
