import { randomUUID } from 'node:crypto';
import type { Kysely } from 'kysely';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { atomically } from '../../db/atomically.ts';
import { createDatabase, createPool } from '../../db/client.ts';
import type { Database } from '../../db/database.ts';
import type { Programme } from '../../db/partners.ts';
import { type InternalPosting, postInternal, type PostingResult } from '../../db/postings.ts';
import { findStep } from '../../db/transactions.ts';
import { verifyLedger } from '../../db/verify-ledger.ts';
import { type CardTraffic, openCardTraffic, type TestCard } from '../support/card-traffic.ts';
import { type FreshDatabase, freshDatabase } from '../support/database.ts';

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
  }); // prettier-ignore

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
