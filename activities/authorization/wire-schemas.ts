import { z } from 'zod';

/** Members of the processor's wire (processor 3.2, 4.1) that messages and file records have in common. */

// Control characters are refused everywhere: they forge log lines and break terminals (channels 5). Half a
// surrogate pair is no character at all, and the database takes none.
const CONTROL_CHARACTERS = /[\p{Cc}\p{Cs}\u2028\u2029]/u;

/** Text in Unicode NFC, outer blanks cut, without control characters; `max` and `min` count characters. */
export const text = (min: number, max: number) =>
  z
    .string({ error: 'must be a text' })
    .transform((value) => value.normalize('NFC').trim())
    .pipe(
      z
        .string()
        .min(min, min === 1 ? 'must not be empty' : `must have at least ${min} characters`)
        .max(max, `must have at most ${max} characters`)
        .refine((value) => !CONTROL_CHARACTERS.test(value), 'must not contain control characters'),
    );

/** Text of 1 to `max` characters. */
export const shortText = (max: number) => text(1, max);

/** Exactly so many digits. */
export const digits = (length: number) =>
  z.string().regex(new RegExp(`^[0-9]{${length}}$`), `must be ${length} digits`);

/** Minor units of either sign. */
export const wholeNumber = () =>
  z
    .number({ error: 'must be a whole number of minor units' })
    .int('must be a whole number of minor units')
    .max(Number.MAX_SAFE_INTEGER, 'must be below 2^53');

/** Minor units from `min`. */
export const minorUnits = (min: number) => wholeNumber().min(min, `must be at least ${min}`);

/** A currency or country as the network writes it. */
export const alpha3 = () => z.string().regex(/^[A-Z]{3}$/, 'must be three capital letters');

/** A time; years and offsets that exist: the database takes no year 0 and no offset of 16 hours. */
export const at = () =>
  z.iso
    .datetime({ offset: true, local: false, error: 'must be an ISO 8601 time' })
    .regex(/^(19|20)[0-9]{2}-.*(Z|[+-](0[0-9]|1[0-4]):[0-5][0-9])$/, 'must be an ISO 8601 time');

/** A day of a century in which the database has one. */
export const calendarDay = () =>
  z.iso.date('must be YYYY-MM-DD').regex(/^(19|20)/, 'must be a day of this century or the last');

export const transactionData = z.strictObject({
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

/** Members of every message and record. */
export const shared = {
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
export const merchant = {
  transactionData: transactionData.optional(),
  description: shortText(255).optional(),
  merchantPostalCode: shortText(10).optional(),
  entryMode: digits(3).optional(),
};

/** What was paid in the merchant's currency, and what is settled. */
export const original = {
  originalAmount: minorUnits(1).optional(),
  originalCurrency: alpha3().optional(),
  settlementAmount: minorUnits(0).optional(),
  settlementCurrency: alpha3().optional(),
};

/** An original amount comes with its currency, or neither does. */
export const bothOrNone = (
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

/** Members of a clearing record (processor 4.1), in messages and files alike. */
export const recordMembers = {
  ...shared,
  ...merchant,
  ...original,
  acquirerId: shared.acquirerId.optional(),
  recordId: shortText(64),
  recordType: z.enum(
    ['PURCHASE', 'CASH', 'REFUND', 'CREDIT', 'REFUND_REVERSAL', 'CHARGEBACK', 'SECOND_PRESENTMENT'],
    { error: 'is no known record type' },
  ),
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

/** A record as a line of a clearing file: the file's id stands in its header, its number in the line. */
export const fileRecordSchema = z
  .strictObject({ ...recordMembers, recordNo: z.int().min(1) })
  .superRefine(bothOrNone);
