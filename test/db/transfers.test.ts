import { randomUUID } from 'node:crypto';
import type { Kysely } from 'kysely';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { atomically } from '../../db/atomically.ts';
import { createDatabase, createPool } from '../../db/client.ts';
import type { Database } from '../../db/database.ts';
import type { Programme } from '../../db/partners.ts';
import { type BalanceTransfer, transferBetween } from '../../db/transfers.ts';
import { verifyLedger } from '../../db/verify-ledger.ts';
import { type CardTraffic, openCardTraffic, type TestCard } from '../support/card-traffic.ts';
import { type FreshDatabase, freshDatabase } from '../support/database.ts';
import { partnerBalancesOf, transfersOf } from '../support/money.ts';

let database: FreshDatabase;
let traffic: CardTraffic;
let app: Kysely<Database>;

beforeAll(async () => {
  database = await freshDatabase();
  traffic = openCardTraffic(database);
  app = createDatabase(createPool({ url: database.appUrl, max: 8, name: 'test-app', lockTimeoutMs: 10_000 }));
});

afterAll(async () => {
  expect(await verifyLedger(traffic.engine)).toEqual({ ok: true, differences: [] });
  await app.destroy();
  await traffic.end();
  await database.drop();
});

let attempts = 0;

/** As the partner's server would; counts how often the work is begun. */
async function transfer(
  programme: Programme,
  from: Pick<TestCard, 'balanceId'>,
  to: Pick<TestCard, 'balanceId'>,
  changes: Partial<BalanceTransfer> = {},
) {
  const actor = { type: 'PARTNER', id: 'test' } as const;
  const caller = { partnerId: programme.partnerId, actor, requestId: 'test', ip: null };
  return await atomically(app, caller, (trx) => {
    attempts += 1;
    return transferBetween(trx, {
      programme,
      fromBalanceId: from.balanceId,
      toBalanceId: to.balanceId,
      amount: 300,
      quoteId: null,
      description: 'rent',
      ...changes,
    });
  });
}

describe('a transfer', () => {
  it.each([
    ['credit', 'U>PC 300', 'PC>U 300', { credit: 9_000 }],
    ['deposit', 'U>PH 300', 'PH>U 300', { deposit: 10_000 }],
  ] as const)('moves money in two lifecycles, funded by %s', async (funding, out, into, partner) => {
    const programme = await traffic.programme({ funding, prefund: 10_000 });
    const [from, to] = [await traffic.card(programme, 1000), await traffic.card(programme, 0)];
    const { transferId, fundingId, paymentId } = await transfer(programme, from, to);
    expect(await transfersOf(traffic.engine, fundingId)).toBe(out);
    expect(await transfersOf(traffic.engine, paymentId)).toBe(into);
    expect(await traffic.balance(from)).toEqual({ posted: 700, held: 0, version: 2 });
    expect(await traffic.balance(to)).toEqual({ posted: 300, held: 0, version: 1 });
    expect(await partnerBalancesOf(traffic.engine, programme)).toEqual(partner);
    const rows = await traffic.engine
      .selectFrom('transactions')
      .select(['id', 'type', 'category', 'state', 'balance_id', 'balance_before', 'balance_after'])
      .where('external_id', '=', transferId)
      .orderBy('history_id')
      .execute();
    expect(rows).toEqual([
      {
        id: fundingId,
        type: 'funding',
        category: 'DEBIT',
        state: 'CLEARED',
        balance_id: from.balanceId,
        balance_before: 1000,
        balance_after: 700,
      },
      {
        id: paymentId,
        type: 'payment',
        category: 'CREDIT',
        state: 'CLEARED',
        balance_id: to.balanceId,
        balance_before: 0,
        balance_after: 300,
      },
    ]);
  });

  it('of all there is leaves nothing, and one more is refused without a trace', async () => {
    const programme = await traffic.programme({ funding: 'deposit' });
    const [from, to] = [await traffic.card(programme, 300), await traffic.card(programme, 0)];
    await transfer(programme, from, to);
    const count = () =>
      traffic.engine
        .selectFrom('transactions')
        .select(({ fn }) => fn.countAll<number>().as('n'))
        .executeTakeFirstOrThrow();
    const before = await count();
    await expect(transfer(programme, from, to, { amount: 1 })).rejects.toMatchObject({
      code: 'INSUFFICIENT_FUNDS',
    });
    expect(await count()).toEqual(before);
    expect(await traffic.balance(from)).toMatchObject({ posted: 0, version: 2 });
  });

  it('to and fro at once: no deadlock, and nothing is lost', async () => {
    const programme = await traffic.programme({ prefund: 100_000 });
    const [one, other] = [await traffic.card(programme, 5000), await traffic.card(programme, 5000)];
    const before = attempts;
    const results = await Promise.allSettled(
      Array.from({ length: 60 }, (_one, at) =>
        at % 2 === 0
          ? transfer(programme, one, other, { amount: 10 })
          : transfer(programme, other, one, { amount: 7 }),
      ),
    );
    expect(results.filter(({ status }) => status === 'rejected')).toEqual([]);
    expect(await traffic.balance(one)).toMatchObject({ posted: 5000 - 300 + 210 });
    expect(await traffic.balance(other)).toMatchObject({ posted: 5000 + 300 - 210 });
    // One that met a deadlock would have been run again.
    expect(attempts - before).toBe(60);
  });

  it('of 40 at once passes exactly as often as the balance affords', async () => {
    const programme = await traffic.programme({ prefund: 100_000 });
    const [from, to] = [await traffic.card(programme, 799), await traffic.card(programme, 0)];
    const results = await Promise.allSettled(
      Array.from({ length: 40 }, () => transfer(programme, from, to, { amount: 100 })),
    );
    expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(7);
    expect(await traffic.balance(to)).toMatchObject({ posted: 700 });
  });
});

describe('refusals', () => {
  const set = async (card: TestCard, values: object): Promise<void> => {
    await traffic.owner
      .updateTable('balances')
      .set(values)
      .where('balance_id', '=', card.balanceId)
      .execute();
  };
  const setOwner = async (card: TestCard, values: object): Promise<void> => {
    await traffic.owner
      .updateTable('customers')
      .set(values)
      .where('customer_id', '=', card.customerId)
      .execute();
  };

  it.each<[string, string, (from: TestCard, to: TestCard) => Promise<void>, Partial<BalanceTransfer>]>([
    ['INVALID_AMOUNT', 'nothing', async () => undefined, { amount: 0 }],
    ['BALANCE_NOT_FOUND', 'from a blocked one', (from) => set(from, { state: 'BLOCKED' }), {}],
    ['BALANCE_NOT_FOUND', 'to a closed one', (_from, to) => set(to, { state: 'CLOSED' }), {}],
    ['CUSTOMER_NOT_FOUND', 'to a locked user', (_from, to) => setOwner(to, { state: 'LOCKED' }), {}],
    ['AML_EXCEPTION', 'from a lock', (from) => setOwner(from, { transactional_locks: 1 }), {}],
    ['AML_EXCEPTION', 'to a lock', (_from, to) => setOwner(to, { transactional_locks: 1 }), {}],
    ['INSUFFICIENT_FUNDS', 'too much', async () => undefined, { amount: 1001 }],
    ['QUOTE_REQUIRED', 'other currency', (_from, to) => set(to, { currency: 'PLN' }), {}],
    ['QUOTE_EXPIRED', 'old quote', (_from, to) => set(to, { currency: 'PLN' }), { quoteId: randomUUID() }],
    ['EXTERNAL_TRANSFER_NOT_SUPPORTED', 'external', (_from, to) => set(to, { holder: 'external' }), {}],
  ])('422 %s: %s', async (code, _name, arrange, changes) => {
    const programme = await traffic.programme({ prefund: 2000 });
    const [from, to] = [await traffic.card(programme, 1000), await traffic.card(programme, 0)];
    await arrange(from, to);
    await expect(transfer(programme, from, to, changes)).rejects.toSatisfy(
      (error: { code: string; options: { status?: number } }) =>
        error.code === code && (error.options.status ?? 422) === 422,
    );
    expect(await traffic.balance(from)).toMatchObject({ posted: 1000, version: 1 });
    expect(await traffic.balance(to)).toMatchObject({ posted: 0, version: 0 });
    // The proof at the end reads the currency of the account.
    await set(to, { currency: 'EUR' });
  });

  it('422 LIMIT_EXCEED: more than the ceiling of one leg', async () => {
    const made = await traffic.programme();
    const programme: Programme = { ...made, postingCeilings: { payment: { EUR: 299 } } };
    const [from, to] = [await traffic.card(made, 1000), await traffic.card(made, 0)];
    await expect(transfer(programme, from, to)).rejects.toMatchObject({ code: 'LIMIT_EXCEED' });
    await transfer(programme, from, to, { amount: 299 });
  });

  it('422 SAME_BALANCE, COLLATERAL_BALANCE_NOT_FOUND', async () => {
    const programme = await traffic.programme({ prefund: 0 });
    const [from, to] = [await traffic.card(programme, 0), await traffic.card(programme, 0)];
    await expect(transfer(programme, from, from)).rejects.toMatchObject({ code: 'SAME_BALANCE' });
    await expect(transfer(programme, from, to)).rejects.toMatchObject({
      code: 'COLLATERAL_BALANCE_NOT_FOUND',
    });
  });

  it('404: unknown, or of another programme, on either side', async () => {
    const programme = await traffic.programme();
    const [mine, strange] = [
      await traffic.card(programme, 1000),
      await traffic.card(await traffic.programme(), 1000),
    ];
    const nothing = { balanceId: randomUUID() };
    for (const [from, to] of [
      [mine, strange],
      [strange, mine],
      [mine, nothing],
      [nothing, mine],
    ] as const) {
      await expect(transfer(programme, from, to)).rejects.toMatchObject({
        code: 'BALANCE_NOT_FOUND',
        options: {},
      });
    }
  });
});
