import type { NetworkAnswer } from '../../domain/decision.ts';
import type { RecordResult, RecordType } from '../../domain/presentment-record.ts';

/**
 * The processor's wire (processor 3.2 to 3.4, 4.1) after validation. Members that were not sent are absent or
 * undefined; amounts are minor units.
 */
export type WireVerdict = 'MATCH' | 'NO_MATCH' | 'NOT_CHECKED' | 'NOT_PRESENT';

export interface WireVerification {
  readonly pin?: WireVerdict | undefined;
  readonly cvc2?: WireVerdict | undefined;
  readonly cryptogram?: WireVerdict | undefined;
  readonly expiry?: WireVerdict | undefined;
  readonly threeDs?: WireVerdict | undefined;
}

export interface WireTransactionData {
  readonly mcc?: string | null | undefined;
  readonly merchantIdentifier?: string | null | undefined;
  readonly merchantName?: string | null | undefined;
  readonly captureMode?: string | null | undefined;
  readonly acquirerCountry?: string | null | undefined;
  readonly lastFourDpan?: string | null | undefined;
  readonly mdesDigitizedWalletId?: string | null | undefined;
  readonly cashbackPosAmount?: number | null | undefined;
  readonly cashbackPosCurrencyCode?: string | null | undefined;
  readonly adjustmentReasonDescription?: 'REFUND' | 'MONEY_SEND' | null | undefined;
}

/** POST `/processor/authorizations`. `verification` holds the vault's verdicts where it has looked itself. */
export interface AuthorizationMessage {
  readonly kind: 'AUTHORIZATION' | 'INCREMENTAL' | 'CREDIT_AUTHORIZATION' | 'BALANCE_INQUIRY';
  readonly messageId: string;
  readonly processorCardId: string;
  readonly type: string;
  readonly amount: number;
  readonly currency: string;
  readonly originalAmount?: number | undefined;
  readonly originalCurrency?: string | undefined;
  readonly stan: string;
  readonly date: string;
  /** `YYYY-MM`. */
  readonly expiry?: string | undefined;
  readonly entryMode?: string | undefined;
  readonly acquirerId: string;
  readonly retrievalReferenceNumber: string;
  readonly externalTransactionId: string;
  readonly networkReferenceId?: string | undefined;
  readonly referenceExternalTransactionId?: string | undefined;
  readonly referenceDate?: string | undefined;
  readonly originalStan?: string | undefined;
  readonly originalDate?: string | undefined;
  readonly verification?: WireVerification | undefined;
  readonly authorizationCode?: string | undefined;
  readonly cumulativeAmount?: number | undefined;
  readonly advice?: boolean | undefined;
  readonly adviceReason?: 'STAND_IN' | 'OFFLINE' | 'COMPLETION' | undefined;
  readonly adviceResult?: 'APPROVED' | 'DECLINED' | undefined;
  readonly partialApprovalSupported?: boolean | undefined;
  readonly preAuthorization?: boolean | undefined;
  readonly statusOnly?: boolean | undefined;
  readonly description?: string | undefined;
  readonly merchantPostalCode?: string | undefined;
  readonly transactionData?: WireTransactionData | undefined;
}

/** POST `/processor/reversals`. */
export interface ReversalMessage {
  readonly messageId: string;
  readonly processorCardId: string;
  readonly amount?: number | undefined;
  readonly currency?: string | undefined;
  readonly remainingAmount?: number | undefined;
  readonly stan: string;
  readonly date: string;
  readonly acquirerId: string;
  readonly retrievalReferenceNumber: string;
  readonly externalTransactionId: string;
  readonly networkReferenceId?: string | undefined;
  readonly referenceExternalTransactionId?: string | undefined;
  readonly referenceDate?: string | undefined;
  readonly authorizationCode?: string | undefined;
  readonly originalStan?: string | undefined;
  readonly originalDate?: string | undefined;
}

/** One record of POST `/processor/clearings`. */
export interface ClearingRecord {
  readonly recordId: string;
  readonly recordType: RecordType;
  readonly processorCardId: string;
  readonly externalTransactionId: string;
  readonly networkReferenceId?: string | undefined;
  readonly referenceExternalTransactionId?: string | undefined;
  readonly retrievalReferenceNumber?: string | undefined;
  readonly authorizationCode?: string | undefined;
  readonly amount: number;
  readonly currency: string;
  readonly originalAmount?: number | undefined;
  readonly originalCurrency?: string | undefined;
  readonly final?: boolean | undefined;
  readonly clearingSequence?: number | undefined;
  /** `YYYY-MM-DD`. */
  readonly transactionDate: string;
  readonly settlementDate: string;
  readonly interchangeAmount?: number | undefined;
  readonly interchangeCurrency?: string | undefined;
  readonly arn?: string | undefined;
  readonly entryMode?: string | undefined;
  readonly description?: string | undefined;
  readonly merchantPostalCode?: string | undefined;
  readonly transactionData?: WireTransactionData | undefined;
}

/** Records that belong to a file carry its id: it is part of their duplicate key. */
export interface ClearingMessage {
  readonly fileId: string | null;
  readonly records: readonly ClearingRecord[];
}

export type { NetworkAnswer, RecordResult };
