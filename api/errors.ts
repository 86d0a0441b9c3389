import { Refusal, type RefusalCode } from '../domain/errors.ts';
import { rateHeaders } from './rate-standing.ts';

/** HTTP status of every refusal (channels 4). */
const STATUS: Readonly<Record<RefusalCode, number>> = {
  VALIDATION_ERROR: 400,
  MALFORMED_JSON: 400,
  ENCRYPTION_REQUIRED: 400,
  INVALID_PUBLIC_KEY: 400,
  INVALID_PAYLOAD: 400,
  CANT_DECRYPT_PAYLOAD: 400,
  ISSUER_CODE_REQUIRED: 400,
  INVALID_CURSOR: 400,
  UNAUTHENTICATED: 401,
  SESSION_EXPIRED: 401,
  INVALID_CREDENTIALS: 401,
  INVALID_CODE: 401,
  LINK_INVALID: 401,
  STEP_UP_REQUIRED: 403,
  SAME_PERSON: 403,
  CSRF_FAILED: 403,
  OPERATOR_NOT_FOUND: 404,
  APPROVAL_NOT_FOUND: 404,
  PARTNER_NOT_FOUND: 404,
  APPROVAL_PENDING: 409,
  VERSION_CONFLICT: 409,
  WEAK_SECRET: 422,
  CERTIFICATE_NOT_TRUSTED: 401,
  PAIRING_TOKEN_INVALID: 401,
  FORBIDDEN: 403,
  ISSUER_CODE_NOT_ALLOWED: 403,
  PARTNER_SUSPENDED: 403,
  USER_LOCKED: 403,
  DEVICE_NOT_ACTIVE: 403,
  IP_NOT_ALLOWED: 403,
  LOCK_NOT_LIFTABLE: 403,
  NOT_FOUND: 404,
  USER_NOT_FOUND: 404,
  CARD_NOT_FOUND: 404,
  BALANCE_NOT_FOUND: 404,
  CARD_PRODUCT_NOT_FOUND: 404,
  CORPORATION_NOT_FOUND: 404,
  EMPLOYEE_NOT_FOUND: 404,
  ADDRESS_NOT_FOUND: 404,
  IMPORT_NOT_FOUND: 404,
  VERIFICATION_NOT_FOUND: 404,
  REGISTRATION_NOT_FOUND: 404,
  ACTIVATION_NOT_FOUND: 404,
  DEVICE_NOT_FOUND: 404,
  SESSION_NOT_FOUND: 404,
  DOCUMENT_NOT_FOUND: 404,
  HIT_NOT_FOUND: 404,
  LOCK_REASON_NOT_FOUND: 404,
  TRANSACTION_NOT_FOUND: 404,
  EXCEPTION_NOT_FOUND: 404,
  HOLD_NOT_FOUND: 404,
  CERTIFICATE_NOT_FOUND: 404,
  CODE_TAKEN: 409,
  ISSUER_CODE_TAKEN: 409,
  PROGRAMME_FIXED: 409,
  PROGRAMME_INVALID: 422,
  SHARED_AUTHORIZATION_NOT_ALLOWED: 422,
  CARD_PRODUCT_FIXED: 409,
  BIN_RANGE_OVERLAP: 409,
  CERTIFICATE_LIMIT: 409,
  CSR_INVALID: 400,
  CSR_KEY_REJECTED: 422,
  CSR_KEY_REUSED: 409,
  CSR_SUBJECT_REJECTED: 422,
  CLEARING_FILE_NOT_FOUND: 404,
  PROGRAMME_NOT_FOUND: 404,
  METHOD_NOT_ALLOWED: 405,
  PAYLOAD_TOO_LARGE: 413,
  UNSUPPORTED_MEDIA_TYPE: 415,
  IDEMPOTENCY_IN_PROGRESS: 409,
  STATE_CONFLICT: 409,
  ALREADY_EXISTS: 409,
  DUPLICATE_BANK_REFERENCE: 409,
  PHONE_ALREADY_REGISTERED: 409,
  EMAIL_ALREADY_REGISTERED: 409,
  EXTERNAL_ID_ALREADY_USED: 409,
  TAX_ID_ALREADY_REGISTERED: 409,
  KYB_APPLICATION_USED: 409,
  EMPLOYEE_EXISTS: 409,
  VERIFICATION_IN_PROGRESS: 409,
  CLAIMED_BY_OTHER: 409,
  CARD_NOT_READY: 409,
  CARD_NOT_ACTIVE: 409,
  CARD_DATA_UNAVAILABLE: 409,
  CARD_NOT_LOCKABLE: 409,
  CARD_NOT_LOCKED: 409,
  BALANCE_NOT_EMPTY: 409,
  BALANCE_HAS_HOLDS: 409,
  BALANCE_HAS_CARDS: 409,
  LOCK_IRREVERSIBLE: 422,
  IDEMPOTENCY_KEY_REUSED: 422,
  UNDERAGE: 422,
  ENROLMENT_CLOSED: 422,
  LOCK_CODE_NOT_ALLOWED: 422,
  EXTERNAL_KYC_NOT_ALLOWED: 422,
  EXTERNAL_KYB_NOT_ALLOWED: 422,
  KYB_NOT_ACCEPTED: 422,
  KYB_REQUIRED: 422,
  CORPORATION_NOT_ACTIVE: 422,
  USER_NOT_IN_CORPORATION: 422,
  IMPORT_HEADER_INVALID: 422,
  IMPORT_TOO_LONG: 422,
  USER_NOT_ACTIVE: 422,
  KYC_REQUIRED: 422,
  TRANSACTIONAL_LOCK: 422,
  CURRENCY_NOT_SUPPORTED: 422,
  CURRENCY_MISMATCH: 422,
  DOCUMENT_EXPIRED: 422,
  SCREENING_HIT_OPEN: 422,
  SCREENING_LIST_INVALID: 422,
  LOCK_REASON_NOT_REMOVABLE: 422,
  DOCUMENT_UNREADABLE: 422,
  CARD_PRODUCT_MISMATCH: 422,
  BALANCE_NOT_ACTIVE: 422,
  CARD_LIMIT_REACHED: 422,
  LIMIT_ABOVE_CEILING: 422,
  REARM_BELOW_THRESHOLD: 422,
  PROCESSOR_REFUSED: 422,
  INVALID_AMOUNT: 422,
  FILE_CHANGED: 422,
  RESOLUTION_NOT_FOR_KIND: 422,
  CUSTOMER_NOT_FOUND: 422,
  AML_EXCEPTION: 422,
  COLLATERAL_BALANCE_NOT_FOUND: 422,
  INSUFFICIENT_FUNDS_ON_COLLATERAL_BALANCE: 422,
  DEPOSIT_BALANCE_NOT_FOUND: 422,
  INSUFFICIENT_FUNDS: 422,
  UNKNOWN_TRANSACTION_TYPE: 422,
  REFERENCED_TRANSACTION_NOT_FOUND: 422,
  AMBIGUOUS_REFERENCED_TRANSACTION: 422,
  LIMIT_EXCEED: 422,
  SAME_BALANCE: 422,
  QUOTE_REQUIRED: 422,
  QUOTE_EXPIRED: 422,
  EXTERNAL_TRANSFER_NOT_SUPPORTED: 422,
  APPLICATION_NOT_FOUND: 404,
  APPLICATION_INCOMPLETE: 422,
  OWNERSHIP_INVALID: 422,
  TOO_MANY_DOCUMENTS: 422,
  SECTIONS_NOT_VERIFIED: 422,
  TOO_MANY_REQUESTS: 429,
  TOO_MANY_ATTEMPTS: 429,
  INTERNAL_ERROR: 500,
  SERVICE_UNAVAILABLE: 503,
  OVERLOADED: 503,
  PROCESSOR_UNAVAILABLE: 503,
  PARTNER_UNAVAILABLE: 503,
};

const RETRY_AFTER_SECONDS = 1;

export interface ErrorAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: {
    readonly title: string;
    readonly detail: string;
    readonly errors?: readonly { readonly field: string; readonly message: string }[];
  };
}

/** HTTP status of a refusal. */
export const statusOf = (refusal: Refusal): number => refusal.options.status ?? STATUS[refusal.code];

/** The documented status of a code, for the OpenAPI description. */
export const statusOfCode = (code: RefusalCode): number => STATUS[code];

/** The one error shape of all channels (channels 4); never encrypted, never with a value of the request. */
export function toErrorAnswer(refusal: Refusal): ErrorAnswer {
  const status = statusOf(refusal);
  const headers: Record<string, string> = {};
  const { retryAfterSeconds, allow, fields, rate } = refusal.options;
  if (retryAfterSeconds !== undefined) headers['Retry-After'] = String(retryAfterSeconds);
  else if (status === 503 || status === 429) headers['Retry-After'] = String(RETRY_AFTER_SECONDS);
  if (rate !== undefined) Object.assign(headers, rateHeaders({ ...rate, remaining: 0 }));
  if (allow !== undefined) headers['Allow'] = allow.join(', ');
  // Nothing more is heard from a certificate that is not trusted (channels 9).
  if (refusal.code === 'CERTIFICATE_NOT_TRUSTED') headers['Connection'] = 'close';
  return {
    status,
    headers,
    body: {
      title: refusal.code,
      detail: refusal.detail,
      ...(fields === undefined ? {} : { errors: fields }),
    },
  };
}

/** A defect of ours: the caller learns the request id and nothing else. */
export const defect = (requestId: string): Refusal =>
  new Refusal('INTERNAL_ERROR', `Something failed on our side. Request id: ${requestId}`);
