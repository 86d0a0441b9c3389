import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Adjustment, postAdjustment } from '../../db/adjustments.ts';
import { atomically } from '../../db/atomically.ts';
import { lockBalances } from '../../db/books.ts';
import { postByHand } from '../../db/hand-postings.ts';
import type { Programme } from '../../db/partners.ts';
import { findStep } from '../../db/transactions.ts';
import { verifyLedger } from '../../db/verify-ledger.ts';
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

beforeAll(async () => {
  database = await freshDatabase();
  traffic = openCardTraffic(database);
});

afterAll(async () => {
  expect(await verifyLedger(traffic.engine)).toEqual({ ok: true, differences: [] });
  await traffic.end();
  await database.drop();
});

const OPERATOR = {
  partnerId: null,
  actor: { type: 'CLI', id: 'ada' },
  requestId: 'adjust',
  ip: null,
} as const;

const adjust = (card: Pick<TestCard, 'balanceId'>, changes: Partial<Adjustment>) =>
  atomically(traffic.engine, OPERATOR, (trx) =>
    postAdjustment(trx, {
      balanceId: card.balanceId,
      category: 'CREDIT',
      amount: 200,
      currency: 'EUR',
      reason: 'GOODWILL',
      note: 'asked by phone',
      externalId: 'case-1',
      ...changes,
    }),
  );

const forcedSince = async ({ balanceId }: TestCard): Promise<Date | null> => {
  const row = await traffic.engine
    .selectFrom('balances')
    .select('forced_since')
    .where('balance_id', '=', balanceId)
    .executeTakeFirstOrThrow();
  return row.forced_since;
};

const exceptionsOf = async (transactionId: string): Promise<string[]> => {
  const rows = await traffic.engine
    .selectFrom('exceptions')
    .select('kind')
    .where('transaction_id', '=', transactionId)
    .execute();
  return rows.map(({ kind }) => kind);
};

const setState = async ({ balanceId }: TestCard, state: 'CLOSED' | 'LINKING' | 'BLOCKED'): Promise<void> => {
  await traffic.owner.updateTable('balances').set({ state }).where('balance_id', '=', balanceId).execute();
};

describe.each(['credit', 'deposit'] as const)('in a programme funded by %s', (funding) => {
  it.each<[Adjustment['reason'], Adjustment['category'], string, number]>([
    ['GOODWILL', 'CREDIT', 'CO>U 200', 1200],
    ['GOODWILL', 'DEBIT', 'U>CO 200', 800],
    ['CORRECTION', 'CREDIT', 'CO>U 200', 1200],
    ['CORRECTION', 'DEBIT', 'U>CO 200', 800],
    ['PROVISIONAL_CREDIT', 'CREDIT', 'CB>U 200', 1200],
    ['CHARGEBACK_LOST', 'DEBIT', 'U>CB 200', 800],
    ['CHARGEBACK_LOST', 'CREDIT', 'WO>CB 200', 1000],
  ])('%s, %s books %s', async (reason, category, written, posted) => {
    const programme = await traffic.programme({ funding });
    const card = await traffic.card(programme, 1000);
    const transactionId = await adjust(card, { reason, category });
    expect(await transfersOf(traffic.engine, transactionId)).toBe(written);
    expect(await traffic.balance(card)).toMatchObject({ posted });
    const moves = written.includes('U');
    expect(await findStep(traffic.engine, transactionId, 1)).toMatchObject({
      transaction: {
        type: 'adjustment',
        adjustment_kind: 'manual',
        category,
        state: 'CLEARED',
        result: 'APPROVED',
        reason,
        balance_id: moves ? card.balanceId : null,
        balance_after: moves ? posted : null,
      },
      event: { kind: 'CORRECTION', actor: 'CLI:ada' },
    });
    const told = await traffic.engine
      .selectFrom('outbox')
      .select('kind')
      .where('transaction_id', '=', transactionId)
      .execute();
    expect(told).toHaveLength(moves ? 1 : 0);
    const audited = await traffic.owner
      .selectFrom('audit_log')
      .select(['action', 'actor_id', 'partner_id', 'after'])
      .where('object_id', '=', transactionId)
      .execute();
    expect(audited).toEqual([
      {
        action: 'balance.adjusted',
        actor_id: 'ada',
        partner_id: programme.partnerId,
        after: expect.objectContaining({ reason, note: 'asked by phone', amount: 200 }),
      },
    ]);
    expect(await exceptionsOf(transactionId)).toEqual([]);
  });

  it('WRITE_OFF lifts a negative balance, no higher than zero', async () => {
    const card = await traffic.card(await traffic.programme({ funding }), 100);
    await adjust(card, { reason: 'CORRECTION', category: 'DEBIT', amount: 400 });
    await expect(adjust(card, { reason: 'WRITE_OFF', amount: 301 })).rejects.toMatchObject({
      code: 'INVALID_AMOUNT',
    });
    const part = await adjust(card, { reason: 'WRITE_OFF', amount: 100 });
    expect(await transfersOf(traffic.engine, part)).toBe('WO>U 100');
    expect(await forcedSince(card)).not.toBeNull();
    expect(await exceptionsOf(part)).toEqual(['NEGATIVE_BALANCE']);
    const rest = await adjust(card, { reason: 'WRITE_OFF', amount: 200 });
    expect(await exceptionsOf(rest)).toEqual([]);
    expect(await traffic.balance(card)).toMatchObject({ posted: 0 });
    expect(await forcedSince(card)).toBeNull();
    await expect(adjust(card, { reason: 'WRITE_OFF', amount: 1 })).rejects.toMatchObject({
      code: 'INVALID_AMOUNT',
    });
  });

  it('an item without a card is put on one by force: the customer and the deposit may go below zero', async () => {
    const programme = await traffic.programme({ funding, prefund: 150 });
    const card = await traffic.card(programme, funding === 'credit' ? 100 : 0);
    const transactionId = await atomically(traffic.engine, OPERATOR, async (trx) => {
      const balance = (await lockBalances(trx, [card.balanceId])).get(card.balanceId);
      if (balance === undefined) throw new Error('no balance');
      return await postByHand(trx, {
        programme,
        balance,
        event: 'unknownCardPlaced',
        type: 'pos',
        category: 'DEBIT',
        amount: 200,
        externalId: 'item',
        reference: null,
        reason: 'REASSIGN',
        description: 'BOOK STORE',
        audited: {},
        forced: true,
      });
    });
    expect(await transfersOf(traffic.engine, transactionId)).toBe(
      funding === 'credit' ? 'U>SU 200' : 'U>PH 200, PD>SU 200',
    );
    expect(await forcedSince(card)).not.toBeNull();
    expect(await partnerBalancesOf(traffic.engine, programme)).toEqual(
      funding === 'credit' ? { credit: 50 } : { deposit: -50 },
    );
    expect(await exceptionsOf(transactionId)).toEqual(['NEGATIVE_BALANCE']);
  });
});

describe('a debit', () => {
  it.each(['CORRECTION', 'CHARGEBACK_LOST'] as const)(
    '%s may go below zero, and is put before people',
    async (reason) => {
      const card = await traffic.card(await traffic.programme(), 100);
      const transactionId = await adjust(card, { reason, category: 'DEBIT' });
      expect(await traffic.balance(card)).toMatchObject({ posted: -100 });
      expect(await forcedSince(card)).not.toBeNull();
      expect(await exceptionsOf(transactionId)).toEqual(['NEGATIVE_BALANCE']);
    },
  );

  it('GOODWILL may not', async () => {
    const card = await traffic.card(await traffic.programme(), 100);
    await expect(adjust(card, { category: 'DEBIT', amount: 101 })).rejects.toMatchObject({
      code: 'INSUFFICIENT_FUNDS',
    });
    await adjust(card, { category: 'DEBIT', amount: 100 });
    expect(await forcedSince(card)).toBeNull();
  });

  it('keeps the time since when a balance is below zero, until it is in order', async () => {
    const card = await traffic.card(await traffic.programme(), 0);
    await adjust(card, { reason: 'CORRECTION', category: 'DEBIT', amount: 100 });
    const since = await forcedSince(card);
    await adjust(card, { reason: 'CORRECTION', category: 'DEBIT', amount: 100 });
    expect(await forcedSince(card)).toEqual(since);
    await adjust(card, { amount: 199 });
    expect(await forcedSince(card)).toEqual(since);
    await adjust(card, { amount: 1 });
    expect(await forcedSince(card)).toBeNull();
  });
});

describe('refusals', () => {
  let programme: Programme;
  let card: TestCard;
  beforeAll(async () => {
    programme = await traffic.programme();
    card = await traffic.card(programme, 100);
  });

  it.each<[string, Partial<Adjustment>]>([
    ['INVALID_AMOUNT', { amount: 0 }],
    ['INVALID_AMOUNT', { amount: Number.MAX_SAFE_INTEGER }],
    ['CURRENCY_MISMATCH', { currency: 'PLN' }],
    ['STATE_CONFLICT', { reason: 'WRITE_OFF', category: 'DEBIT' }],
    ['STATE_CONFLICT', { reason: 'PROVISIONAL_CREDIT', category: 'DEBIT' }],
    ['TRANSACTION_NOT_FOUND', { referenceId: randomUUID() }],
    ['BALANCE_NOT_FOUND', { balanceId: randomUUID() }],
  ])('%s: %j', async (code, changes) => {
    await expect(adjust(card, changes)).rejects.toMatchObject({ code });
    expect(await traffic.balance(card)).toMatchObject({ posted: 100, version: 1 });
  });

  it('BALANCE_NOT_FOUND: a closed balance takes corrections and write-offs alone', async () => {
    const closed = await traffic.card(programme, 100);
    await setState(closed, 'CLOSED');
    await expect(adjust(closed, {})).rejects.toMatchObject({ code: 'BALANCE_NOT_FOUND' });
    const transactionId = await adjust(closed, { reason: 'CORRECTION', category: 'DEBIT', amount: 100 });
    expect(await exceptionsOf(transactionId)).toEqual(['CLOSED_BALANCE']);
    await setState(closed, 'LINKING');
    await expect(adjust(closed, { reason: 'CORRECTION' })).rejects.toMatchObject({
      code: 'BALANCE_NOT_FOUND',
    });
  });

  it('SERVICE_UNAVAILABLE: the partner holds the money', async () => {
    const external = await traffic.programme({ funding: 'deposit', balanceHolder: 'external' });
    await expect(adjust(await traffic.card(external, 0), {})).rejects.toMatchObject({
      code: 'SERVICE_UNAVAILABLE',
    });
  });
});

it('names the transaction that it is about', async () => {
  const programme = await traffic.programme();
  const card = await traffic.card(programme, 0);
  const { transactionId: referenceId } = await traffic.topUp(programme, card.balanceId, 100);
  const id = await adjust(card, { reason: 'PROVISIONAL_CREDIT', referenceId });
  expect((await findStep(traffic.engine, id, 1))?.transaction).toMatchObject({ related_id: referenceId });
});

describe('a purchase whose holder was credited before the network paid', () => {
  it.each(['credit', 'deposit'] as const)(
    'gives the chargeback to whoever paid, once, in a programme funded by %s',
    async (funding) => {
      const programme = await traffic.programme({ funding });
      const card = await traffic.card(programme, 5_000);
      const authorizer = traffic.authorizer();
      const purchase = aPurchase(card, 2_000);
      await authorizer.authorize(purchase, aCall());
      const { results } = await authorizer.clear(aRecord(purchase, 2_000), aCall());
      const referenceId = results[0]?.id as string;
      await adjust(card, { reason: 'PROVISIONAL_CREDIT', amount: 2_000, referenceId });
      expect(await traffic.balance(card)).toMatchObject({ posted: 5_000 });

      const chargeback = aRecord(purchase, 2_000, { recordType: 'CHARGEBACK' });
      expect((await authorizer.clear(chargeback, aCall())).results).toMatchObject([
        { result: 'POSTED', id: referenceId, exception: null },
      ]);
      expect(await traffic.balance(card)).toMatchObject({ posted: 5_000 });
      // The next one was not paid ahead of.
      const second = aRecord(purchase, 500, { recordType: 'CHARGEBACK' });
      expect((await authorizer.clear(second, aCall())).results).toMatchObject([
        { exception: 'REFUND_EXCEEDS' },
      ]);
      expect(await traffic.balance(card)).toMatchObject({ posted: 5_500 });
      await authorizer.drain();
    },
  );
});
