import type {
  AuthorizationCommand,
  AuthorizationView,
  CardView,
  OwnerView,
  TombstoneView,
} from './authorization-view.ts';
import { assertNever } from './errors.ts';
import { availableOf } from './ledger.ts';
import { subtract } from './money.ts';
import type { Description } from './response-code.ts';
import type { BalanceView } from './transaction.ts';

/** Why a check ended the decision. */
export interface Refused {
  readonly description: Description;
  readonly reason: string | null;
  readonly values?: Readonly<Record<string, number | string>>;
  /** Reason whose codes are told in place of those of `reason`. */
  readonly codesOf?: string;
}

export interface Step<View> {
  readonly no: number;
  readonly test: (view: View, command: AuthorizationCommand, nowMs: number) => Refused | null;
}

/** Lock that the last wrong PIN puts on a card. */
export const PIN_LOCK = 6;

/** A refusal as a value. */
export const refuse = (
  description: Description,
  reason: string | null = null,
  values: Readonly<Record<string, number | string>> = {},
): Refused => ({ description, reason, values });

/** `type` words that each kind of message may carry (processor 3.3); a kind without words is not offered. */
const TYPES: Readonly<Record<AuthorizationCommand['kind'], readonly string[]>> = {
  AUTHORIZATION: ['pos', 'atm', 'cashback_at_pos', 'aft'],
  BALANCE_INQUIRY: ['balance_inquiry'],
  INCREMENTAL: [],
  CREDIT_AUTHORIZATION: [],
};

const requestType: Step<unknown> = {
  no: 2,
  test: (_view, { kind, type }) =>
    TYPES[kind].includes(type)
      ? null
      : refuse('UNKNOWN_TRANSACTION_TYPE', TYPES[kind].length === 0 ? 'KIND_NOT_OFFERED' : null),
};

const requestAmount: Step<unknown> = {
  no: 3,
  test(_view, { kind, type, amount, originalAmount, cashbackAmount }) {
    const wrong = kind === 'BALANCE_INQUIRY' ? amount !== 0 : amount <= 0;
    if (wrong || (originalAmount !== null && originalAmount <= 0)) return refuse('INVALID_AMOUNT');
    const cash = cashbackAmount ?? 0;
    if (type === 'cashback_at_pos' && (cash <= 0 || cash >= amount)) return refuse('INVALID_AMOUNT');
    return null;
  },
};

/** Checks for a card that the processor does not share with us. */
export const UNKNOWN_CARD_STEPS: readonly Step<null>[] = [
  requestType,
  requestAmount,
  { no: 4, test: () => refuse('CARD_NOT_FOUND', 'CARD_UNKNOWN') },
];

/** The checks in their order (authorization 3): the first that refuses ends the decision. */
export const STEPS: readonly Step<AuthorizationView>[] = [
  {
    no: 1,
    test(view, command) {
      if (view.tombstones.length === 0) return null;
      const left = leftOf(view.tombstones, chargeOf(view, command) ?? command.amount);
      return left > 0 ? null : refuse('UNKNOWN_ERROR', 'REVERSED_BEFORE_ARRIVAL');
    },
  },
  requestType,
  requestAmount,
  { no: 5, test: ({ card }, _command, nowMs) => cardRefusal(card, nowMs) },
  { no: 6, test: ({ owner }) => ownerRefusal(owner) },
  { no: 7, test: ({ balance }) => balanceRefusal(balance) },
  { no: 9, test: verificationRefusal },
  {
    no: 10,
    test({ owner, product }) {
      if ((owner?.transactionalLocks ?? 0) > 0) return refuse('AML_EXCEPTION', 'TRANSACTIONAL_LOCK');
      const passed = owner?.kyc === 'SUCCESS' || product.anonymous;
      return passed ? null : refuse('AML_EXCEPTION', 'KYC_NOT_COMPLETE');
    },
  },
];

/** The checks that an inquiry does not go through: they need a charge. */
export const MONEY_STEPS: readonly Step<AuthorizationView>[] = [
  {
    no: 11,
    test: (view, command) => (chargeOf(view, command) === null ? refuse('CURRENCY_MISMATCH') : null),
  },
  {
    no: 18,
    test(view, command) {
      if (view.programme.funding !== 'deposit') return null;
      if (view.deposit === null) return refuse('DEPOSIT_BALANCE_NOT_FOUND');
      const amount = chargeOf(view, command) ?? 0;
      const available = availableOf(view.deposit);
      if (!view.deposit.enforced || available >= amount) return null;
      return refuse('INSUFFICIENT_FUNDS_ON_DEPOSIT_BALANCE', null, { available, amount });
    },
  },
  {
    no: 19,
    test(view, command) {
      if (view.balance === null || view.balance.holder === 'external') return null;
      const amount = chargeOf(view, command) ?? 0;
      const available = availableOf(view.balance);
      return available >= amount ? null : refuse('INSUFFICIENT_FUNDS', 'FUNDS', { available, amount });
    },
  },
  {
    no: 20,
    test: ({ programme }) =>
      programme.balanceHolder === 'external' || programme.sharedAuthorization
        ? refuse('UNKNOWN_ERROR', 'PARTNER_UNAVAILABLE')
        : null,
  },
];

/** What reversals that came first leave of `amount` (authorization 9). */
export const leftOf = (tombstones: readonly TombstoneView[], amount: number): number =>
  tombstones.reduce((left, one) => {
    if (one.remainingAmount !== null) return Math.min(left, one.remainingAmount);
    return one.amount === null ? 0 : Math.max(0, subtract(left, one.amount));
  }, amount);

/** Locks from the worst: those that nobody can lift, then the others by code (cards 4.5). */
const WORST_LOCKS = [1, 2, 5, 8, 3, 4, 6, 7, 11];

function cardRefusal(card: CardView, nowMs: number): Refused | null {
  if (card.baseState === 'REMOVED') return refuse('CARD_NOT_FOUND', 'CARD_REMOVED');
  const today = new Date(nowMs).toISOString().slice(0, 10);
  if (card.expiryDate < today) return refuse('CARD_NOT_FOUND', 'CARD_EXPIRED');
  const lock = WORST_LOCKS.find((code) => card.locks.includes(code));
  if (lock !== undefined) return refuse('CARD_NOT_FOUND', `CARD_LOCKED_${lock}`);
  return card.baseState === 'ACTIVE' ? null : refuse('CARD_NOT_FOUND', 'CARD_INACTIVE');
}

function ownerRefusal(owner: OwnerView | null): Refused | null {
  if (owner === null || owner.state === 'DELETED') return refuse('CUSTOMER_NOT_FOUND');
  return owner.state === 'LOCKED' ? refuse('CUSTOMER_NOT_FOUND', 'CUSTOMER_LOCKED') : null;
}

function balanceRefusal(balance: BalanceView | null): Refused | null {
  if (balance === null) return refuse('BALANCE_NOT_FOUND');
  switch (balance.state) {
    case 'ACTIVE':
      return null;
    case 'BLOCKED':
      return refuse('BALANCE_NOT_FOUND', 'BALANCE_BLOCKED');
    case 'LINKING':
      return refuse('BALANCE_NOT_FOUND', 'BALANCE_LINKING');
    case 'UNLINKING':
    case 'CLOSED':
      return refuse('BALANCE_NOT_FOUND', 'BALANCE_CLOSED');
    default:
      return assertNever(balance.state);
  }
}

function verificationRefusal(view: AuthorizationView, command: AuthorizationCommand): Refused | null {
  const { verdicts, type, expiry } = command;
  const needsPin = type === 'atm' || type === 'cashback_at_pos';
  if (verdicts.pin === 'NO_MATCH') {
    const last = view.card.pinTriesLeft <= 1;
    return {
      ...refuse('UNKNOWN_ERROR', 'PIN_INVALID'),
      ...(last ? { codesOf: `CARD_LOCKED_${PIN_LOCK}` } : {}),
    };
  }
  if (needsPin && verdicts.pin !== 'MATCH') return refuse('UNKNOWN_ERROR', 'PIN_INVALID');
  if (verdicts.cvc2 === 'NO_MATCH') return refuse('UNKNOWN_ERROR', 'CVC_INVALID');
  if (verdicts.cryptogram === 'NO_MATCH') return refuse('UNKNOWN_ERROR', 'CRYPTOGRAM_INVALID');
  const expiryDiffers = expiry !== null && expiry !== view.card.expiryDate.slice(0, 7);
  if (verdicts.expiry === 'NO_MATCH' || expiryDiffers) return refuse('UNKNOWN_ERROR', 'EXPIRY_MISMATCH');
  return verdicts.threeDs === 'NO_MATCH' ? refuse('UNKNOWN_ERROR', 'THREE_DS_FAILED') : null;
}

/** Amount that the balance is charged (step 11), null when neither currency of the message is the balance's. */
export function chargeOf({ balance }: AuthorizationView, command: AuthorizationCommand): number | null {
  if (balance === null) return null;
  if (command.originalCurrency === balance.currency && command.originalAmount !== null) {
    return command.originalAmount;
  }
  return command.currency === balance.currency ? command.amount : null;
}

/** A refusal with the number of the check that it came from. */
export interface RefusedAt extends Refused {
  readonly step: number;
}

/** Runs checks in their order and answers the first refusal, null when all pass. */
export function firstRefusal<View>(
  steps: readonly Step<View>[],
  view: View,
  command: AuthorizationCommand,
  nowMs: number,
): RefusedAt | null {
  for (const { no, test } of steps) {
    const refused = test(view, command, nowMs);
    if (refused !== null) return { ...refused, step: no };
  }
  return null;
}
