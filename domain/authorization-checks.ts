import type {
  AuthorizationCommand,
  AuthorizationView,
  CardView,
  OwnerView,
  TombstoneView,
} from './authorization-view.ts';
import { assertNever } from './errors.ts';
import { availableOf } from './ledger.ts';
import { budgetRefusal, cardLimitRefusal, ceilingRefusal, type Spending } from './limit-checks.ts';
import type { Countable } from './limit-consumption.ts';
import { add, subtract } from './money.ts';
import { type Refused, refuse } from './network-answer.ts';
import { referencedBy } from './reference.ts';
import type { BalanceView, Lifecycle } from './transaction.ts';

export interface Step<View> {
  readonly no: number;
  readonly test: (view: View, command: AuthorizationCommand, nowMs: number) => Refused | null;
}

/** Lock that the last wrong PIN puts on a card. */
export const PIN_LOCK = 6;

/** `type` words that each kind of message may carry (processor 3.3). */
const TYPES: Readonly<Record<AuthorizationCommand['kind'], readonly string[]>> = {
  AUTHORIZATION: ['pos', 'atm', 'cashback_at_pos', 'aft'],
  INCREMENTAL: ['pos', 'atm', 'cashback_at_pos', 'aft'],
  CREDIT_AUTHORIZATION: ['adjustment'],
  BALANCE_INQUIRY: ['balance_inquiry'],
};

export const requestType: Step<unknown> = {
  no: 2,
  test: (_view, { kind, type, creditReason, captureMode }) => {
    const known = TYPES[kind].includes(type) && (kind !== 'CREDIT_AUTHORIZATION' || creditReason !== null);
    // Cash at a till is for chip and PIN only (processor 3.3).
    const chipLess = type === 'cashback_at_pos' && captureMode !== null && CHIPLESS.includes(captureMode);
    return known && !(kind === 'AUTHORIZATION' && chipLess) ? null : refuse('UNKNOWN_TRANSACTION_TYPE');
  },
};

const CHIPLESS = ['magstripe', 'manual', 'ecommerce'];

const requestAmount: Step<unknown> = {
  no: 3,
  test(_view, { kind, type, amount, originalAmount, cashbackAmount }) {
    const wrong = kind === 'BALANCE_INQUIRY' ? amount !== 0 : amount <= 0;
    if (wrong || (originalAmount !== null && originalAmount <= 0)) return refuse('INVALID_AMOUNT');
    const cash = cashbackAmount ?? 0;
    if (kind === 'AUTHORIZATION' && type === 'cashback_at_pos' && (cash <= 0 || cash >= amount))
      return refuse('INVALID_AMOUNT');
    return null;
  },
};

/** Checks for a card that the processor does not share with us. */
export const UNKNOWN_CARD_STEPS: readonly Step<null>[] = [
  requestType,
  requestAmount,
  { no: 4, test: () => refuse('CARD_NOT_FOUND', 'CARD_UNKNOWN') },
];

const tombstone: Step<AuthorizationView> = {
  no: 1,
  test(view, command) {
    if (view.tombstones.length === 0) return null;
    const left = leftOf(view.tombstones, chargeOf(view, command) ?? command.amount);
    return left > 0 ? null : refuse('UNKNOWN_ERROR', 'REVERSED_BEFORE_ARRIVAL');
  },
};

/** Steps 1 to 7 (authorization 3): the request, the card, its holder and its balance. */
export const CARD_STEPS: readonly Step<AuthorizationView>[] = [
  tombstone,
  requestType,
  requestAmount,
  { no: 5, test: ({ card }, _command, nowMs) => cardRefusal(card, nowMs) },
  { no: 6, test: ({ owner }) => ownerRefusal(owner) },
  { no: 7, test: ({ balance }, { kind }) => balanceRefusal(balance, kind === 'CREDIT_AUTHORIZATION') },
];

/** Steps 9 and 10: what proves the card, and whether its holder may transact. */
export const PROOF_STEPS: readonly Step<AuthorizationView>[] = [
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

/** Step 11: an amount in the balance's currency. */
export const CURRENCY_STEP: Step<AuthorizationView> = {
  no: 11,
  test: (view, command) => (chargeOf(view, command) === null ? refuse('CURRENCY_MISMATCH') : null),
};

/** Step 18: what the partner has deposited covers a debit; a credit needs a place to go back to. */
export const DEPOSIT_STEP: Step<AuthorizationView> = {
  no: 18,
  test(view, command) {
    if (view.programme.funding !== 'deposit') return null;
    if (view.deposit === null) return refuse('DEPOSIT_BALANCE_NOT_FOUND');
    const amount = chargeOf(view, command) ?? 0;
    const available = availableOf(view.deposit);
    const credit = command.kind === 'CREDIT_AUTHORIZATION';
    if (credit || !view.deposit.enforced || available >= amount) return null;
    return refuse('INSUFFICIENT_FUNDS_ON_DEPOSIT_BALANCE', null, { available, amount });
  },
};

/** Step 20: where the partner decides or has a vote. */
export const PARTNER_STEP: Step<AuthorizationView> = {
  no: 20,
  test: ({ programme }) =>
    programme.balanceHolder === 'external' || programme.sharedAuthorization
      ? refuse('UNKNOWN_ERROR', 'PARTNER_UNAVAILABLE')
      : null,
};

/** Steps 14 to 20: what may be spent, and what is there to spend. */
export const MONEY_STEPS: readonly Step<AuthorizationView>[] = [
  {
    no: 14,
    test: (view, command) => ceilingRefusal(view.limits, command, spendingOf(view, command)),
  },
  { no: 15, test: (view, command) => cardLimitRefusal(view.limits, spendingOf(view, command)) },
  { no: 16, test: (view, command) => budgetRefusal(view.limits, spendingOf(view, command)) },
  DEPOSIT_STEP,
  {
    no: 19,
    test(view, command) {
      if (view.balance === null || view.balance.holder === 'external') return null;
      const amount = chargeOf(view, command) ?? 0;
      const available = availableOf(view.balance);
      return available >= amount ? null : refuse('INSUFFICIENT_FUNDS', 'FUNDS', { available, amount });
    },
  },
  PARTNER_STEP,
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

function balanceRefusal(balance: BalanceView | null, credits: boolean): Refused | null {
  if (balance === null) return refuse('BALANCE_NOT_FOUND');
  switch (balance.state) {
    case 'ACTIVE':
      return null;
    case 'BLOCKED':
      // A blocked balance still takes credits (money 1).
      return credits ? null : refuse('BALANCE_NOT_FOUND', 'BALANCE_BLOCKED');
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

/** What of a message decides which limits it counts against. */
export function countableOf(view: AuthorizationView, command: AuthorizationCommand): Countable {
  const { balance } = view;
  const lifecycle = command.kind === 'INCREMENTAL' ? incremented(view, command) : null;
  // An increment counts as what it adds to.
  if (lifecycle !== null) {
    const { type, captureMode, originalCurrency, currency, cashback } = lifecycle;
    const foreign = originalCurrency !== null && originalCurrency !== currency;
    return { type, captureMode, foreign, cashback };
  }
  const { type, captureMode, originalCurrency, currency, cashbackAmount } = command;
  return {
    type,
    captureMode,
    foreign: balance !== null && (originalCurrency ?? currency) !== balance.currency,
    cashback: cashbackAmount ?? 0,
  };
}

/** An increment counts on top of what its transaction holds already. */
function spendingOf(view: AuthorizationView, command: AuthorizationCommand): Spending {
  const amount = chargeOf(view, command) ?? 0;
  const held = command.kind === 'INCREMENTAL' ? (incremented(view, command)?.held ?? 0) : 0;
  return { what: countableOf(view, command), amount, total: add(amount, held) };
}

/** The one transaction that an increment adds to, null when none or several fit (step 8). */
export function incremented(view: AuthorizationView, command: AuthorizationCommand): Lifecycle | null {
  const [found, ...others] = incrementable(view, command);
  return found !== undefined && others.length === 0 ? found : null;
}

const incrementable = (view: AuthorizationView, command: AuthorizationCommand): Lifecycle[] =>
  referencedBy(
    command,
    view.candidates.filter((one) => one.state === 'AUTHORIZED' && one.category === 'DEBIT'),
  );

/** Step 8: an increment names one authorized transaction of the card, and no total below what that has. */
export const REFERENCE_STEP: Step<AuthorizationView> = {
  no: 8,
  test(view, command) {
    const found = incrementable(view, command);
    if (found.length === 0) return refuse('REFERENCED_TRANSACTION_NOT_FOUND');
    const [one] = found;
    if (one === undefined || found.length > 1) return refuse('AMBIGUOUS_REFERENCED_TRANSACTION');
    const { cumulativeAmount } = command;
    return cumulativeAmount !== null && cumulativeAmount < authorizedTotal(one)
      ? refuse('INVALID_AMOUNT')
      : null;
  },
};

/** What a transaction may come to: authorized less what was given back. */
export const authorizedTotal = ({ authorized, reversed }: Lifecycle): number =>
  subtract(authorized, reversed);

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

/** Every refusal of a message that is decided already: its flags (authorization 3). */
export const allRefusals = <View>(
  steps: readonly Step<View>[],
  view: View,
  command: AuthorizationCommand,
  nowMs: number,
): RefusedAt[] =>
  steps.flatMap(({ no, test }) => {
    const refused = test(view, command, nowMs);
    return refused === null ? [] : [{ ...refused, step: no }];
  });
