import { describe, expect, it } from 'vitest';
import { decide } from '../../domain/authorization.ts';
import { holdsAfter } from '../../domain/ledger.ts';
import {
  decideReversal,
  leavesTombstone,
  type ReversalCommand,
  type ReversalView,
} from '../../domain/reversal.ts';
import type { Lifecycle, LifecycleState } from '../../domain/transaction.ts';
import { aCommand, aReversalCommand, aView, lifecycleOf, NOON_MS } from '../support/card-messages.ts';

/** The purchase of `aCommand`, approved. */
function aLifecycle(changes: Partial<Lifecycle> = {}): Lifecycle {
  const { transaction, events } = decide(aView(), aCommand(), NOON_MS, {
    transactionId: 'purchase',
    approvalCode: 'Q7T2ZK',
  }).effects;
  if (!transaction?.created) throw new Error('the purchase was not approved');
  const holds = holdsAfter([], 1, events[0]?.transfers ?? []);
  return { ...lifecycleOf('purchase', transaction.created, transaction.fold, holds), ...changes };
}

const view = (candidates: readonly Lifecycle[], funding: 'credit' | 'deposit' = 'credit'): ReversalView => ({
  programme: { version: 1, funding },
  productVersion: 1,
  balance: aView().balance,
  candidates,
});

const reverse = (candidates: readonly Lifecycle[], changes: Partial<ReversalCommand> = {}) =>
  decideReversal(view(candidates), aReversalCommand(changes), NOON_MS, 'row');

describe('a reversal that finds its purchase', () => {
  it.each([
    ['everything', {}, 3500, 'REVERSED', []],
    ['a part', { amount: 1000, currency: 'EUR' }, 1000, 'AUTHORIZED', []],
    ['down to a rest', { remainingAmount: 3000 }, 500, 'AUTHORIZED', []],
    ['down to nothing', { remainingAmount: 0 }, 3500, 'REVERSED', []],
    ['to more than is held', { remainingAmount: 9000 }, 0, 'AUTHORIZED', []],
    ['more than is held', { amount: 9000, currency: 'EUR' }, 3500, 'REVERSED', ['OVER_REVERSAL']],
  ] as const)('gives back %s', (_name, changes, released, state, exceptions) => {
    const { answer, effects } = reverse([aLifecycle()], changes);
    expect(answer).toMatchObject({
      id: 'purchase',
      result: 'ACKNOWLEDGED',
      description: 'APPROVED',
      responseCode: '00',
      approvedAmount: released,
    });
    expect(effects.transaction?.fold).toMatchObject({ state, held: 3500 - released, reversed: released });
    expect(effects.exceptions.map(({ kind }) => kind)).toEqual(exceptions);
    expect(effects.events[0]).toMatchObject({ seq: 2, kind: 'REVERSAL', amount: released });
  });

  it('ends a partly cleared one as cleared', () => {
    const partly = aLifecycle({ state: 'PARTLY_CLEARED', cleared: 500 });
    expect(reverse([partly]).effects.transaction?.fold).toMatchObject({
      state: 'CLEARED',
      held: 0,
      clearedAtMs: NOON_MS,
    });
  });

  it.each<[LifecycleState, string[]]>([
    ['DECLINED', []],
    ['INVALID', []],
    ['REVERSED', []],
    ['EXPIRED', []],
    ['CLEARED', ['REVERSAL_AFTER_CLEARING']],
  ])('of state %s is acknowledged and moves nothing', (state, exceptions) => {
    const { answer, effects } = reverse([aLifecycle({ state, held: 0, holds: [] })]);
    expect(answer.result).toBe('ACKNOWLEDGED');
    expect(effects.events[0]?.transfers).toEqual([]);
    expect(effects.transaction?.fold).toMatchObject({ state, eventCount: 2 });
    expect(effects.exceptions.map(({ kind }) => kind)).toEqual(exceptions);
  });

  it('in another currency moves nothing and says so', () => {
    const { answer, effects } = reverse([aLifecycle()], { amount: 100, currency: 'USD' });
    expect(answer).toMatchObject({ result: 'ACKNOWLEDGED', description: 'CURRENCY_MISMATCH' });
    expect(effects.events[0]?.transfers).toEqual([]);
  });
});

describe('which purchase is meant', () => {
  const other = aLifecycle({ id: 'other', stan: '999999', networkReference: 'MCC-OTHER', externalId: '555' });

  it.each([
    ['the trace number and time first', {}, 'purchase'],
    ['then the reference of the network', { originalStan: null, originalLocalAt: null, networkReference: 'MCC-OTHER' }, 'other'],
    ['then the number of the transaction', { originalStan: null, originalLocalAt: null, networkReference: null, referenceExternalId: '555' }, 'other'],
  ] as const)('%s', (_name, changes, id) => {
    expect(reverse([aLifecycle(), other], changes).answer.id).toBe(id);
  }); // prettier-ignore

  it('last the number and code of the approval, both', () => {
    const without = { originalStan: null, originalLocalAt: null, networkReference: null };
    const named = { ...without, approvalCode: 'Q7T2ZK', rrn: '443322110088' };
    expect(reverse([aLifecycle()], named).answer.id).toBe('purchase');
    expect(reverse([aLifecycle()], { ...named, rrn: '1' }).effects.tombstone).not.toBeNull();
  });

  it('of several the one that was not declined', () => {
    const declined = aLifecycle({ id: 'declined', state: 'DECLINED', held: 0, holds: [] });
    expect(reverse([declined, aLifecycle()]).answer).toMatchObject({ id: 'purchase', approvedAmount: 3500 });
    expect(reverse([declined]).answer).toMatchObject({ id: 'declined', approvedAmount: 0 });
  });

  it('a date narrows the number to one day around it', () => {
    const changes = { originalStan: null, networkReference: null, referenceExternalId: '555' };
    const far = { ...changes, referenceAtMs: NOON_MS + 2 * 86_400_000 };
    expect(reverse([other], far).effects.tombstone).not.toBeNull();
  });

  it('none: a row that is invalid, and a tombstone', () => {
    const { answer, effects } = reverse([], { amount: 1000, currency: 'EUR' });
    expect(answer).toMatchObject({
      id: 'row',
      result: 'ACKNOWLEDGED',
      description: 'REFERENCED_TRANSACTION_NOT_FOUND',
      responseCode: '00',
    });
    expect(effects.transaction?.fold.state).toBe('INVALID');
    expect(effects.tombstone).toEqual({
      originalStan: '177482',
      originalLocalAt: '2026-03-01T12:00:00+00:00',
      networkReference: 'MCC1120AB12',
      externalId: '2678823',
      amount: 1000,
      remainingAmount: null,
    });
  });

  it('none of one that leaves a rest: the tombstone keeps the rest', () => {
    const { effects } = reverse([], { remainingAmount: 3000 });
    expect(effects.tombstone).toMatchObject({ amount: null, remainingAmount: 3000 });
    expect(effects.transaction?.created?.adjustmentKind).toBe('partial_reversal');
  });

  it('several: a row that is invalid, and an exception', () => {
    const twin = aLifecycle({ id: 'twin' });
    const { answer, effects } = reverse([aLifecycle(), twin]);
    expect(answer.description).toBe('AMBIGUOUS_REFERENCED_TRANSACTION');
    expect(effects.exceptions.map(({ kind }) => kind)).toEqual(['AMBIGUOUS_REVERSAL']);
    expect(effects.tombstone).toBeNull();
  });

  it('of an unknown card is acknowledged and stores nothing', () => {
    const { answer, effects } = decideReversal(null, aReversalCommand(), NOON_MS, 'row');
    expect(answer).toMatchObject({ id: null, result: 'ACKNOWLEDGED' });
    expect(effects.transaction).toBeNull();
  });
});

describe('a reversal that finds only a refusal', () => {
  const refused = aLifecycle({ state: 'DECLINED', held: 0, holds: [], stan: '999999' });

  it('of another message leaves a tombstone for the one it names, which is still under way', () => {
    const command = aReversalCommand({ originalStan: '177482' });
    expect(leavesTombstone(command, [refused])).toBe(true);
    const { answer, effects } = reverse([refused], { originalStan: '177482' });
    expect(answer).toMatchObject({ id: 'purchase', result: 'ACKNOWLEDGED' });
    expect(effects.tombstone).toMatchObject({ originalStan: '177482' });
  });

  it('of the very message it names has nothing to wait for', () => {
    const own = { ...refused, stan: '177482' };
    expect(leavesTombstone(aReversalCommand(), [own])).toBe(false);
    expect(reverse([own]).effects.tombstone).toBeNull();
  });
});
