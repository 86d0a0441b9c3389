import { MAX_FILE_BYTES } from '../../domain/clearing-file.ts';
import { directionOf, type RecordType } from '../../domain/presentment-record.ts';
import {
  alpha3,
  at,
  bothOrNone,
  calendarDay,
  digits,
  merchant,
  minorUnits,
  original,
  recordMembers,
  shared,
  shortText,
  transactionData,
  wholeNumber,
} from '../../activities/authorization/wire-schemas.ts';
import { z } from '../schemas/shared.ts';

/** The processor's messages (processor.md 3.2, 4.1): exact members, unknown ones refused. */

const verdict = z.enum(['MATCH', 'NO_MATCH', 'NOT_CHECKED', 'NOT_PRESENT'], {
  error: 'must be MATCH, NO_MATCH, NOT_CHECKED or NOT_PRESENT',
});

/** Words for the type of a message, without regard to case, `_`, `-` and blanks (money 4.1). */
const TYPE_WORDS: Readonly<Record<string, string>> = {
  pos: 'pos',
  atm: 'atm',
  cashback: 'cashback_at_pos',
  cashbackatpos: 'cashback_at_pos',
  aft: 'aft',
  balanceinquiry: 'balance_inquiry',
  adjustment: 'adjustment',
  payment: 'adjustment',
};

/** A known type in its canonical form; any other word goes on as it is and is declined. */
const messageType = () =>
  shortText(32).transform((sent) => TYPE_WORDS[sent.toLowerCase().replaceAll(/[_\- ]/g, '')] ?? sent);

const message = {
  messageId: shortText(64),
  stan: digits(6),
  date: at(),
  transmissionAt: at().optional(),
  retrievalReferenceNumber: digits(12),
  originalStan: digits(6).optional(),
  originalDate: at().optional(),
  icc: z
    .string()
    .regex(/^([0-9A-Fa-f]{2}){1,510}$/, 'must be hexadecimal TLV')
    .optional(),
  repeat: z.boolean().optional(),
};

export const authorizationSchema = z
  .strictObject({
    ...shared,
    ...merchant,
    ...original,
    ...message,
    kind: z.enum(['AUTHORIZATION', 'INCREMENTAL', 'CREDIT_AUTHORIZATION', 'BALANCE_INQUIRY'], {
      error: 'must be AUTHORIZATION, INCREMENTAL, CREDIT_AUTHORIZATION or BALANCE_INQUIRY',
    }),
    type: messageType(),
    processingCode: digits(6).optional(),
    // An amount that no purchase can have is decided and declined, not refused (money 0).
    amount: wholeNumber(),
    originalAmount: wholeNumber().optional(),
    currency: alpha3(),
    conversionRate: z
      .string()
      .regex(/^[0-9]{1,9}(\.[0-9]{1,10})?$/, 'must be a decimal number as text')
      .optional(),
    expiry: z
      .string()
      .regex(/^[0-9]{4}-(0[1-9]|1[0-2])$/, 'must be YYYY-MM')
      .optional(),
    cardSequence: digits(3).optional(),
    posCondition: digits(2).optional(),
    verification: z
      .strictObject({
        pin: verdict.optional(),
        cvc2: verdict.optional(),
        cryptogram: verdict.optional(),
        expiry: verdict.optional(),
        threeDs: verdict.optional(),
      })
      .optional(),
    cumulativeAmount: wholeNumber().optional(),
    advice: z.boolean().optional(),
    adviceReason: z
      .enum(['STAND_IN', 'OFFLINE', 'COMPLETION'], { error: 'must be STAND_IN, OFFLINE or COMPLETION' })
      .optional(),
    adviceResult: z.enum(['APPROVED', 'DECLINED'], { error: 'must be APPROVED or DECLINED' }).optional(),
    responseCode: z
      .string()
      .regex(/^[0-9A-Za-z]{2}$/, 'must be 2 characters')
      .optional(),
    preAuthorization: z.boolean().optional(),
    partialApprovalSupported: z.boolean().optional(),
    statusOnly: z.boolean().optional(),
  })
  .superRefine(bothOrNone)
  .superRefine((value, context) => {
    const add = (path: string[], message: string) => context.addIssue({ code: 'custom', path, message });
    const { networkReferenceId, referenceExternalTransactionId, transactionData: data } = value;
    const named = networkReferenceId !== undefined || referenceExternalTransactionId !== undefined;
    if (value.kind === 'INCREMENTAL' && !named) {
      add(['networkReferenceId'], 'this or referenceExternalTransactionId is required of an increment');
    }
    if (value.kind === 'CREDIT_AUTHORIZATION' && data?.adjustmentReasonDescription === undefined) {
      add(['transactionData', 'adjustmentReasonDescription'], 'REFUND or MONEY_SEND is required of a credit');
    }
    if (value.advice === true) {
      if (value.adviceResult === undefined) add(['adviceResult'], 'is required of an advice');
      if (value.adviceReason === undefined) add(['adviceReason'], 'is required of an advice');
    }
    if (value.advice !== true && (value.adviceResult ?? value.adviceReason) !== undefined) {
      add(['advice'], 'must be true where adviceResult or adviceReason is sent');
    }
  })
  .openapi('Authorization');

export const reversalSchema = z
  .strictObject({
    ...shared,
    ...message,
    transactionData: transactionData.pick({ merchantIdentifier: true }).optional(),
    amount: minorUnits(1).optional(),
    currency: alpha3().optional(),
    remainingAmount: minorUnits(0).optional(),
    reasonCode: z.enum(['TIMEOUT', 'CUSTOMER', 'MALFUNCTION', 'MERCHANT', 'OTHER']).optional(),
  })
  .superRefine((value, context) => {
    const referenced =
      (value.originalStan !== undefined && value.originalDate !== undefined) ||
      value.networkReferenceId !== undefined ||
      value.referenceExternalTransactionId !== undefined;
    const add = (path: string, wanted: string) =>
      context.addIssue({ code: 'custom', path: [path], message: wanted });
    if (!referenced)
      add(
        'originalStan',
        'one of originalStan with originalDate, networkReferenceId, referenceExternalTransactionId is required',
      );
    if (value.amount !== undefined && value.currency === undefined)
      add('currency', 'is required with amount');
    if (value.amount !== undefined && value.remainingAmount !== undefined) {
      add('remainingAmount', 'must not be sent together with amount');
    }
  })
  .openapi('Reversal');

const clearingMembers = { ...recordMembers, fileId: shortText(64).optional() };

export const clearingSchema = z
  .strictObject(clearingMembers)
  .superRefine(bothOrNone)
  .openapi('ClearingRecord');

/** Up to 1000 records in one message, with what they add up to (processor 4.1). */
const batchOf = <R extends z.ZodType<{ recordType: RecordType; amount: number }>>(record: R) =>
  z
    .strictObject({
      fileId: shortText(64),
      records: z
        .array(record)
        .min(1, 'must have at least one record')
        .max(1000, 'must have at most 1000 records'),
      totals: z
        .strictObject({ count: minorUnits(0), debit: minorUnits(0), credit: minorUnits(0) })
        .optional(),
    })
    .superRefine(({ records, totals }, context) => {
      if (totals === undefined) return;
      const sum = { count: records.length, debit: 0, credit: 0 };
      for (const { recordType, amount } of records) sum[directionOf(recordType)] += amount;
      for (const name of ['count', 'debit', 'credit'] as const) {
        if (totals[name] === sum[name]) continue;
        context.addIssue({ code: 'custom', path: ['totals', name], message: 'differs from the records' });
      }
    });

const clearingBatchSchema = batchOf(z.strictObject(recordMembers).superRefine(bothOrNone)).openapi(
  'ClearingRecords',
);

/** One record, or several of one file. */
export const clearingsSchema = z.union([clearingSchema, clearingBatchSchema]);

const refundType = z.enum(['REFUND', 'REFUND_REVERSAL'], { error: 'must be REFUND or REFUND_REVERSAL' });

/** The records that `/processor/refunds` takes: one, or several of one file. */
export const refundSchema = z.union([
  z
    .strictObject({ ...clearingMembers, recordType: refundType })
    .superRefine(bothOrNone)
    .openapi('RefundRecord'),
  batchOf(z.strictObject({ ...recordMembers, recordType: refundType }).superRefine(bothOrNone)).openapi(
    'RefundRecords',
  ),
]);

export const authorizationAnswer = z
  .strictObject({
    id: z.string().nullable(),
    result: z.enum(['APPROVED', 'PARTIALLY_APPROVED', 'DECLINED', 'ACKNOWLEDGED']),
    description: z.string(),
    reason: z.string().nullable(),
    actionCode: z.string(),
    responseCode: z.string(),
    authorizationCode: z.string().nullable(),
    approvedAmount: z.int().nullable(),
    currency: z.string(),
    availableAmount: z.int().nullable(),
    iccResponse: z.string().nullable(),
  })
  .openapi('AuthorizationAnswer');

export const clearingAnswer = z.strictObject({
  results: z.array(
    z.strictObject({
      recordId: z.string(),
      result: z.enum(['POSTED', 'DUPLICATE', 'QUARANTINED']),
      id: z.string().nullable(),
      exception: z.string().nullable(),
    }),
  ),
});

/** Says that a file can be fetched (processor 4.2). */
export const clearingFileSchema = z
  .strictObject({
    fileId: shortText(64),
    businessDate: calendarDay(),
    records: z.int('must be a whole number').min(0, 'must be at least 0').max(10_000_000, 'is too many'),
    size: z
      .int('must be a whole number of bytes')
      .min(1, 'must be at least 1')
      .max(MAX_FILE_BYTES, 'must be at most 256 MB'),
    sha256: z
      .string()
      .regex(/^[0-9A-Fa-f]{64}$/, 'must be 64 hexadecimal digits')
      .transform((value) => value.toLowerCase()),
  })
  .openapi('ClearingFileAnnouncement');

export const clearingFileAnswer = z.strictObject({
  fileId: z.string(),
  status: z.literal('QUEUED'),
});
