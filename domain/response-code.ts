/** Result of a transaction, of an event and of an answer: the documented descriptions (authorization 4). */
export type Description = keyof typeof RESPONSES;

/** DECLINED: refused by a rule. INVALID: cannot be processed. Neither moves money (money 4.3). */
export type ProcessingStatus = 'SUCCESS' | 'DECLINED' | 'INVALID';

interface Response {
  readonly processingStatus: ProcessingStatus;
  /** ISO 8583 DE 39. */
  readonly responseCode: string;
  /** Four digits: the ISO 8583:1993 action code with a zero after its first digit (processor 3.7). */
  readonly actionCode: string;
}

const RESPONSES = {
  APPROVED: { processingStatus: 'SUCCESS', responseCode: '00', actionCode: '0000' },
  EXCEEDS_AMOUNT_LIMIT: { processingStatus: 'DECLINED', responseCode: '61', actionCode: '1021' },
  INSUFFICIENT_FUNDS: { processingStatus: 'DECLINED', responseCode: '51', actionCode: '1016' },
  CARD_NOT_FOUND: { processingStatus: 'INVALID', responseCode: '14', actionCode: '1011' },
  BALANCE_NOT_FOUND: { processingStatus: 'INVALID', responseCode: '52', actionCode: '1014' },
  INVALID_AMOUNT: { processingStatus: 'INVALID', responseCode: '13', actionCode: '1010' },
  INSUFFICIENT_FUNDS_ON_DEPOSIT_BALANCE: {
    processingStatus: 'DECLINED',
    responseCode: '05',
    actionCode: '1000',
  },
  DEPOSIT_BALANCE_NOT_FOUND: { processingStatus: 'INVALID', responseCode: '05', actionCode: '1000' },
  AML_EXCEPTION: { processingStatus: 'DECLINED', responseCode: '59', actionCode: '1002' },
  AMBIGUOUS_REFERENCED_TRANSACTION: { processingStatus: 'INVALID', responseCode: '12', actionCode: '1000' },
  REFERENCED_TRANSACTION_NOT_FOUND: { processingStatus: 'INVALID', responseCode: '25', actionCode: '1000' },
  CURRENCY_MISMATCH: { processingStatus: 'INVALID', responseCode: '57', actionCode: '1019' },
  CUSTOMER_NOT_FOUND: { processingStatus: 'INVALID', responseCode: '62', actionCode: '1018' },
  BUDGET_EXCEEDED: { processingStatus: 'DECLINED', responseCode: '61', actionCode: '1021' },
  LIMIT_EXCEED: { processingStatus: 'DECLINED', responseCode: '61', actionCode: '1021' },
  COLLATERAL_BALANCE_NOT_FOUND: { processingStatus: 'INVALID', responseCode: '05', actionCode: '1000' },
  INSUFFICIENT_FUNDS_ON_COLLATERAL_BALANCE: {
    processingStatus: 'DECLINED',
    responseCode: '05',
    actionCode: '1000',
  },
  UNKNOWN_TRANSACTION_TYPE: { processingStatus: 'INVALID', responseCode: '40', actionCode: '1015' },
  UNKNOWN_ERROR: { processingStatus: 'DECLINED', responseCode: '05', actionCode: '1000' },
} as const satisfies Record<string, Response>;

/** Reasons that change what their description says (processor 3.7, authorization 4). */
const REFINEMENTS: Readonly<Record<string, Partial<Response>>> = {
  CARD_LOCKED_1: { processingStatus: 'DECLINED', responseCode: '41', actionCode: '2008' },
  CARD_LOCKED_2: { processingStatus: 'DECLINED', responseCode: '43', actionCode: '2009' },
  CARD_LOCKED_3: { processingStatus: 'DECLINED', responseCode: '05', actionCode: '1000' },
  CARD_LOCKED_4: { processingStatus: 'DECLINED', responseCode: '62', actionCode: '1016' },
  CARD_LOCKED_5: { processingStatus: 'DECLINED', responseCode: '62', actionCode: '1018' },
  CARD_LOCKED_6: { processingStatus: 'DECLINED', responseCode: '75', actionCode: '1006' },
  CARD_LOCKED_7: { processingStatus: 'DECLINED', responseCode: '59', actionCode: '1002' },
  CARD_LOCKED_8: { processingStatus: 'DECLINED', responseCode: '14', actionCode: '1011' },
  CARD_LOCKED_11: { processingStatus: 'DECLINED', responseCode: '75', actionCode: '1006' },
  CARD_INACTIVE: { processingStatus: 'DECLINED', responseCode: '62', actionCode: '1018' },
  CARD_EXPIRED: { processingStatus: 'DECLINED', responseCode: '54', actionCode: '1001' },
  CARD_REMOVED: { processingStatus: 'DECLINED' },
  CUSTOMER_LOCKED: { processingStatus: 'DECLINED' },
  CORPORATION_LOCKED: { processingStatus: 'DECLINED' },
  EMPLOYEE_SUSPENDED: { processingStatus: 'DECLINED' },
  EXPIRY_MISMATCH: { responseCode: '54', actionCode: '1001' },
  PIN_INVALID: { responseCode: '55', actionCode: '1017' },
  PIN_TRIES_EXCEEDED: { responseCode: '75', actionCode: '1006' },
  CVC_INVALID: { responseCode: '63', actionCode: '1022' },
  CRYPTOGRAM_INVALID: { responseCode: '63', actionCode: '1022' },
  THREE_DS_FAILED: { responseCode: '63', actionCode: '1022' },
  CONTROL: { responseCode: '57', actionCode: '1019' },
  DUPLICATE_KEY_CONFLICT: { responseCode: '94', actionCode: '1000' },
};

/** Codes for a description, refined by its reason where the tables do so. */
export function responseOf(description: Description, reason: string | null): Response {
  const refinement = reason === null ? undefined : REFINEMENTS[reason];
  return { ...RESPONSES[description], ...refinement };
}

/** All descriptions, for tables and checks of input. */
export const DESCRIPTIONS = Object.keys(RESPONSES) as readonly Description[];
