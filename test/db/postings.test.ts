import { randomUUID } from 'node:crypto';
import type { Kysely } from 'kysely';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { atomically } from '../../db/atomically.ts';
import { createDatabase, createPool } from '../../db/client.ts';
import type { Database } from '../../db/database.ts';
import { findProgramme, type Programme } from '../../db/partners.ts';
import { setPostingCeiling } from '../../db/posting-ceilings.ts';
import { type InternalPosting, postInternal, type PostingResult } from '../../db/postings.ts';
import type { Reference } from '../../db/references.ts';
import { findStep } from '../../db/transactions.ts';
import { verifyLedger } from '../../db/verify-ledger.ts';
import type { InternalType } from '../../domain/transaction-type.ts';
import {
  aCall,
  aPurchase,
  aRecord,
  type CardTraffic,
  openCardTraffic,
  type TestCard,
} from '../support/card-traffic.ts';
import { type FreshDatabase, freshDatabase } from '../support/database.ts';
import { partnerBalancesOf, transfersOf } from '../support/money.ts';

let database: FreshDatabase;
let traffic: CardTraffic;
let app: Kysely<Database>;

beforeAll(async () => {
  database = await freshDatabase();
  traffic = openCardTraffic(database);
  app = createDatabase(createPool({ url: database.appUrl, max: 8, name: 'test-app' }));
});

afterAll(async () => {
  expect(await verifyLedger(traffic.engine)).toEqual({ ok: true, differences: [] });
  await app.destroy();
  await traffic.end();
  await database.drop();
});

/** As the partner's server would: role cardloom_app, behind row security. */
async function topUp(
  programme: Programme,
  balanceId: string,
  changes: Partial<InternalPosting> = {},
): Promise<PostingResult> {
  const actor = { type: 'PARTNER', id: 'test' } as const;
  const caller = { partnerId: programme.partnerId, actor, requestId: 'test', ip: null };
  return await atomically(app, caller, (trx) =>
    postInternal(trx, {
      programme,
      balanceId,
      type: 'topUp',
      amount: 500,
      currency: 'EUR',
      externalId: 'invoice-1',
      description: 'top up',
      ...changes,
    }),
  );
}

const codeOf = (result: PostingResult): string => (result.posted ? 'POSTED' : result.refusal.code);

async function creditOf(programme: Programme): Promise<number | undefined> {
  const row = await traffic.engine
    .selectFrom('partner_balances')
    .select('posted')
    .where('programme_id', '=', programme.programmeId)
    .where('kind', '=', 'credit')
    .executeTakeFirst();
  return row?.posted;
}

describe('a top-up', () => {
  it('moves money from the credit balance to the customer, with all its rows', async () => {
    const programme = await traffic.programme({ prefund: 2000 });
    const card = await traffic.card(programme, 0);
    const result = await topUp(programme, card.balanceId);
    expect(result.posted).toBe(true);
    expect(await traffic.balance(card)).toMatchObject({ posted: 500, held: 0, version: 1 });
    expect(await creditOf(programme)).toBe(1500);
    expect(await findStep(traffic.engine, result.transactionId, 1)).toMatchObject({
      transaction: {
        state: 'CLEARED',
        type: 'topUp',
        category: 'CREDIT',
        resource: 'balance',
        result: 'APPROVED',
        cleared: 500,
        balance_before: 0,
        balance_after: 500,
      },
      event: { kind: 'POSTING', status: 'CLEARED', actor: 'PARTNER:test' },
      amount: 500,
    });
    const told = await traffic.engine
      .selectFrom('outbox')
      .select(['kind', 'event_seq'])
      .where('transaction_id', '=', result.transactionId)
      .execute();
    expect(told).toEqual([{ kind: 'transaction', event_seq: 1 }]);
  });

  it('in a deposit-funded programme comes from what the partner holds', async () => {
    const programme = await traffic.programme({ funding: 'deposit', prefund: 0 });
    const card = await traffic.card(programme, 0);
    expect((await topUp(programme, card.balanceId)).posted).toBe(true);
    expect(await traffic.balance(card)).toMatchObject({ posted: 500 });
  });

  it('of 100 at once takes no more than the credit balance has', async () => {
    const programme = await traffic.programme({ prefund: 3500 });
    const cards = await Promise.all([1, 2, 3, 4].map(() => traffic.card(programme, 0)));
    const results = await Promise.all(
      Array.from({ length: 40 }, (_one, at) => topUp(programme, (cards[at % 4] as TestCard).balanceId)),
    );
    expect(results.filter(({ posted }) => posted)).toHaveLength(7);
    expect(await creditOf(programme)).toBe(0);
  });

  it('may take a credit balance that is not enforced below zero', async () => {
    const programme = await traffic.programme({ prefund: 100, enforcePartnerBalance: false });
    const card = await traffic.card(programme, 0);
    expect((await topUp(programme, card.balanceId)).posted).toBe(true);
    expect(await creditOf(programme)).toBe(-400);
  });
});

/** Postings of money 3.2 by type: category, transfers in kind A and in kind B, partner balances after 500. */
const BY_TYPE: readonly [InternalType, 'CREDIT' | 'DEBIT', string, string, object, object][] = [
  ['topUp', 'CREDIT', 'PC>U 500', 'PH>U 500', { credit: 1500 }, { deposit: 3000 }],
  ['payment', 'CREDIT', 'PC>U 500', 'PH>U 500', { credit: 1500 }, { deposit: 3000 }],
  ['loan', 'CREDIT', 'PC>U 500', 'PH>U 500', { credit: 1500 }, { deposit: 3000 }],
  ['cashback', 'CREDIT', 'PC>U 500', 'PH>U 500', { credit: 1500 }, { deposit: 3000 }],
  ['fee', 'DEBIT', 'U>CO 500', 'U>CO 500', { credit: 2000, company: 500 }, { deposit: 3000, company: 500 }],
  ['commission', 'DEBIT', 'U>RV 500', 'U>RV 500', { credit: 2000 }, { deposit: 3000 }],
  ['funding', 'DEBIT', 'U>PC 500', 'U>PH 500', { credit: 2500 }, { deposit: 3000 }],
  ['interest', 'DEBIT', 'U>RV 500', 'U>RV 500', { credit: 2000 }, { deposit: 3000 }],
  ['withdrawal', 'DEBIT', 'U>PO 500', 'U>PH 500', { credit: 2000 }, { deposit: 3000 }],
];

describe.each(BY_TYPE)('%s', (type, category, inA, inB, partnerA, partnerB) => {
  const changes = { type, ...(type === 'commission' ? { reference: { externalId: 'first' } } : {}) };

  it.each([
    ['credit', inA, partnerA],
    ['deposit', inB, partnerB],
  ] as const)('moves what the table says in a programme funded by %s', async (funding, written, after) => {
    const programme = await traffic.programme({ funding, prefund: 3000 });
    const card = await traffic.card(programme, 0);
    const first = await topUp(programme, card.balanceId, { amount: 1000, externalId: 'first' });
    const result = await topUp(programme, card.balanceId, changes);
    expect(codeOf(result)).toBe('POSTED');
    expect(await transfersOf(traffic.engine, result.transactionId)).toBe(written);
    const posted = category === 'CREDIT' ? 1500 : 500;
    expect(await traffic.balance(card)).toEqual({ posted, held: 0, version: 2 });
    expect(await partnerBalancesOf(traffic.engine, programme)).toEqual(after);
    const { transaction, event } = (await findStep(traffic.engine, result.transactionId, 1)) ?? {};
    expect(transaction).toMatchObject({
      type,
      category,
      state: 'CLEARED',
      amount: 500,
      balance_before: 1000,
      balance_after: posted,
      related_id: type === 'commission' ? first.transactionId : null,
      reference_external_id: type === 'commission' ? 'first' : null,
    });
    expect(event).toMatchObject({ kind: 'POSTING', status: 'CLEARED', result: 'APPROVED' });
    const told = await traffic.engine
      .selectFrom('outbox')
      .select('kind')
      .where('transaction_id', '=', result.transactionId)
      .execute();
    expect(told).toEqual([{ kind: 'transaction' }]);
  });
});

describe('a debit', () => {
  const fee = (programme: Programme, balanceId: string, amount: number) =>
    topUp(programme, balanceId, { type: 'fee', amount });

  it('takes the last cent and no more', async () => {
    const programme = await traffic.programme();
    const card = await traffic.card(programme, 500);
    expect(codeOf(await fee(programme, card.balanceId, 501))).toBe('INSUFFICIENT_FUNDS');
    expect(codeOf(await fee(programme, card.balanceId, 500))).toBe('POSTED');
    expect(codeOf(await fee(programme, card.balanceId, 1))).toBe('INSUFFICIENT_FUNDS');
  });

  it('does not touch what is held', async () => {
    const programme = await traffic.programme();
    const card = await traffic.card(programme, 500);
    await traffic.authorizer().authorize(aPurchase(card, 300), aCall());
    expect(codeOf(await fee(programme, card.balanceId, 201))).toBe('INSUFFICIENT_FUNDS');
    expect(codeOf(await fee(programme, card.balanceId, 200))).toBe('POSTED');
  });

  it('of 100 at once passes exactly as often as the balance affords', async () => {
    const programme = await traffic.programme();
    const card = await traffic.card(programme, 799);
    const types = ['fee', 'interest', 'withdrawal', 'funding'] as const;
    const results = await Promise.all(
      Array.from({ length: 100 }, (_one, at) =>
        topUp(programme, card.balanceId, { type: types[at % 4] ?? 'fee', amount: 100 }),
      ),
    );
    const codes = results.map(codeOf);
    expect(codes.filter((code) => code === 'POSTED')).toHaveLength(7);
    expect(codes.filter((code) => code === 'INSUFFICIENT_FUNDS')).toHaveLength(93);
    expect(await traffic.balance(card)).toMatchObject({ posted: 99 });
  });

  it('opens the balance of the company once, however many are the first', async () => {
    const programme = await traffic.programme();
    const cards = await Promise.all([1, 2, 3, 4].map(() => traffic.card(programme, 100)));
    const results = await Promise.all(cards.map((card) => fee(programme, card.balanceId, 10)));
    expect(results.map(codeOf)).toEqual(Array(4).fill('POSTED'));
    expect(await partnerBalancesOf(traffic.engine, programme)).toMatchObject({ company: 40 });
  });

  it('that is refused opens nothing', async () => {
    const programme = await traffic.programme({ prefund: 0 });
    const card = await traffic.card(programme, 0);
    expect(codeOf(await fee(programme, card.balanceId, 10))).toBe('INSUFFICIENT_FUNDS');
    expect(await partnerBalancesOf(traffic.engine, programme)).toEqual({});
  });
});

describe('what a posting refers to', () => {
  const commission = (programme: Programme, balanceId: string, reference: Reference) =>
    topUp(programme, balanceId, { type: 'commission', amount: 1, reference });

  it('is found by the number of the transaction, or of a later event of it', async () => {
    const programme = await traffic.programme();
    const card = await traffic.card(programme, 5000);
    const authorizer = traffic.authorizer();
    const purchase = aPurchase(card, 1000);
    await authorizer.authorize(purchase, aCall());
    const record = aRecord(purchase, 1000, { externalTransactionId: 'clearing-7' });
    await authorizer.clear(record, aCall());
    for (const externalId of [purchase.externalTransactionId, 'clearing-7']) {
      const result = await commission(programme, card.balanceId, { externalId });
      expect([externalId, codeOf(result)]).toEqual([externalId, 'POSTED']);
    }
  });

  it('is not found among refused ones or on other balances', async () => {
    const programme = await traffic.programme();
    const [card, other] = [await traffic.card(programme, 100), await traffic.card(programme, 100)];
    await topUp(programme, card.balanceId, { externalId: 'refused', amount: 0 });
    await topUp(programme, other.balanceId, { externalId: 'elsewhere' });
    for (const externalId of ['refused', 'elsewhere', 'nothing']) {
      const result = await commission(programme, card.balanceId, { externalId });
      expect([externalId, codeOf(result)]).toEqual([externalId, 'REFERENCED_TRANSACTION_NOT_FOUND']);
    }
    const byId = await commission(programme, card.balanceId, { id: randomUUID() });
    expect(codeOf(byId)).toBe('REFERENCED_TRANSACTION_NOT_FOUND');
  });

  it('must be one: of two with one number the id tells them apart', async () => {
    const programme = await traffic.programme();
    const card = await traffic.card(programme, 0);
    const twice = [];
    for (const _time of [1, 2]) twice.push(await topUp(programme, card.balanceId, { externalId: 'twice' }));
    const byNumber = await commission(programme, card.balanceId, { externalId: 'twice' });
    expect(codeOf(byNumber)).toBe('AMBIGUOUS_REFERENCED_TRANSACTION');
    const id = twice[1]?.transactionId ?? '';
    const byId = await commission(programme, card.balanceId, { id });
    expect(codeOf(byId)).toBe('POSTED');
    expect((await findStep(traffic.engine, byId.transactionId, 1))?.transaction).toMatchObject({
      related_id: id,
      reference_external_id: 'twice',
    });
  });
});

describe('a ceiling', () => {
  it('is per type and currency, and can be taken away', async () => {
    const { programmeId, issuerCode } = await traffic.programme();
    const current = async () => (await findProgramme(traffic.engine, programmeId)) as Programme;
    const card = await traffic.card(await current(), 1000);
    const ceiling = async (amount: number | null): Promise<void> => {
      const operator = {
        partnerId: null,
        actor: { type: 'CLI', id: 'ada' },
        requestId: 'c',
        ip: null,
      } as const;
      await atomically(traffic.engine, operator, (trx) =>
        setPostingCeiling(trx, issuerCode, { type: 'topUp', currency: 'EUR', amount }),
      );
    };
    await ceiling(499);
    expect(codeOf(await topUp(await current(), card.balanceId))).toBe('LIMIT_EXCEED');
    expect(codeOf(await topUp(await current(), card.balanceId, { amount: 499 }))).toBe('POSTED');
    expect(codeOf(await topUp(await current(), card.balanceId, { type: 'loan' }))).toBe('POSTED');
    await ceiling(null);
    expect(codeOf(await topUp(await current(), card.balanceId))).toBe('POSTED');
    const audited = await traffic.owner
      .selectFrom('audit_log')
      .select(['before', 'after'])
      .where('action', '=', 'programme.posting_ceiling_set')
      .orderBy('id')
      .execute();
    expect(audited.map(({ after }) => after)).toEqual([
      { type: 'topUp', currency: 'EUR', amount: 499 },
      { type: 'topUp', currency: 'EUR', amount: null },
    ]);
  });
});

describe('refusals, each stored and without movement', () => {
  const owner = async (card: TestCard, changes: object): Promise<void> => {
    await traffic.owner
      .updateTable('customers')
      .set(changes)
      .where('customer_id', '=', card.customerId)
      .execute();
  };
  const balance = async (card: TestCard, state: 'BLOCKED' | 'CLOSED'): Promise<void> => {
    await traffic.owner
      .updateTable('balances')
      .set({ state })
      .where('balance_id', '=', card.balanceId)
      .execute();
  };

  it.each<[string, (card: TestCard) => Promise<void>, Partial<InternalPosting>, string, string]>([
    ['INVALID_AMOUNT', async () => undefined, { amount: 0 }, 'INVALID_AMOUNT', 'INVALID'],
    ['negative amount', async () => undefined, { amount: -1 }, 'INVALID_AMOUNT', 'INVALID'],
    ['BALANCE_NOT_FOUND', (card) => balance(card, 'CLOSED'), {}, 'BALANCE_NOT_FOUND', 'INVALID'],
    ['CUSTOMER_NOT_FOUND', (card) => owner(card, { state: 'LOCKED' }), {}, 'CUSTOMER_NOT_FOUND', 'DECLINED'],
    ['customer deleted', (card) => owner(card, { state: 'DELETED' }), {}, 'CUSTOMER_NOT_FOUND', 'INVALID'],
    ['CURRENCY_MISMATCH', async () => undefined, { currency: 'PLN' }, 'CURRENCY_MISMATCH', 'INVALID'],
    ['transactional lock', (card) => owner(card, { transactional_locks: 1 }), {}, 'AML_EXCEPTION', 'DECLINED'],
    ['not verified', (card) => owner(card, { kyc: 'FAILED' }), {}, 'AML_EXCEPTION', 'DECLINED'],
    ['unknown type', async () => undefined, { type: null }, 'UNKNOWN_TRANSACTION_TYPE', 'INVALID'],
    ['debit of a blocked balance', (card) => balance(card, 'BLOCKED'), { type: 'fee' }, 'BALANCE_NOT_FOUND', 'INVALID'],
    ['no funds', async () => undefined, { type: 'fee' }, 'INSUFFICIENT_FUNDS', 'DECLINED'],
    ['no funds to give back', async () => undefined, { type: 'funding' }, 'INSUFFICIENT_FUNDS', 'DECLINED'],
    ['no reference', async () => undefined, { reference: { externalId: 'x' } }, 'REFERENCED_TRANSACTION_NOT_FOUND', 'INVALID'],
    ['credit short', async () => undefined, { amount: 2001 }, 'INSUFFICIENT_FUNDS_ON_COLLATERAL_BALANCE', 'DECLINED'],
  ])('%s', async (_name, arrange, changes, code, state) => {
    const programme = await traffic.programme({ prefund: 2000 });
    const card = await traffic.card(programme, 0);
    await arrange(card);
    const result = await topUp(programme, card.balanceId, changes);
    expect(codeOf(result)).toBe(code);
    expect(!result.posted && result.refusal.options.status).toBe(422);
    expect(await traffic.balance(card)).toMatchObject({ posted: 0, version: 0 });
    expect(await creditOf(programme)).toBe(2000);
    expect(await findStep(traffic.engine, result.transactionId, 1)).toMatchObject({
      transaction: { state, result: code },
      event: { result: code, status: 'AUTHORIZED' },
    });
    expect(await transfersOf(traffic.engine, result.transactionId)).toBe('');
    const told = await traffic.engine
      .selectFrom('outbox')
      .select('kind')
      .where('transaction_id', '=', result.transactionId)
      .execute();
    expect(told).toEqual([{ kind: 'transaction' }]);
  }); // prettier-ignore

  it.each<[string, Partial<InternalPosting>, string]>([
    ['type before amount', { type: null, amount: 0 }, 'UNKNOWN_TRANSACTION_TYPE'],
    ['amount before state', { amount: 0 }, 'INVALID_AMOUNT'],
    ['state before owner', { currency: 'PLN' }, 'BALANCE_NOT_FOUND'],
  ])('in the order of the chapter: %s', async (_name, changes, code) => {
    const programme = await traffic.programme();
    const card = await traffic.card(programme, 0);
    await balance(card, 'CLOSED');
    await owner(card, { state: 'LOCKED', kyc: 'FAILED', transactional_locks: 1 });
    expect(codeOf(await topUp(programme, card.balanceId, changes))).toBe(code);
  });

  it('in the order of the chapter: owner, currency, reference, lock, ceiling, credit, funds', async () => {
    const programme = await traffic.programme({ prefund: 0 });
    const card = await traffic.card(programme, 0);
    const limited: Programme = { ...programme, postingCeilings: { funding: { EUR: 1 } } };
    const wrong = { type: 'funding', currency: 'PLN', reference: { externalId: 'x' } } as const;
    const code = async (changes: Partial<InternalPosting>, by = limited) =>
      codeOf(await topUp(by, card.balanceId, { ...wrong, ...changes }));
    await owner(card, { state: 'LOCKED', kyc: 'FAILED', transactional_locks: 1 });
    expect(await code({})).toBe('CUSTOMER_NOT_FOUND');
    await owner(card, { state: 'VERIFIED' });
    expect(await code({})).toBe('CURRENCY_MISMATCH');
    expect(await code({ currency: 'EUR' })).toBe('REFERENCED_TRANSACTION_NOT_FOUND');
    expect(await code({ currency: 'EUR', reference: null })).toBe('AML_EXCEPTION');
    await owner(card, { transactional_locks: 0 });
    expect(await code({ currency: 'EUR', reference: null })).toBe('AML_EXCEPTION');
    await owner(card, { kyc: 'SUCCESS' });
    expect(await code({ currency: 'EUR', reference: null })).toBe('LIMIT_EXCEED');
    const unlimited = { currency: 'EUR', reference: null } as const;
    expect(await code(unlimited, programme)).toBe('COLLATERAL_BALANCE_NOT_FOUND');
  });

  it('COLLATERAL_BALANCE_NOT_FOUND when the partner has none', async () => {
    const programme = await traffic.programme({ prefund: 0 });
    const card = await traffic.card(programme, 0);
    expect(codeOf(await topUp(programme, card.balanceId))).toBe('COLLATERAL_BALANCE_NOT_FOUND');
  });

  it('INVALID_AMOUNT for more than a balance can hold', async () => {
    const programme = await traffic.programme({ funding: 'deposit', prefund: 0 });
    const card = await traffic.card(programme, 0);
    expect(codeOf(await topUp(programme, card.balanceId, { amount: Number.MAX_SAFE_INTEGER }))).toBe(
      'POSTED',
    );
    expect(codeOf(await topUp(programme, card.balanceId, { amount: 1 }))).toBe('INVALID_AMOUNT');
  });

  it('a blocked balance still takes money', async () => {
    const programme = await traffic.programme();
    const card = await traffic.card(programme, 0);
    await balance(card, 'BLOCKED');
    expect(codeOf(await topUp(programme, card.balanceId))).toBe('POSTED');
  });

  it('an unknown balance and somebody else’s are the same 404', async () => {
    const programme = await traffic.programme();
    const stranger = await traffic.card(await traffic.programme(), 0);
    for (const balanceId of [randomUUID(), stranger.balanceId]) {
      await expect(topUp(programme, balanceId)).rejects.toMatchObject({
        code: 'BALANCE_NOT_FOUND',
        options: {},
      });
    }
  });
});
