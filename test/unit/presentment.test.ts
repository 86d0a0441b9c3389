import { describe, expect, it } from 'vitest';
import { decideClearing, type PresentmentView } from '../../domain/presentment.ts';
import { clearedBy } from '../../domain/presentment-match.ts';
import type { PresentmentCommand } from '../../domain/presentment-record.ts';
import type { Lifecycle, LifecycleState } from '../../domain/transaction.ts';
import { aRecordCommand, aView, NOON_MS } from '../support/card-messages.ts';

const DAY_MS = 86_400_000;
const MERCHANT = '003060300000005';

const lifecycle = (changes: Partial<Lifecycle> = {}): Lifecycle => ({
  id: 'purchase',
  balanceId: 'b',
  type: 'pos',
  category: 'DEBIT',
  externalId: '177482',
  networkReference: 'MCC1120AB12',
  rrn: '443322110088',
  stan: '177482',
  localAt: null,
  approvalCode: 'Q7T2ZK',
  amount: 3500,
  currency: 'EUR',
  merchantIdentifier: MERCHANT,
  adjustmentKind: null,
  originalCurrency: null,
  captureMode: 'nfc',
  cashback: 0,
  mcc: '5942',
  country: 'POL',
  createdAtMs: NOON_MS,
  state: 'AUTHORIZED',
  authorized: 3500,
  cleared: 0,
  reversed: 0,
  refunded: 0,
  held: 3500,
  expiresAtMs: NOON_MS + DAY_MS,
  flags: [],
  eventCount: 1,
  clearedAtMs: null,
  settlement: { interchangeAmount: null, interchangeCurrency: null, arn: null },
  holds: [{ eventSeq: 1, seq: 1, remaining: 3500 }],
  ...changes,
});

const view = (candidates: readonly Lifecycle[], changes: Partial<PresentmentView> = {}): PresentmentView => ({
  programme: { version: 1, funding: 'credit', balanceHolder: 'platform' },
  productVersion: 1,
  balance: { ...(aView().balance as NonNullable<PresentmentView['balance']>), held: 3500 },
  candidates,
  ...changes,
});

const clear = (candidates: readonly Lifecycle[], changes: Partial<PresentmentCommand> = {}) =>
  decideClearing(view(candidates), aRecordCommand(changes), NOON_MS, 'new');

const kinds = (outcome: ReturnType<typeof clear>): string[] =>
  outcome.effects.exceptions.map(({ kind }) => kind);

describe('the tier that finds a purchase', () => {
  const nothing = {
    networkReference: null,
    referenceExternalId: null,
    rrn: null,
    approvalCode: null,
    merchantIdentifier: null,
  };

  it.each([
    [1, { networkReference: 'MCC1120AB12' }],
    [2, { referenceExternalId: '177482' }],
    [3, { rrn: '443322110088', approvalCode: 'Q7T2ZK' }],
    [4, { approvalCode: 'Q7T2ZK', amount: 4200 }],
    [5, { merchantIdentifier: MERCHANT }],
  ])('%i', (tier, changes) => {
    const record = aRecordCommand({ ...nothing, ...changes });
    expect(clearedBy(record, [lifecycle()], NOON_MS)).toMatchObject({ tier, lifecycle: { id: 'purchase' } });
  });

  it.each([
    ['code, but the amount is too far', { approvalCode: 'Q7T2ZK', amount: 4201 }, {}],
    ['number without code', { rrn: '443322110088' }, {}],
    ['merchant, but another amount', { merchantIdentifier: MERCHANT, amount: 3499 }, {}],
    ['merchant, but older than a week', { merchantIdentifier: MERCHANT }, { createdAtMs: NOON_MS - 7 * DAY_MS - 1 }],
    ['older than sixty days', { networkReference: 'MCC1120AB12' }, { createdAtMs: NOON_MS - 60 * DAY_MS - 1 }],
    ['a credit', { networkReference: 'MCC1120AB12' }, { category: 'CREDIT' as const }],
    ['an inquiry', { networkReference: 'MCC1120AB12' }, { type: 'balance_inquiry' }],
  ])('none: %s', (_name, record, changes) => {
    const found = clearedBy(aRecordCommand({ ...nothing, ...record }), [lifecycle(changes)], NOON_MS);
    expect(found).toEqual({ lifecycle: null, tier: 0, ambiguous: false });
  }); // prettier-ignore

  it('several: the one whose rest is the amount, else nobody', () => {
    const other = lifecycle({ id: 'other', held: 100 });
    expect(clearedBy(aRecordCommand(), [other, lifecycle()], NOON_MS).lifecycle?.id).toBe('purchase');
    const twin = lifecycle({ id: 'twin' });
    expect(clearedBy(aRecordCommand(), [twin, lifecycle()], NOON_MS)).toMatchObject({
      lifecycle: null,
      ambiguous: true,
    });
    expect(kinds(clear([twin, lifecycle()]))).toEqual(['AMBIGUOUS_MATCH']);
  });
});

describe('a purchase or cash record', () => {
  it.each([
    ['as much as is held', { amount: 3500 }, 'CLEARED', 0, []],
    ['as much, said not to be the last', { amount: 3500, final: false }, 'CLEARED', 0, []],
    ['less, final', { amount: 3000 }, 'CLEARED', 0, []],
    ['less, not final', { amount: 3000, final: false }, 'PARTLY_CLEARED', 500, []],
    ['a little more', { amount: 4200 }, 'CLEARED', 0, []],
    ['much more', { amount: 4201 }, 'CLEARED', 0, ['OVER_CLEARING']],
  ])('of an open hold: %s', (_name, record, state, held, exceptions) => {
    const outcome = clear([lifecycle()], record);
    expect(outcome.answer).toMatchObject({
      result: 'POSTED',
      id: 'purchase',
      exception: exceptions[0] ?? null,
    });
    expect(outcome.effects.transaction?.fold).toMatchObject({ state, held, cleared: record.amount });
    expect(kinds(outcome)).toEqual(exceptions);
    expect(outcome.effects.forced).toBe(record.amount > 3500);
  });

  it('needs more than 20 % and more than 100 to be told as too much', () => {
    const small = lifecycle({ held: 100, holds: [{ eventSeq: 1, seq: 1, remaining: 100 }] });
    expect(kinds(clear([small], { amount: 200 }))).toEqual([]);
    expect(kinds(clear([small], { amount: 201 }))).toEqual(['OVER_CLEARING']);
  });

  it('that is not the last keeps the hold for at least seven more days', () => {
    const { fold } = clear([lifecycle()], { amount: 1000, final: false }).effects.transaction ?? {};
    expect(fold?.expiresAtMs).toBe(NOON_MS + 7 * DAY_MS);
  });

  it.each<[LifecycleState, string, string, readonly string[]]>([
    ['EXPIRED', 'purchase', 'LATE_CLEARING', ['late']],
    ['REVERSED', 'purchase', 'CLEARING_AFTER_REVERSAL', ['late']],
    ['CLEARED', 'purchase', 'EXTRA_CLEARING', []],
    ['DECLINED', 'new', 'CLEARING_AFTER_DECLINE', []],
    ['INVALID', 'new', 'CLEARING_AFTER_DECLINE', []],
  ])('of a purchase that is %s is posted all the same', (state, id, exception, flags) => {
    const outcome = clear([lifecycle({ state, held: 0, holds: [] })]);
    expect(outcome.answer).toMatchObject({ result: 'POSTED', id, exception });
    expect(outcome.effects.transaction?.fold).toMatchObject({ state: 'CLEARED', cleared: 3500, flags });
    expect(outcome.effects.forced).toBe(true);
  });

  it('without a purchase is a force post of its own', () => {
    const outcome = clear([], { recordType: 'CASH' });
    expect(outcome.answer).toMatchObject({ result: 'POSTED', id: 'new', exception: 'FORCE_POST' });
    expect(outcome.effects.transaction?.created).toMatchObject({
      type: 'atm',
      category: 'DEBIT',
      balanceBefore: 96_500,
      balanceAfter: 93_000,
    });
  });

  it('of a purchase that was declined names it', () => {
    const declined = lifecycle({ state: 'DECLINED', held: 0, holds: [] });
    expect(clear([declined]).effects.transaction?.created?.relatedId).toBe('purchase');
    expect(clear([]).effects.transaction?.created?.relatedId).toBeNull();
  });

  it('keeps what the network told: interchange adds up, the newest number stays', () => {
    const told = (changes: Partial<PresentmentCommand>, settlement = lifecycle().settlement) =>
      clear([lifecycle({ settlement })], { final: false, amount: 100, ...changes }).effects.transaction?.fold
        .settlement;
    const first = told({ interchangeAmount: 7, arn: '1'.repeat(23) });
    expect(first).toEqual({ interchangeAmount: 7, interchangeCurrency: 'EUR', arn: '1'.repeat(23) });
    expect(told({ interchangeAmount: -2, interchangeCurrency: 'EUR' }, first)).toEqual({ ...first, interchangeAmount: 5 });
    expect(told({ interchangeAmount: 3, interchangeCurrency: 'USD', arn: '2'.repeat(23) }, first)).toEqual({
      interchangeAmount: 3,
      interchangeCurrency: 'USD',
      arn: '2'.repeat(23),
    });
    expect(told({})).toEqual({ interchangeAmount: null, interchangeCurrency: null, arn: null });
  }); // prettier-ignore

  it('takes the original amount when that is in the currency of the balance', () => {
    const record = { amount: 4000, currency: 'USD', originalAmount: 3500, originalCurrency: 'EUR' };
    expect(clear([lifecycle()], record).effects.transaction?.fold).toMatchObject({
      state: 'CLEARED',
      cleared: 3500,
    });
  });

  it('adds what the company earns or pays', () => {
    const moved = (interchangeAmount: number) =>
      clear([lifecycle()], { interchangeAmount }).effects.events[0]?.transfers.map(
        ({ seq, debit, credit, amount }) => `${seq} ${debit}>${credit} ${amount}`,
      );
    expect(moved(7)).toEqual(['1 U>NS 3500', '2 NS>CO 7']);
    expect(moved(-7)).toEqual(['1 U>NS 3500', '2 CO>NS 7']);
    expect(kinds(clear([lifecycle()], { interchangeAmount: 7, interchangeCurrency: 'USD' }))).toEqual([
      'RECORD_INVALID',
    ]);
  });
});

describe('a refund record', () => {
  const cleared = lifecycle({ state: 'CLEARED', held: 0, holds: [], cleared: 3500 });

  it.each([
    ['of a cleared purchase', cleared, 1000, 'purchase', []],
    ['of more than was cleared', { ...cleared, refunded: 3000 }, 1000, 'purchase', ['REFUND_EXCEEDS']],
    ['before the clearing', lifecycle(), 1000, 'purchase', ['REFUND_BEFORE_CLEARING']],
    ['of a declined purchase', lifecycle({ state: 'DECLINED', held: 0, authorized: 0 }), 1000, 'new', ['UNLINKED_REFUND']],
  ])('%s', (_name, one, amount, id, exceptions) => {
    const outcome = clear([one], { recordType: 'REFUND', amount });
    expect(outcome.answer).toMatchObject({ result: 'POSTED', id });
    expect(kinds(outcome)).toEqual(exceptions);
    expect(outcome.effects.events[0]?.transfers.map(({ debit, credit }) => `${debit}>${credit}`)).toEqual(['NS>U']);
  }); // prettier-ignore

  it('finds a purchase by its merchant only when that was large enough', () => {
    const refundOf = (amount: number) =>
      kinds(clear([cleared], { recordType: 'REFUND', amount, networkReference: null, merchantIdentifier: MERCHANT }));
    expect(refundOf(3500)).toEqual([]);
    expect(refundOf(3501)).toEqual(['UNLINKED_REFUND']);
  }); // prettier-ignore

  it('without a purchase is a credit of its own', () => {
    const { created } = clear([], { recordType: 'REFUND' }).effects.transaction ?? {};
    expect(created).toMatchObject({ type: 'adjustment', category: 'CREDIT', adjustmentKind: 'refund' });
  });
});

describe('a record that cannot be posted', () => {
  it.each([
    ['another currency', { currency: 'USD' }, 'RECORD_INVALID'],
    ['amount 0', { amount: 0 }, 'RECORD_INVALID'],
  ])('is set aside: %s', (_name, record, exception) => {
    const outcome = clear([lifecycle()], record);
    expect(outcome.answer).toMatchObject({ result: 'QUARANTINED', id: null, exception });
    expect(outcome.effects.transaction).toBeNull();
  });

  it('is set aside: unknown card', () => {
    const outcome = decideClearing(null, aRecordCommand(), NOON_MS, 'new');
    expect(outcome.answer).toMatchObject({ result: 'QUARANTINED', exception: 'UNKNOWN_CARD' });
  });

  it('posts on a closed balance, and tells', () => {
    const balance = {
      ...(view([]).balance as NonNullable<PresentmentView['balance']>),
      state: 'CLOSED' as const,
    };
    const outcome = decideClearing(view([lifecycle()], { balance }), aRecordCommand(), NOON_MS, 'new');
    expect(outcome.answer).toMatchObject({ result: 'POSTED', exception: 'CLOSED_BALANCE' });
  });
});
