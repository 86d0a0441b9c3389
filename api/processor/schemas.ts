import { text, z } from '../schemas/shared.ts';

/** The processor's messages (processor.md 3.2, 4.1): exact members, unknown ones refused. */

const digits = (length: number) =>
  z.string().regex(new RegExp(`^[0-9]{${length}}$`), `must be ${length} digits`);
const shortText = (max: number) => text(1, max);
const wholeNumber = () =>
  z
    .number({ error: 'must be a whole number of minor units' })
    .int('must be a whole number of minor units')
    .max(Number.MAX_SAFE_INTEGER, 'must be below 2^53');
const minorUnits = (min: number) => wholeNumber().min(min, `must be at least ${min}`);
const alpha3 = () => z.string().regex(/^[A-Z]{3}$/, 'must be three capital letters');
// Years and offsets that exist: the database takes no year 0 and no offset of 16 hours.
const at = () =>
  z.iso
    .datetime({ offset: true, local: false, error: 'must be an ISO 8601 time' })
    .regex(/^(19|20)[0-9]{2}-.*(Z|[+-](0[0-9]|1[0-4]):[0-5][0-9])$/, 'must be an ISO 8601 time');
const calendarDay = () => z.iso.date('must be YYYY-MM-DD');

const verdict = z.enum(['MATCH', 'NO_MATCH', 'NOT_CHECKED', 'NOT_PRESENT'], {
  error: 'must be MATCH, NO_MATCH, NOT_CHECKED or NOT_PRESENT',
});

const transactionData = z.strictObject({
  mcc: digits(4).optional(),
  merchantIdentifier: shortText(15).optional(),
  merchantName: shortText(64).optional(),
  captureMode: shortText(32).optional(),
  acquirerCountry: alpha3().optional(),
  mdesDigitizedWalletId: z.enum(['m4m', 'google pay', 'samsung pay', 'apple pay']).optional(),
  cashbackPosAmount: minorUnits(0).optional(),
  cashbackPosCurrencyCode: alpha3().optional(),
  lastFourDpan: digits(4).optional(),
  adjustmentReasonDescription: z.enum(['REFUND', 'MONEY_SEND']).optional(),
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

const shared = {
  processorCardId: shortText(64),
  tokenRef: shortText(64).optional(),
  acquirerId: z.string().regex(/^[0-9]{1,11}$/, 'must be 1 to 11 digits'),
  externalTransactionId: shortText(64),
  networkReferenceId: shortText(36).optional(),
  referenceExternalTransactionId: shortText(64).optional(),
  referenceDate: at().optional(),
  authorizationCode: z
    .string()
    .regex(/^[A-Za-z0-9]{6}$/, 'must be 6 letters or digits')
    .optional(),
  terminalId: shortText(8).optional(),
  forwarderId: z
    .string()
    .regex(/^[0-9]{1,11}$/, 'must be 1 to 11 digits')
    .optional(),
};

/** Who was paid and how: in authorizations and clearing records, not in reversals. */
const merchant = {
  transactionData: transactionData.optional(),
  description: shortText(255).optional(),
  merchantPostalCode: shortText(10).optional(),
  entryMode: digits(3).optional(),
};

const original = {
  originalAmount: minorUnits(1).optional(),
  originalCurrency: alpha3().optional(),
  settlementAmount: minorUnits(0).optional(),
  settlementCurrency: alpha3().optional(),
};

const bothOrNone = (
  value: { originalAmount?: number | undefined; originalCurrency?: string | undefined },
  context: z.RefinementCtx,
) => {
  if ((value.originalAmount === undefined) !== (value.originalCurrency === undefined)) {
    context.addIssue({
      code: 'custom',
      path: ['originalCurrency'],
      message: 'must be sent together with originalAmount',
    });
  }
};

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
    if (value.advice === true && value.adviceResult === undefined) {
      add(['adviceResult'], 'is required of an advice');
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

const clearingMembers = {
  ...shared,
  ...merchant,
  ...original,
  acquirerId: shared.acquirerId.optional(),
  recordId: shortText(64),
  recordType: z.enum(
    ['PURCHASE', 'CASH', 'REFUND', 'CREDIT', 'REFUND_REVERSAL', 'CHARGEBACK', 'SECOND_PRESENTMENT'],
    { error: 'is no known record type' },
  ),
  fileId: shortText(64).optional(),
  amount: minorUnits(1),
  currency: alpha3(),
  conversionRate: z
    .string()
    .regex(/^[0-9]{1,9}(\.[0-9]{1,10})?$/)
    .optional(),
  transactionDate: calendarDay(),
  settlementDate: calendarDay(),
  retrievalReferenceNumber: digits(12).optional(),
  arn: digits(23).optional(),
  final: z.boolean().optional(),
  clearingSequence: z.int().min(1).optional(),
  clearingCount: z.int().min(1).optional(),
  interchangeAmount: z.int().optional(),
  interchangeCurrency: alpha3().optional(),
};

export const clearingSchema = z
  .strictObject(clearingMembers)
  .superRefine(bothOrNone)
  .openapi('ClearingRecord');

/** The records that `/processor/refunds` takes. */
export const refundSchema = z
  .strictObject({
    ...clearingMembers,
    recordType: z.enum(['REFUND', 'REFUND_REVERSAL'], { error: 'must be REFUND or REFUND_REVERSAL' }),
  })
  .superRefine(bothOrNone)
  .openapi('RefundRecord');

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
