import { describe, expect, it } from 'vitest';
import { decide, declineAsFault, duplicateKeyConflict } from '../../domain/authorization.ts';
import type {
  AllLimitsView,
  AuthorizationCommand,
  AuthorizationView,
  TombstoneView,
  Verdicts,
} from '../../domain/authorization-view.ts';
import { readTraceText, compactTrace } from '../../domain/decision-trace.ts';
import {
  type Budget,
  type Controls,
  type LimitDocument,
  type LimitType,
  NO_LIMITS,
  type TimeUnit,
} from '../../domain/limit.ts';
import type { Lifecycle } from '../../domain/transaction.ts';
import { aCommand, aView, lifecycleOf, NOON_MS } from '../support/card-messages.ts';

const IDS = { transactionId: 'tx-1', approvalCode: 'Q7T2ZK' };
const DAY_MS = 86_400_000;

const card = (changes: Partial<AuthorizationView['card']>): Partial<AuthorizationView> => ({
  card: { ...aView().card, ...changes },
});
const owner = (changes: Partial<NonNullable<AuthorizationView['owner']>>): Partial<AuthorizationView> => ({
  owner: { state: 'VERIFIED', kyc: 'SUCCESS', transactionalLocks: 0, ...changes },
});
/** A card of a corporation's balance, held by an employee. */
const company = (
  changes: Partial<NonNullable<AuthorizationView['corporation']>> = {},
  others: Partial<AuthorizationView> = {},
): Partial<AuthorizationView> => ({
  corporation: { state: 'ACTIVE', kyb: 'SUCCESS', transactionalLocks: 0, employee: 'ACTIVE', ...changes },
  ...others,
});
const balance = (
  changes: Partial<NonNullable<AuthorizationView['balance']>>,
): Partial<AuthorizationView> => ({
  balance: { ...(aView().balance as NonNullable<AuthorizationView['balance']>), ...changes },
});
const programme = (changes: Partial<AuthorizationView['programme']>): Partial<AuthorizationView> => ({
  programme: { ...aView().programme, ...changes },
});
const verdicts = (changes: Partial<Verdicts>): Partial<AuthorizationCommand> => ({
  verdicts: { ...aCommand().verdicts, ...changes },
});
/** A reversal that came before its purchase; of everything unless told. */
const gone = (changes: Partial<TombstoneView> = {}): TombstoneView => ({
  id: 'x',
  amount: null,
  remainingAmount: null,
  ...changes,
});
const ALL_ON: Controls = {
  atm: true, ecommerce: true, contactless: true, magstripe: true, foreign: true,
  mccAllow: [], mccBlock: [], countryAllow: [], countryBlock: [],
}; // prettier-ignore
const cell = (timeUnit: TimeUnit, type: LimitType, amountMinor: number): Partial<LimitDocument> => ({
  limits: [{ timeUnit, type, amountMinor }],
});
const budget = (budgetMinor: number, changes: Partial<Budget> = {}): Partial<LimitDocument> => ({
  budget: {
    budgetMinor,
    validFrom: '2026-03-01T00:00:00',
    validTo: '2026-03-31T23:59:59',
    timezone: 'UTC',
    ...changes,
  },
});
/** Limits of the holders named; `counted` starts with the day, the week and the month of all debits. */
const limits = (
  documents: Partial<Record<keyof AllLimitsView, Partial<LimitDocument>>>,
  counted: readonly number[] = [],
): Partial<AuthorizationView> => ({
  limits: {
    ...aView().limits,
    ...Object.fromEntries(
      Object.entries(documents).map(([holder, document]) => [
        holder,
        { document: { ...NO_LIMITS, ...document }, counted, localNow: '2026-03-01T12:00:00', version: 7 },
      ]),
    ),
  },
});
/** A purchase of 2000 that is open. */
function open(id: string): Lifecycle {
  const { transaction } = decide(aView(), aCommand({ amount: 2000 }), NOON_MS, {
    transactionId: id,
    approvalCode: 'Q7T2ZK',
  }).effects;
  if (!transaction?.created) throw new Error('the purchase was not approved');
  return lifecycleOf(id, transaction.created, transaction.fold, [{ eventSeq: 1, seq: 1, remaining: 2000 }]);
}
const DEPOSIT = { posted: 500_000, held: 0, enforced: true };

type Case = readonly [
  name: string,
  view: Partial<AuthorizationView> | null,
  command: Partial<AuthorizationCommand>,
  expected: string,
];

/** Expected: description, reason, DE 39, action code, state of the transaction, step of the trace. */
const REFUSALS: readonly Case[] = [
  ['whole tombstone', { tombstones: [gone()] }, {}, 'UNKNOWN_ERROR REVERSED_BEFORE_ARRIVAL 05 1000 DECLINED 1'],
  ['tombstone of as much', { tombstones: [gone({ amount: 3500 })] }, {}, 'UNKNOWN_ERROR REVERSED_BEFORE_ARRIVAL 05 1000 DECLINED 1'],
  ['reversals that leave nothing', { tombstones: [gone({ amount: 2000 }), gone({ amount: 1500 })] }, {}, 'UNKNOWN_ERROR REVERSED_BEFORE_ARRIVAL 05 1000 DECLINED 1'],
  ['reversal down to nothing', { tombstones: [gone({ remainingAmount: 0 })] }, {}, 'UNKNOWN_ERROR REVERSED_BEFORE_ARRIVAL 05 1000 DECLINED 1'],
  ['unknown type', {}, { type: 'loan' }, 'UNKNOWN_TRANSACTION_TYPE - 40 1015 INVALID 2'],
  ['type of another kind', {}, { type: 'balance_inquiry' }, 'UNKNOWN_TRANSACTION_TYPE - 40 1015 INVALID 2'],
  ['credit without a reason', {}, { kind: 'CREDIT_AUTHORIZATION', type: 'adjustment' }, 'UNKNOWN_TRANSACTION_TYPE - 40 1015 INVALID 2'],
  ['credit of a purchase type', {}, { kind: 'CREDIT_AUTHORIZATION', creditReason: 'REFUND' }, 'UNKNOWN_TRANSACTION_TYPE - 40 1015 INVALID 2'],
  ['amount 0', {}, { amount: 0 }, 'INVALID_AMOUNT - 13 1010 INVALID 3'],
  ['negative amount', {}, { amount: -5 }, 'INVALID_AMOUNT - 13 1010 INVALID 3'],
  ['original amount 0', {}, { originalAmount: 0, originalCurrency: 'USD' }, 'INVALID_AMOUNT - 13 1010 INVALID 3'],
  ['inquiry with an amount', {}, { kind: 'BALANCE_INQUIRY', type: 'balance_inquiry' }, 'INVALID_AMOUNT - 13 1010 INVALID 3'],
  ['cashback without cash', {}, { type: 'cashback_at_pos' }, 'INVALID_AMOUNT - 13 1010 INVALID 3'],
  ['cashback of everything', {}, { type: 'cashback_at_pos', cashbackAmount: 3500 }, 'INVALID_AMOUNT - 13 1010 INVALID 3'],
  ['card removed', card({ baseState: 'REMOVED' }), {}, 'CARD_NOT_FOUND CARD_REMOVED 14 1011 DECLINED 5'],
  ['card expired', card({ expiryDate: '2026-02-28' }), {}, 'CARD_NOT_FOUND CARD_EXPIRED 54 1001 DECLINED 5'],
  ['card not yet active', card({ baseState: 'INACTIVE' }), {}, 'CARD_NOT_FOUND CARD_INACTIVE 62 1018 DECLINED 5'],
  ['lock 1', card({ locks: [1] }), {}, 'CARD_NOT_FOUND CARD_LOCKED_1 41 2008 DECLINED 5'],
  ['lock 2', card({ locks: [2] }), {}, 'CARD_NOT_FOUND CARD_LOCKED_2 43 2009 DECLINED 5'],
  ['lock 3', card({ locks: [3] }), {}, 'CARD_NOT_FOUND CARD_LOCKED_3 05 1000 DECLINED 5'],
  ['lock 4', card({ locks: [4] }), {}, 'CARD_NOT_FOUND CARD_LOCKED_4 62 1016 DECLINED 5'],
  ['lock 5', card({ locks: [5] }), {}, 'CARD_NOT_FOUND CARD_LOCKED_5 62 1018 DECLINED 5'],
  ['lock 6', card({ locks: [6] }), {}, 'CARD_NOT_FOUND CARD_LOCKED_6 75 1006 DECLINED 5'],
  ['lock 7', card({ locks: [7] }), {}, 'CARD_NOT_FOUND CARD_LOCKED_7 59 1002 DECLINED 5'],
  ['lock 8', card({ locks: [8] }), {}, 'CARD_NOT_FOUND CARD_LOCKED_8 14 1011 DECLINED 5'],
  ['lock 11', card({ locks: [11] }), {}, 'CARD_NOT_FOUND CARD_LOCKED_11 75 1006 DECLINED 5'],
  ['the worst of several locks', card({ locks: [3, 6, 2] }), {}, 'CARD_NOT_FOUND CARD_LOCKED_2 43 2009 DECLINED 5'],
  ['no owner', { owner: null }, {}, 'CUSTOMER_NOT_FOUND - 62 1018 INVALID 6'],
  ['owner deleted', owner({ state: 'DELETED' }), {}, 'CUSTOMER_NOT_FOUND - 62 1018 INVALID 6'],
  ['owner locked', owner({ state: 'LOCKED' }), {}, 'CUSTOMER_NOT_FOUND CUSTOMER_LOCKED 62 1018 DECLINED 6'],
  ['corporation deleted', company({ state: 'DELETED' }), {}, 'CUSTOMER_NOT_FOUND - 62 1018 INVALID 6'],
  ['corporation locked', company({ state: 'LOCKED' }), {}, 'CUSTOMER_NOT_FOUND CORPORATION_LOCKED 62 1018 DECLINED 6'],
  ['corporation locked, nobody holds the card', company({ state: 'LOCKED', employee: null }, { owner: null }), {}, 'CUSTOMER_NOT_FOUND CORPORATION_LOCKED 62 1018 DECLINED 6'],
  ['employee suspended', company({ employee: 'SUSPENDED' }), {}, 'CUSTOMER_NOT_FOUND EMPLOYEE_SUSPENDED 62 1018 DECLINED 6'],
  ['employee removed', company({ employee: 'REMOVED' }), {}, 'CUSTOMER_NOT_FOUND - 62 1018 INVALID 6'],
  ['employee locked', company({}, owner({ state: 'LOCKED' })), {}, 'CUSTOMER_NOT_FOUND CUSTOMER_LOCKED 62 1018 DECLINED 6'],
  ['employee deleted', company({}, owner({ state: 'DELETED' })), {}, 'CUSTOMER_NOT_FOUND - 62 1018 INVALID 6'],
  ['no balance', { balance: null }, {}, 'BALANCE_NOT_FOUND - 52 1014 INVALID 7'],
  ['balance blocked', balance({ state: 'BLOCKED' }), {}, 'BALANCE_NOT_FOUND BALANCE_BLOCKED 52 1014 INVALID 7'],
  ['balance linking', balance({ state: 'LINKING' }), {}, 'BALANCE_NOT_FOUND BALANCE_LINKING 52 1014 INVALID 7'],
  ['balance closed', balance({ state: 'CLOSED' }), {}, 'BALANCE_NOT_FOUND BALANCE_CLOSED 52 1014 INVALID 7'],
  ['increment of nothing', {}, { kind: 'INCREMENTAL' }, 'REFERENCED_TRANSACTION_NOT_FOUND - 25 1000 INVALID 8'],
  ['increment of one of two', { candidates: [open('a'), open('b')] }, { kind: 'INCREMENTAL' }, 'AMBIGUOUS_REFERENCED_TRANSACTION - 12 1000 INVALID 8'],
  ['wrong PIN', {}, verdicts({ pin: 'NO_MATCH' }), 'UNKNOWN_ERROR PIN_INVALID 55 1017 DECLINED 9'],
  ['last wrong PIN', card({ pinTriesLeft: 1 }), verdicts({ pin: 'NO_MATCH' }), 'UNKNOWN_ERROR PIN_INVALID 75 1006 DECLINED 9'],
  ['cash without PIN', {}, { type: 'atm' }, 'UNKNOWN_ERROR PIN_INVALID 55 1017 DECLINED 9'],
  ['wrong CVC2', {}, verdicts({ cvc2: 'NO_MATCH' }), 'UNKNOWN_ERROR CVC_INVALID 63 1022 DECLINED 9'],
  ['wrong cryptogram', {}, verdicts({ cryptogram: 'NO_MATCH' }), 'UNKNOWN_ERROR CRYPTOGRAM_INVALID 63 1022 DECLINED 9'],
  ['wrong expiry by verdict', {}, verdicts({ expiry: 'NO_MATCH' }), 'UNKNOWN_ERROR EXPIRY_MISMATCH 54 1001 DECLINED 9'],
  ['wrong expiry by date', {}, { expiry: '2029-04' }, 'UNKNOWN_ERROR EXPIRY_MISMATCH 54 1001 DECLINED 9'],
  ['3-D Secure failed', {}, verdicts({ threeDs: 'NO_MATCH' }), 'UNKNOWN_ERROR THREE_DS_FAILED 63 1022 DECLINED 9'],
  ['transactional lock', owner({ transactionalLocks: 1 }), {}, 'AML_EXCEPTION TRANSACTIONAL_LOCK 59 1002 DECLINED 10'],
  ['transactional lock of the corporation', company({ transactionalLocks: 1 }), {}, 'AML_EXCEPTION TRANSACTIONAL_LOCK 59 1002 DECLINED 10'],
  ['transactional lock of the employee', company({}, owner({ transactionalLocks: 1 })), {}, 'AML_EXCEPTION TRANSACTIONAL_LOCK 59 1002 DECLINED 10'],
  ['corporation not verified', company({ kyb: 'IN_PROGRESS' }), {}, 'AML_EXCEPTION KYC_NOT_COMPLETE 59 1002 DECLINED 10'],
  ['corporation not verified, its employees need not be', company({ kyb: 'NOT_STARTED' }, programme({ corporateHolderKyc: 'waived' })), {}, 'AML_EXCEPTION KYC_NOT_COMPLETE 59 1002 DECLINED 10'],
  ['employee not verified', company({}, owner({ kyc: 'IN_PROGRESS' })), {}, 'AML_EXCEPTION KYC_NOT_COMPLETE 59 1002 DECLINED 10'],
  ['not verified, where only employees need not be', { ...owner({ kyc: 'FAILED' }), ...programme({ corporateHolderKyc: 'waived' }) }, {}, 'AML_EXCEPTION KYC_NOT_COMPLETE 59 1002 DECLINED 10'],
  ['not verified', owner({ kyc: 'IN_PROGRESS' }), {}, 'AML_EXCEPTION KYC_NOT_COMPLETE 59 1002 DECLINED 10'],
  ['another currency', {}, { currency: 'USD' }, 'CURRENCY_MISMATCH - 57 1019 INVALID 11'],
  ['control of the card', limits({ card: { controls: { ...ALL_ON, contactless: false } } }), {}, 'LIMIT_EXCEED CONTROL 57 1019 DECLINED 14'],
  ['merchant category blocked', limits({ customer: { controls: { ...ALL_ON, mccBlock: ['5942'] } } }), {}, 'LIMIT_EXCEED CONTROL 57 1019 DECLINED 14'],
  ['merchant category not allowed', limits({ card: { controls: { ...ALL_ON, mccAllow: ['5411'] } } }), {}, 'LIMIT_EXCEED CONTROL 57 1019 DECLINED 14'],
  ['country blocked', limits({ card: { controls: { ...ALL_ON, countryBlock: ['POL'] } } }), {}, 'LIMIT_EXCEED CONTROL 57 1019 DECLINED 14'],
  ['country not allowed', limits({ card: { controls: { ...ALL_ON, countryAllow: ['DEU'] } } }), {}, 'LIMIT_EXCEED CONTROL 57 1019 DECLINED 14'],
  ['atm off', limits({ card: { controls: { ...ALL_ON, atm: false } } }), { type: 'atm', ...verdicts({ pin: 'MATCH' }) }, 'LIMIT_EXCEED CONTROL 57 1019 DECLINED 14'],
  ['e-commerce off', limits({ card: { controls: { ...ALL_ON, ecommerce: false } } }), { captureMode: 'ecommerce' }, 'LIMIT_EXCEED CONTROL 57 1019 DECLINED 14'],
  ['typed cards are e-commerce', limits({ card: { controls: { ...ALL_ON, ecommerce: false } } }), { captureMode: 'manual' }, 'LIMIT_EXCEED CONTROL 57 1019 DECLINED 14'],
  ['magstripe off', limits({ card: { controls: { ...ALL_ON, magstripe: false } } }), { captureMode: 'magstripe' }, 'LIMIT_EXCEED CONTROL 57 1019 DECLINED 14'],
  ['foreign currency off', limits({ card: { controls: { ...ALL_ON, foreign: false } } }), { originalAmount: 4000, originalCurrency: 'USD' }, 'LIMIT_EXCEED CONTROL 57 1019 DECLINED 14'],
  ['ceiling of the programme', limits({ programme: cell('monthly', 'general', 3499) }), {}, 'LIMIT_EXCEED LIMIT 61 1021 DECLINED 14'],
  ['ceiling of the product', limits({ product: cell('weekly', 'general', 3499) }), {}, 'LIMIT_EXCEED LIMIT 61 1021 DECLINED 14'],
  ['cell of the customer', limits({ customer: cell('daily', 'general', 3499) }), {}, 'LIMIT_EXCEED LIMIT 61 1021 DECLINED 14'],
  ['maximum of the customer', limits({ customer: { perTransactionMinor: 3499 } }), {}, 'LIMIT_EXCEED LIMIT 61 1021 DECLINED 14'],
  ['maximum of the card', limits({ card: { perTransactionMinor: 3499 } }), {}, 'EXCEEDS_AMOUNT_LIMIT LIMIT 61 1021 DECLINED 15'],
  ['cell of the card', limits({ card: cell('daily', 'general', 3499) }), {}, 'EXCEEDS_AMOUNT_LIMIT LIMIT 61 1021 DECLINED 15'],
  ['what was spent counts', limits({ card: cell('daily', 'general', 5000) }, [1501]), {}, 'EXCEEDS_AMOUNT_LIMIT LIMIT 61 1021 DECLINED 15'],
  ['e-commerce cell', limits({ card: cell('daily', 'ecommerce', 0) }), { captureMode: 'ecommerce' }, 'EXCEEDS_AMOUNT_LIMIT LIMIT 61 1021 DECLINED 15'],
  ['atm cell', limits({ card: cell('weekly', 'atm', 3000) }), { type: 'atm', ...verdicts({ pin: 'MATCH' }) }, 'EXCEEDS_AMOUNT_LIMIT LIMIT 61 1021 DECLINED 15'],
  ['atm cell by cash at a till', limits({ card: cell('weekly', 'atm', 1999) }), { type: 'cashback_at_pos', cashbackAmount: 2000, ...verdicts({ pin: 'MATCH' }) }, 'EXCEEDS_AMOUNT_LIMIT LIMIT 61 1021 DECLINED 15'],
  ['foreign cell', limits({ card: cell('monthly', 'foreign_amount', 3000) }), { originalAmount: 4000, originalCurrency: 'USD' }, 'EXCEEDS_AMOUNT_LIMIT LIMIT 61 1021 DECLINED 15'],
  ['budget spent', limits({ card: budget(3499) }), {}, 'BUDGET_EXCEEDED BUDGET_SPENT 61 1021 DECLINED 16'],
  ['before the budget', limits({ card: budget(9999, { validFrom: '2026-03-01T12:00:01' }) }), {}, 'BUDGET_EXCEEDED BUDGET_WINDOW 61 1021 DECLINED 16'],
  ['after the budget', limits({ customer: budget(9999, { validTo: '2026-03-01T11:59:59' }) }), {}, 'BUDGET_EXCEEDED BUDGET_WINDOW 61 1021 DECLINED 16'],
  ['no deposit', programme({ funding: 'deposit' }), {}, 'DEPOSIT_BALANCE_NOT_FOUND - 05 1000 INVALID 18'],
  ['deposit short', { ...programme({ funding: 'deposit' }), deposit: { ...DEPOSIT, posted: 3499 } }, {}, 'INSUFFICIENT_FUNDS_ON_DEPOSIT_BALANCE - 05 1000 DECLINED 18'],
  ['funds short', balance({ posted: 3499 }), {}, 'INSUFFICIENT_FUNDS FUNDS 51 1016 DECLINED 19'],
  ['held funds', balance({ held: 96_501 }), {}, 'INSUFFICIENT_FUNDS FUNDS 51 1016 DECLINED 19'],
  ['partner has a vote', programme({ sharedAuthorization: true }), {}, 'UNKNOWN_ERROR PARTNER_UNAVAILABLE 05 1000 DECLINED 20'],
  ['partner holds the money', { ...programme({ balanceHolder: 'external', funding: 'deposit' }), ...balance({ holder: 'external', posted: 0 }), deposit: DEPOSIT }, {}, 'UNKNOWN_ERROR PARTNER_UNAVAILABLE 05 1000 DECLINED 20'],
]; // prettier-ignore

describe('refusals in the order of the checks', () => {
  it.each(REFUSALS)('%s', (_name, view, command, expected) => {
    const { answer, effects } = decide(aView(view ?? {}), aCommand(command), NOON_MS, IDS);
    const [event] = effects.events;
    const { description, reason, responseCode, actionCode } = answer;
    const step = event?.trace.refusedBy?.step;
    const state = effects.transaction?.fold.state;
    expect([description, reason ?? '-', responseCode, actionCode, state, step].join(' ')).toBe(expected);
    expect(answer).toMatchObject({
      id: 'tx-1',
      result: 'DECLINED',
      authorizationCode: null,
      approvedAmount: null,
    });
    expect(event?.transfers).toEqual([]);
    expect(effects.transaction?.fold).toMatchObject({ held: 0, authorized: 0, eventCount: 1 });
  });

  it('answers an unknown card without an id and without effects', () => {
    const { answer, effects } = decide(null, aCommand(), NOON_MS, IDS);
    expect(answer).toMatchObject({
      id: null,
      result: 'DECLINED',
      description: 'CARD_NOT_FOUND',
      reason: 'CARD_UNKNOWN',
      responseCode: '14',
      actionCode: '1011',
    });
    expect(effects).toMatchObject({ transaction: null, events: [] });
  });

  it.each(REFUSALS.slice(1).map((one, at) => [REFUSALS[at]?.[0], one[0], REFUSALS[at], one] as const))(
    'what refuses first wins: %s before %s',
    (_first, _second, first, second) => {
      const stepOf = (one: Case | undefined): number => Number(one?.[3].split(' ').at(-1));
      if (first === undefined || stepOf(first) >= stepOf(second)) return;
      const view = aView({ ...second[1], ...first[1] });
      const { effects } = decide(view, aCommand({ ...second[2], ...first[2] }), NOON_MS, IDS);
      expect(effects.events[0]?.trace.refusedBy?.step).toBe(stepOf(first));
    },
  );
});

describe('approval', () => {
  it('holds the amount and tells code, amount and currency', () => {
    const { answer, effects } = decide(aView(), aCommand(), NOON_MS, IDS);
    expect(answer).toEqual({
      id: 'tx-1',
      result: 'APPROVED',
      description: 'APPROVED',
      reason: null,
      actionCode: '0000',
      responseCode: '00',
      authorizationCode: 'Q7T2ZK',
      approvedAmount: 3500,
      currency: 'EUR',
      availableAmount: null,
      iccResponse: null,
    });
    expect(effects.transaction?.fold).toMatchObject({ state: 'AUTHORIZED', authorized: 3500, held: 3500 });
    expect(effects.transaction?.created).toMatchObject({ balanceBefore: 100_000, balanceAfter: 96_500 });
    expect(effects.forced).toBe(false);
  });

  it('charges the original amount when that is in the currency of the balance', () => {
    const command = aCommand({
      amount: 4000,
      currency: 'USD',
      originalAmount: 3500,
      originalCurrency: 'EUR',
    });
    expect(decide(aView(), command, NOON_MS, IDS).answer).toMatchObject({
      approvedAmount: 3500,
      currency: 'EUR',
    });
  });

  it('keeps what the merchant asked in another currency', () => {
    const command = aCommand({ originalAmount: 76_000, originalCurrency: 'THB' });
    const { created } = decide(aView(), command, NOON_MS, IDS).effects.transaction ?? {};
    expect(created).toMatchObject({ amount: 3500, originalAmount: 76_000, originalCurrency: 'THB' });
  });

  it.each([
    ['usual', {}, {}, 7],
    ['cash', {}, { type: 'atm', ...verdicts({ pin: 'MATCH' }) }, 2],
    ['lodging', {}, { mcc: '3501' }, 31],
    ['car rental', {}, { mcc: '3351' }, 31],
    ['cruise', {}, { mcc: '4411' }, 31],
    ['just outside', {}, { mcc: '3350' }, 7],
    ['pre-authorization', {}, { preAuthorization: true }, 30],
    ['days of the programme', programme({ holdDays: 3 }), {}, 3],
  ])('a hold lasts: %s', (_name, view, command, days) => {
    const { effects } = decide(aView(view), aCommand(command), NOON_MS, IDS);
    expect(effects.transaction?.fold.expiresAtMs).toBe(NOON_MS + days * DAY_MS);
  });

  it('lets a deposit that is not enforced go below zero', () => {
    const view = aView({
      ...programme({ funding: 'deposit' }),
      deposit: { posted: 0, held: 0, enforced: false },
    });
    expect(decide(view, aCommand(), NOON_MS, IDS).answer.result).toBe('APPROVED');
  });

  it('lets an anonymous product pay without verification', () => {
    const view = aView({
      ...owner({ kyc: 'NOT_STARTED' }),
      product: { version: 1, pinTries: 3, anonymous: true },
    });
    expect(decide(view, aCommand(), NOON_MS, IDS).answer.result).toBe('APPROVED');
  });

  it.each<[string, Partial<AuthorizationView>]>([
    ['that an employee holds', company()],
    ['that nobody holds', company({ employee: null }, { owner: null })],
    [
      'whose programme waives the kyc of employees',
      company({}, { ...owner({ kyc: 'NOT_STARTED' }), ...programme({ corporateHolderKyc: 'waived' }) }),
    ],
  ])('lets a card of a corporation pay %s', (_name, view) => {
    expect(decide(aView(view), aCommand(), NOON_MS, IDS).answer.result).toBe('APPROVED');
  });

  it('is good through the last day of the card', () => {
    const view = aView(card({ expiryDate: '2026-03-01' }));
    expect(decide(view, aCommand(), NOON_MS, IDS).answer.result).toBe('APPROVED');
  });

  it.each<[string, Partial<TombstoneView>[], number]>([
    ['down to a rest', [{ remainingAmount: 3000 }], 3000],
    ['to more than was asked for', [{ remainingAmount: 9000 }], 3500],
    ['twice', [{ amount: 1000 }, { amount: 500 }], 2000],
    ['a part, then down to a rest', [{ amount: 1000 }, { remainingAmount: 2000 }], 2000],
  ])('is reduced by reversals that came first: %s', (_name, reversals, held) => {
    const tombstones = reversals.map((one, at) => gone({ ...one, id: `t${at}` }));
    const { answer, effects } = decide(aView({ tombstones }), aCommand(), NOON_MS, IDS);
    expect(answer).toMatchObject({ result: 'APPROVED', approvedAmount: 3500 });
    expect(effects.transaction?.fold).toMatchObject({ state: 'AUTHORIZED', held });
    expect(effects.usedTombstoneIds).toEqual(tombstones.map(({ id }) => id));
  });

  it('uses up a reversal that came first even when it is declined', () => {
    const view = aView({ ...balance({ posted: 1 }), tombstones: [gone({ amount: 1000 })] });
    const { answer, effects } = decide(view, aCommand(), NOON_MS, IDS);
    expect(answer.description).toBe('INSUFFICIENT_FUNDS');
    expect(effects.usedTombstoneIds).toEqual(['x']);
  });

  it('takes off at once what an earlier reversal gave back in part', () => {
    const view = aView({ tombstones: [gone({ amount: 1000 })] });
    const { answer, effects } = decide(view, aCommand(), NOON_MS, IDS);
    expect(answer).toMatchObject({ result: 'APPROVED', approvedAmount: 3500 });
    expect(effects.events.map(({ seq, kind, amount }) => [seq, kind, amount])).toEqual([
      [1, 'AUTHORIZATION', null],
      [2, 'REVERSAL', 1000],
    ]);
    expect(effects.transaction?.fold).toMatchObject({ held: 2500, reversed: 1000, eventCount: 2 });
    expect(effects.usedTombstoneIds).toEqual(['x']);
  });

  it('never changes the view', () => {
    const view = aView();
    const before = structuredClone(view);
    decide(view, aCommand(), NOON_MS, IDS);
    expect(view).toEqual(before);
  });
});

describe('try counters', () => {
  const triesOf = (view: Partial<AuthorizationView>, command: Partial<AuthorizationCommand>) =>
    decide(aView(view), aCommand(command), NOON_MS, IDS).effects;

  it.each([
    ['a wrong PIN takes one', {}, verdicts({ pin: 'NO_MATCH' }), { pinTriesLeft: 2, cvcTriesLeft: 5 }, null],
    ['the last one locks', card({ pinTriesLeft: 1 }), verdicts({ pin: 'NO_MATCH' }), { pinTriesLeft: 0, cvcTriesLeft: 5 }, 6],
    ['a right PIN gives all back', card({ pinTriesLeft: 1 }), verdicts({ pin: 'MATCH' }), { pinTriesLeft: 3, cvcTriesLeft: 5 }, null],
    ['a wrong CVC2 takes one', {}, verdicts({ cvc2: 'NO_MATCH' }), { pinTriesLeft: 3, cvcTriesLeft: 4 }, null],
    ['nothing checked, nothing counted', {}, {}, null, null],
    ['counted although funds are short', balance({ posted: 1 }), verdicts({ cvc2: 'NO_MATCH' }), { pinTriesLeft: 3, cvcTriesLeft: 4 }, null],
    ['not counted on a locked card', card({ locks: [3] }), verdicts({ pin: 'NO_MATCH' }), null, null],
  ] as const)('%s', (_name, view, command, tries, lockCode) => {
    expect(triesOf(view, command)).toMatchObject({ tries, lockCode });
  }); // prettier-ignore
});

describe('balance inquiry', () => {
  const inquiry = { kind: 'BALANCE_INQUIRY', type: 'balance_inquiry', amount: 0 } as const;

  it('tells what is available and moves nothing', () => {
    const { answer, effects } = decide(aView(balance({ held: 500 })), aCommand(inquiry), NOON_MS, IDS);
    expect(answer).toMatchObject({ result: 'APPROVED', availableAmount: 99_500, approvedAmount: 0 });
    expect(effects.events[0]).toMatchObject({ kind: 'BALANCE_INQUIRY', transfers: [] });
  });

  it('never tells less than zero', () => {
    const view = aView(balance({ posted: -100 }));
    expect(decide(view, aCommand(inquiry), NOON_MS, IDS).answer.availableAmount).toBe(0);
  });

  it('asked for the status only, tells no amount', () => {
    const command = aCommand({ ...inquiry, statusOnly: true });
    expect(decide(aView(), command, NOON_MS, IDS).answer).toMatchObject({
      responseCode: '85',
      availableAmount: null,
    });
  });

  it('needs no funds and no currency', () => {
    const command = aCommand({ ...inquiry, currency: 'USD' });
    expect(decide(aView(balance({ posted: 0 })), command, NOON_MS, IDS).answer.result).toBe('APPROVED');
  });
});

describe('other answers', () => {
  it('a conflict of keys has its own code and no id', () => {
    expect(duplicateKeyConflict('EUR')).toMatchObject({
      id: null,
      result: 'DECLINED',
      description: 'UNKNOWN_ERROR',
      reason: 'DUPLICATE_KEY_CONFLICT',
      responseCode: '94',
    });
  });

  it('a fault of ours is a decline that is recorded and moves nothing', () => {
    const { answer, effects } = declineAsFault(aView(), aCommand(), IDS);
    expect(answer).toMatchObject({ id: 'tx-1', result: 'DECLINED', reason: 'INTERNAL', responseCode: '05' });
    expect(effects.transaction?.fold).toMatchObject({ state: 'DECLINED', held: 0 });
    expect(effects.tries).toBeNull();
  });
});

describe('trace', () => {
  const LANE = { lane: 1, batchSize: 64, queueMs: 3.14 };

  it('stores what cannot be derived and fills in the rest when read', () => {
    const { effects } = decide(aView(balance({ posted: 100 })), aCommand(), NOON_MS, IDS);
    const [event] = effects.events;
    const stored = compactTrace(event?.trace as NonNullable<typeof event>['trace'], LANE);
    expect(stored).toBe('{"v":[1,1],"s":19,"x":{"available":100,"amount":3500},"l":1,"n":64,"q":3.1}');
    const read = readTraceText('AUTHORIZATION', 'FUNDS', stored);
    expect(read.steps.filter(({ outcome }) => outcome !== 'PASS')).toEqual([
      {
        no: 19,
        check: 'USER_FUNDS',
        outcome: 'FAIL',
        reason: 'FUNDS',
        detail: { available: 100, amount: 3500 },
      },
      { no: 20, check: 'PARTNER_DECISION', outcome: 'SKIPPED', reason: null, detail: {} },
    ]);
    expect(read.lane).toEqual({ lane: 1, batchSize: 64, queueMs: 3.1 });
  });
});
