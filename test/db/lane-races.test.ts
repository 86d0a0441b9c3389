import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Authorizer } from '../../activities/authorization/authorizer.ts';
import { NO_LIMITS } from '../../domain/limit.ts';
import { verifyLedger } from '../../db/verify-ledger.ts';
import {
  aCall,
  aPurchase,
  aRecord,
  aReversal,
  type CardTraffic,
  openCardTraffic,
  read,
} from '../support/card-traffic.ts';
import { type FreshDatabase, freshDatabase } from '../support/database.ts';

let database: FreshDatabase;
let traffic: CardTraffic;
let authorizer: Authorizer;
let other: Authorizer;
const ROUNDS = Array.from({ length: 12 }, (_one, at) => at);

beforeAll(async () => {
  database = await freshDatabase();
  traffic = openCardTraffic(database);
  [authorizer, other] = [traffic.authorizer(), traffic.authorizer()];
});

afterAll(async () => {
  await Promise.all([authorizer.drain(), other.drain()]);
  expect(await verifyLedger(traffic.engine)).toEqual({ ok: true, differences: [] });
  await traffic.end();
  await database.drop();
});

describe('messages about one purchase, from two processes at the same instant', () => {
  it('a clearing and its authorization are booked once, whichever was first', async () => {
    const programme = await traffic.programme({ funding: 'deposit' });
    for (const round of ROUNDS) {
      const card = await traffic.card(programme, 100_000);
      const purchase = aPurchase(card, 2_500);
      const both = [
        () => authorizer.authorize(purchase, aCall()),
        () => other.clear(aRecord(purchase, 2_500), aCall()),
      ];
      if (round % 2 === 1) both.reverse();
      await Promise.all(both.map((send) => send()));
      expect(await traffic.balance(card)).toMatchObject({ posted: 97_500, held: 0 });
    }
  });

  it('an advice and its authorization hold the money once', async () => {
    const programme = await traffic.programme();
    for (const round of ROUNDS) {
      const card = await traffic.card(programme, 100_000);
      const purchase = aPurchase(card, 2_500);
      const advice = aPurchase(card, 2_500, {
        networkReferenceId: purchase.networkReferenceId,
        advice: true,
        adviceReason: 'STAND_IN',
        adviceResult: 'APPROVED',
      });
      const both = [() => authorizer.authorize(purchase, aCall()), () => other.authorize(advice, aCall())];
      if (round % 2 === 1) both.reverse();
      const answers = (await Promise.all(both.map((send) => send()))).map(read);
      expect(new Set(answers.map(({ id }) => id)).size).toBe(1);
      expect(await traffic.balance(card)).toMatchObject({ held: 2_500 });
    }
  });

  it('a reversal and a clearing leave one winner', async () => {
    const programme = await traffic.programme({ funding: 'deposit' });
    for (const _round of ROUNDS) {
      const card = await traffic.card(programme, 100_000);
      const purchase = aPurchase(card, 2_500);
      await authorizer.authorize(purchase, aCall());
      await Promise.all([
        authorizer.reverse(aReversal(purchase), aCall()),
        other.clear(aRecord(purchase, 2_500), aCall()),
      ]);
      // What was cleared stays cleared: after a reversal it is posted late.
      expect(await traffic.balance(card)).toMatchObject({ posted: 97_500, held: 0 });
    }
  });

  it('a release by hand that is tried twice gives back once', async () => {
    const card = await traffic.card(await traffic.programme(), 100_000);
    const { id } = read(await authorizer.authorize(aPurchase(card, 5_000), aCall()));
    const request = {
      transactionId: id as string,
      processorCardId: card.processorCardId,
      cause: 'manual',
      amount: 1_000,
      note: 'asked by phone',
      requestId: 'release-1',
      actor: 'OPERATOR:ada',
    } as const;
    const released = await Promise.all([authorizer.release(request), other.release(request)]);
    expect(released[0]).toEqual(released[1]);
    expect(await traffic.balance(card)).toMatchObject({ held: 4_000 });
  });
});

describe('what a caller is told', () => {
  it('is the approval, late, when it was being written at the deadline', async () => {
    const card = await traffic.card(await traffic.programme(), 100_000);
    const hurried = traffic.authorizer({ deadlineMs: 400 });
    const blocker = new pg.Client({ connectionString: database.ownerUrl });
    await blocker.connect();
    await blocker.query('begin');
    await blocker.query('lock table network_keys in share mode');
    const answer = hurried.authorize(aPurchase(card, 2_500), aCall());
    setTimeout(() => void blocker.query('commit').then(() => blocker.end()), 600);
    expect(read(await answer)).toMatchObject({ result: 'APPROVED' });
    expect(await traffic.balance(card)).toMatchObject({ held: 2_500 });
    await hurried.drain();
  });
});

describe('limits', () => {
  it('a customer limit gets nothing back for what was held before it was set', async () => {
    const card = await traffic.card(await traffic.programme(), 100_000);
    const early = aPurchase(card, 1_000);
    await authorizer.authorize(early, aCall());
    await traffic.owner
      .insertInto('customer_limits')
      .values({
        customer_id: card.customerId,
        partner_id: 1,
        limits: JSON.stringify({
          ...NO_LIMITS,
          limits: [{ timeUnit: 'daily', type: 'general', amountMinor: 3_000 }],
        }),
        consumed_on: null,
      })
      .execute();
    expect(read(await authorizer.authorize(aPurchase(card, 3_000), aCall())).result).toBe('APPROVED');
    await authorizer.reverse(aReversal(early), aCall());
    expect(read(await authorizer.authorize(aPurchase(card, 1_000), aCall()))).toMatchObject({
      description: 'LIMIT_EXCEED',
    });
  });

  it('an increment counts as what its transaction is', async () => {
    const card = await traffic.card(await traffic.programme(), 100_000);
    const limits = [{ timeUnit: 'daily', type: 'ecommerce', amountMinor: 5_000 }];
    await traffic.owner
      .updateTable('card_states')
      .set({ limits: JSON.stringify({ ...NO_LIMITS, limits }) })
      .where('card_id', '=', card.cardId)
      .execute();
    const purchase = aPurchase(card, 4_000, { transactionData: { captureMode: 'ECOM' } });
    expect(read(await authorizer.authorize(purchase, aCall())).result).toBe('APPROVED');
    const increment = aPurchase(card, 1, {
      kind: 'INCREMENTAL',
      cumulativeAmount: 9_000,
      networkReferenceId: purchase.networkReferenceId,
      transactionData: {},
    });
    expect(read(await authorizer.authorize(increment, aCall()))).toMatchObject({
      description: 'EXCEEDS_AMOUNT_LIMIT',
    });
  });
});
