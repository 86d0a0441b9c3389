import type { PostingEvent } from './posting-table.ts';

/** Why an operator moves money by hand (money 4.6). */
export const ADJUSTMENT_REASONS = [
  'GOODWILL',
  'CORRECTION',
  'WRITE_OFF',
  'PROVISIONAL_CREDIT',
  'CHARGEBACK_LOST',
] as const;
export type AdjustmentReason = (typeof ADJUSTMENT_REASONS)[number];

export interface AdjustmentRule {
  /** Row of the posting table by direction; a direction left out is not open to the reason. */
  readonly CREDIT?: PostingEvent;
  readonly DEBIT?: PostingEvent;
  /** May take a balance below zero, and post whatever the state of the balance. */
  readonly forced: boolean;
}

/**
 * What each reason books (rows 32, 33, 12, 14). A lost chargeback is taken back from the customer by a DEBIT;
 * a CREDIT leaves the provisional credit with the customer and writes it off, which moves no balance.
 */
export const ADJUSTMENTS: Readonly<Record<AdjustmentReason, AdjustmentRule>> = {
  GOODWILL: { CREDIT: 'manualCredit', DEBIT: 'manualDebit', forced: false },
  CORRECTION: { CREDIT: 'manualCredit', DEBIT: 'manualDebit', forced: true },
  WRITE_OFF: { CREDIT: 'writeOff', forced: true },
  PROVISIONAL_CREDIT: { CREDIT: 'provisionalCredit', forced: false },
  CHARGEBACK_LOST: { CREDIT: 'chargebackWrittenOff', DEBIT: 'chargebackTakenBack', forced: true },
};
