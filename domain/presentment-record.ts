import type { ExceptionKind } from './decision.ts';

export type RecordType =
  'PURCHASE' | 'CASH' | 'REFUND' | 'CREDIT' | 'REFUND_REVERSAL' | 'CHARGEBACK' | 'SECOND_PRESENTMENT';

/** Which way a record moves money, as files and messages add it up (processor 4.1). */
export const directionOf = (recordType: RecordType): 'debit' | 'credit' =>
  recordType === 'REFUND' || recordType === 'CREDIT' || recordType === 'CHARGEBACK' ? 'credit' : 'debit';

/** One clearing record, normalized; `amount` and `currency` are the network's billing amount. */
export interface PresentmentCommand {
  readonly recordId: string;
  readonly recordType: RecordType;
  readonly amount: number;
  readonly currency: string;
  readonly originalAmount: number | null;
  readonly originalCurrency: string | null;
  readonly final: boolean;
  readonly networkReference: string | null;
  readonly rrn: string | null;
  readonly approvalCode: string | null;
  readonly externalId: string;
  readonly referenceExternalId: string | null;
  readonly merchantIdentifier: string | null;
  /** Positive = the company earns it; null when not sent. */
  readonly interchangeAmount: number | null;
  readonly interchangeCurrency: string | null;
  /** Acquirer reference number. */
  readonly arn: string | null;
  /** `YYYY-MM-DD`. */
  readonly transactionDate: string;
  readonly description: string;
  readonly transactionData: Readonly<Record<string, unknown>>;
}

/** What became of a record, in the members of the wire (processor 4.1). */
export interface RecordResult {
  readonly recordId: string;
  readonly result: 'POSTED' | 'DUPLICATE' | 'QUARANTINED';
  readonly id: string | null;
  readonly exception: ExceptionKind | null;
}
