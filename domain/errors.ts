/**
 * The closed list of refusals: what a caller did that we will not do, by the code it is told
 * (channels 4). Faults of ours are plain errors and never become a `Refusal`.
 */
export type RefusalCode =
  | 'VALIDATION_ERROR'
  | 'MALFORMED_JSON'
  | 'ENCRYPTION_REQUIRED'
  | 'INVALID_PUBLIC_KEY'
  | 'INVALID_PAYLOAD'
  | 'CANT_DECRYPT_PAYLOAD'
  | 'ISSUER_CODE_REQUIRED'
  | 'INVALID_CURSOR'
  | 'UNAUTHENTICATED'
  | 'SESSION_EXPIRED'
  | 'INVALID_CREDENTIALS'
  | 'INVALID_CODE'
  | 'LINK_INVALID'
  | 'STEP_UP_REQUIRED'
  | 'SAME_PERSON'
  | 'CSRF_FAILED'
  | 'OPERATOR_NOT_FOUND'
  | 'APPROVAL_NOT_FOUND'
  | 'PARTNER_NOT_FOUND'
  | 'APPROVAL_PENDING'
  | 'VERSION_CONFLICT'
  | 'WEAK_SECRET'
  | 'CERTIFICATE_NOT_TRUSTED'
  | 'PAIRING_TOKEN_INVALID'
  | 'FORBIDDEN'
  | 'ISSUER_CODE_NOT_ALLOWED'
  | 'PARTNER_SUSPENDED'
  | 'USER_LOCKED'
  | 'DEVICE_NOT_ACTIVE'
  | 'NOT_FOUND'
  | 'USER_NOT_FOUND'
  | 'CARD_NOT_FOUND'
  | 'BALANCE_NOT_FOUND'
  | 'CARD_PRODUCT_NOT_FOUND'
  | 'CORPORATION_NOT_FOUND'
  | 'EMPLOYEE_NOT_FOUND'
  | 'ADDRESS_NOT_FOUND'
  | 'IMPORT_NOT_FOUND'
  | 'VERIFICATION_NOT_FOUND'
  | 'REGISTRATION_NOT_FOUND'
  | 'ACTIVATION_NOT_FOUND'
  | 'DEVICE_NOT_FOUND'
  | 'SESSION_NOT_FOUND'
  | 'DOCUMENT_NOT_FOUND'
  | 'HIT_NOT_FOUND'
  | 'LOCK_REASON_NOT_FOUND'
  | 'TRANSACTION_NOT_FOUND'
  | 'EXCEPTION_NOT_FOUND'
  | 'HOLD_NOT_FOUND'
  | 'CERTIFICATE_NOT_FOUND'
  | 'CODE_TAKEN'
  | 'ISSUER_CODE_TAKEN'
  | 'PROGRAMME_FIXED'
  | 'PROGRAMME_INVALID'
  | 'SHARED_AUTHORIZATION_NOT_ALLOWED'
  | 'CARD_PRODUCT_FIXED'
  | 'BIN_RANGE_OVERLAP'
  | 'CERTIFICATE_LIMIT'
  | 'CSR_INVALID'
  | 'CSR_KEY_REJECTED'
  | 'CSR_KEY_REUSED'
  | 'CSR_SUBJECT_REJECTED'
  | 'CLEARING_FILE_NOT_FOUND'
  | 'PROGRAMME_NOT_FOUND'
  | 'METHOD_NOT_ALLOWED'
  | 'PAYLOAD_TOO_LARGE'
  | 'UNSUPPORTED_MEDIA_TYPE'
  | 'IDEMPOTENCY_IN_PROGRESS'
  | 'STATE_CONFLICT'
  | 'ALREADY_EXISTS'
  | 'DUPLICATE_BANK_REFERENCE'
  | 'PHONE_ALREADY_REGISTERED'
  | 'EMAIL_ALREADY_REGISTERED'
  | 'EXTERNAL_ID_ALREADY_USED'
  | 'TAX_ID_ALREADY_REGISTERED'
  | 'KYB_APPLICATION_USED'
  | 'EMPLOYEE_EXISTS'
  | 'VERIFICATION_IN_PROGRESS'
  | 'CLAIMED_BY_OTHER'
  | 'CARD_NOT_READY'
  | 'CARD_NOT_ACTIVE'
  | 'CARD_DATA_UNAVAILABLE'
  | 'CARD_NOT_LOCKABLE'
  | 'CARD_NOT_LOCKED'
  | 'IP_NOT_ALLOWED'
  | 'LOCK_NOT_LIFTABLE'
  | 'LOCK_IRREVERSIBLE'
  | 'IDEMPOTENCY_KEY_REUSED'
  | 'UNDERAGE'
  | 'ENROLMENT_CLOSED'
  | 'LOCK_CODE_NOT_ALLOWED'
  | 'EXTERNAL_KYC_NOT_ALLOWED'
  | 'EXTERNAL_KYB_NOT_ALLOWED'
  | 'KYB_NOT_ACCEPTED'
  | 'KYB_REQUIRED'
  | 'CORPORATION_NOT_ACTIVE'
  | 'USER_NOT_IN_CORPORATION'
  | 'IMPORT_HEADER_INVALID'
  | 'IMPORT_TOO_LONG'
  | 'USER_NOT_ACTIVE'
  | 'KYC_REQUIRED'
  | 'TRANSACTIONAL_LOCK'
  | 'CURRENCY_NOT_SUPPORTED'
  | 'CURRENCY_MISMATCH'
  | 'DOCUMENT_EXPIRED'
  | 'SCREENING_HIT_OPEN'
  | 'SCREENING_LIST_INVALID'
  | 'LOCK_REASON_NOT_REMOVABLE'
  | 'DOCUMENT_UNREADABLE'
  | 'CARD_PRODUCT_MISMATCH'
  | 'BALANCE_NOT_ACTIVE'
  | 'CARD_LIMIT_REACHED'
  | 'BALANCE_NOT_EMPTY'
  | 'BALANCE_HAS_HOLDS'
  | 'BALANCE_HAS_CARDS'
  | 'LIMIT_ABOVE_CEILING'
  | 'REARM_BELOW_THRESHOLD'
  | 'PROCESSOR_REFUSED'
  | 'INVALID_AMOUNT'
  | 'FILE_CHANGED'
  | 'RESOLUTION_NOT_FOR_KIND'
  | 'CUSTOMER_NOT_FOUND'
  | 'AML_EXCEPTION'
  | 'COLLATERAL_BALANCE_NOT_FOUND'
  | 'INSUFFICIENT_FUNDS_ON_COLLATERAL_BALANCE'
  | 'DEPOSIT_BALANCE_NOT_FOUND'
  | 'INSUFFICIENT_FUNDS'
  | 'UNKNOWN_TRANSACTION_TYPE'
  | 'REFERENCED_TRANSACTION_NOT_FOUND'
  | 'AMBIGUOUS_REFERENCED_TRANSACTION'
  | 'LIMIT_EXCEED'
  | 'SAME_BALANCE'
  | 'QUOTE_REQUIRED'
  | 'QUOTE_EXPIRED'
  | 'EXTERNAL_TRANSFER_NOT_SUPPORTED'
  | 'APPLICATION_NOT_FOUND'
  | 'APPLICATION_INCOMPLETE'
  | 'OWNERSHIP_INVALID'
  | 'TOO_MANY_DOCUMENTS'
  | 'SECTIONS_NOT_VERIFIED'
  | 'TOO_MANY_REQUESTS'
  | 'TOO_MANY_ATTEMPTS'
  | 'INTERNAL_ERROR'
  | 'SERVICE_UNAVAILABLE'
  | 'OVERLOADED'
  | 'PROCESSOR_UNAVAILABLE'
  | 'PARTNER_UNAVAILABLE';

/** A fault of one field; the message says what is wanted and never repeats the value. */
export interface FieldFault {
  readonly field: string;
  readonly message: string;
}

interface RefusalOptions {
  readonly fields?: readonly FieldFault[];
  readonly retryAfterSeconds?: number;
  /** Methods that the path does take, told with METHOD_NOT_ALLOWED. */
  readonly allow?: readonly string[];
  /** The limit of channels 14 that was reached: its row, how many it allows, when it is as new again. */
  readonly rate?: { readonly row: string; readonly limit: number; readonly resetSeconds: number };
  /** HTTP status where one code is told with two (BALANCE_NOT_FOUND of a posting: 422). */
  readonly status?: number;
}

/** Thrown by rules and by functions of `db/`; each channel turns it into its answer in one place. */
export class Refusal extends Error {
  override readonly name = 'Refusal';
  readonly code: RefusalCode;
  readonly detail: string;
  readonly options: RefusalOptions;

  constructor(code: RefusalCode, detail: string, options: RefusalOptions = {}) {
    super(code);
    this.code = code;
    this.detail = detail;
    this.options = options;
  }
}

/** Refuses with VALIDATION_ERROR and the faults of one part of a request (channels 4). */
export function invalid(fields: readonly FieldFault[]): Refusal {
  const detail = fields.length === 1 ? '1 field is invalid.' : `${fields.length} fields are invalid.`;
  return new Refusal('VALIDATION_ERROR', detail, { fields });
}

/** Refuses what came too often: `limit` is reached, and nothing is taken for `waitSeconds`. */
export const tooManyRequests = (
  detail: string,
  rate: { readonly row: string; readonly limit: number; readonly resetSeconds?: number },
  waitSeconds: number,
): Refusal => {
  const retryAfterSeconds = Math.max(1, Math.ceil(waitSeconds));
  return new Refusal('TOO_MANY_REQUESTS', detail, {
    retryAfterSeconds,
    rate: { ...rate, resetSeconds: rate.resetSeconds ?? retryAfterSeconds },
  });
};

/** Marks a branch that no value can reach. */
export function assertNever(value: never): never {
  throw new Error(`unexpected case: ${typeof value}`);
}
