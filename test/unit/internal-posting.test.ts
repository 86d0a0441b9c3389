import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type PostingCommand,
  type PostingScene,
  refuseFunds,
  refusePosting,
} from '../../domain/internal-posting.ts';
import { INTERNAL_POSTINGS, type InternalType } from '../../domain/transaction-type.ts';

const TYPES = Object.keys(INTERNAL_POSTINGS) as InternalType[];

const scene: PostingScene = {
  balance: { state: 'ACTIVE', currency: 'EUR', posted: 1000, held: 0 },
  owner: { kind: 'CUSTOMER', state: 'VERIFIED', verified: 'SUCCESS', transactionalLocks: 0 },
  reference: null,
  ceilings: {},
};

const command: PostingCommand = { type: 'fee', amount: 100, currency: 'EUR' };

type Fault = (wrong: { scene: PostingScene; command: PostingCommand }) => typeof wrong;

/** What can be wrong with a posting, in the order of money 4.5, and what is told. */
const FAULTS: readonly (readonly [string, Fault])[] = [
  ['UNKNOWN_TRANSACTION_TYPE', (at) => ({ ...at, command: { ...at.command, type: null } })],
  ['INVALID_AMOUNT', (at) => ({ ...at, command: { ...at.command, amount: 0 } })],
  [
    'BALANCE_NOT_FOUND',
    (at) => ({ ...at, scene: { ...at.scene, balance: { ...at.scene.balance, state: 'CLOSED' } } }),
  ],
  ['CUSTOMER_NOT_FOUND', (at) => ({ ...at, scene: { ...at.scene, owner: null } })],
  ['CURRENCY_MISMATCH', (at) => ({ ...at, command: { ...at.command, currency: 'PLN' } })],
  ['REFERENCED_TRANSACTION_NOT_FOUND', (at) => ({ ...at, scene: { ...at.scene, reference: 'NONE' } })],
  ['AMBIGUOUS_REFERENCED_TRANSACTION', (at) => ({ ...at, scene: { ...at.scene, reference: 'MANY' } })],
  [
    'AML_EXCEPTION',
    (at) => ({
      ...at,
      scene: { ...at.scene, owner: at.scene.owner && { ...at.scene.owner, transactionalLocks: 1 } },
    }),
  ],
  ['LIMIT_EXCEED', (at) => ({ ...at, scene: { ...at.scene, ceilings: { fee: { EUR: 99 } } } })],
];

describe('a posting before its money is looked at', () => {
  it('is not refused when nothing is wrong', () => {
    expect(refusePosting(scene, command)).toBeNull();
  });

  it.each(FAULTS)('%s', (code, fault) => {
    const wrong = fault({ scene, command });
    expect(refusePosting(wrong.scene, wrong.command)?.description).toBe(code);
  });

  it('is refused for the first of all that is wrong', () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.nat(FAULTS.length - 1), { minLength: 1 }), (picked) => {
        // Later faults first: some of them are part of what an earlier one takes away.
        const order = picked.toSorted((left, right) => right - left);
        const wrong = order.reduce((at, one) => FAULTS[one]?.[1](at) ?? at, { scene, command });
        // None and many cannot both be: the one that stands first was put last.
        expect(refusePosting(wrong.scene, wrong.command)?.description).toBe(FAULTS[Math.min(...picked)]?.[0]);
      }),
    );
  });

  it.each(TYPES)('%s: a blocked balance takes credits alone', (type) => {
    const blocked: PostingScene = { ...scene, balance: { ...scene.balance, state: 'BLOCKED' } };
    const refused = refusePosting(blocked, { ...command, type });
    expect(refused).toEqual(
      INTERNAL_POSTINGS[type].category === 'CREDIT'
        ? null
        : { description: 'BALANCE_NOT_FOUND', reason: 'BALANCE_BLOCKED' },
    );
  });

  it('may be as large as its ceiling, and as a balance can hold', () => {
    const limited: PostingScene = { ...scene, ceilings: { fee: { EUR: 100 }, loan: { PLN: 1 } } };
    expect(refusePosting(limited, command)).toBeNull();
    expect(refusePosting(limited, { ...command, amount: 101 })?.description).toBe('LIMIT_EXCEED');
    const most = Number.MAX_SAFE_INTEGER - scene.balance.posted;
    expect(refusePosting(limited, { ...command, type: 'loan', amount: most })).toBeNull();
    expect(refusePosting(limited, { ...command, type: 'loan', amount: most + 1 })?.description).toBe(
      'INVALID_AMOUNT',
    );
  });
});

describe('the money of a posting', () => {
  const money = fc.record({
    type: fc.constantFrom(...TYPES),
    amount: fc.integer({ min: 1, max: 3000 }),
    posted: fc.integer({ min: 0, max: 3000 }),
    held: fc.integer({ min: 0, max: 3000 }),
    credit: fc.integer({ min: -3000, max: 3000 }),
    enforced: fc.boolean(),
  });

  it('never takes a balance, or a credit balance that is enforced, below zero', () => {
    fc.assert(
      fc.property(money, ({ type, amount, posted, held, credit, enforced }) => {
        const value = { posted: credit, held: 0, enforced };
        const refused = refuseFunds({ posted, held }, value, { type, amount });
        const isCredit = INTERNAL_POSTINGS[type].category === 'CREDIT';
        const short = isCredit ? enforced && credit < amount : posted - held < amount;
        expect(refused !== null).toBe(short);
      }),
    );
  });

  it.each(TYPES)('%s: a credit balance that should be there and is not comes before funds', (type) => {
    const empty = { posted: 0, held: 0 };
    expect(refuseFunds(empty, null, { type, amount: 1 })?.description).toBe('COLLATERAL_BALANCE_NOT_FOUND');
    const unmoved = refuseFunds(empty, 'unmoved', { type, amount: 1 });
    expect(unmoved?.description ?? null).toBe(
      INTERNAL_POSTINGS[type].category === 'CREDIT' ? null : 'INSUFFICIENT_FUNDS',
    );
  });

  it('INVALID_AMOUNT for more than the credit balance can hold', () => {
    const full = { posted: Number.MAX_SAFE_INTEGER, held: 0, enforced: true };
    const rich = { posted: 10, held: 0 };
    expect(refuseFunds(rich, full, { type: 'funding', amount: 1 })?.description).toBe('INVALID_AMOUNT');
  });
});
