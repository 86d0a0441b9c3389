import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Authorizer } from '../../activities/authorization/authorizer.ts';
import { verifyLedger } from '../../db/verify-ledger.ts';
import { type CardTraffic, openCardTraffic } from '../support/card-traffic.ts';
import { type FreshDatabase, freshDatabase } from '../support/database.ts';
import { laneWorldOf } from '../support/lane-world.ts';
import {
  expectedBooks,
  ordersUpTo,
  type PurchaseEvent,
  purchaseActions,
  stepsOf,
} from '../support/purchase-model.ts';

const LENGTH = Number(process.env['ORDER_LENGTH'] ?? 4);
const AT_A_TIME = 64;

let database: FreshDatabase;
let traffic: CardTraffic;
let authorizer: Authorizer;

beforeAll(async () => {
  database = await freshDatabase();
  traffic = openCardTraffic(database);
  authorizer = traffic.authorizer();
});

afterAll(async () => {
  await authorizer.drain();
  await traffic.end();
  await database.drop();
});

describe(`every order of up to ${LENGTH} events of one purchase, through the lanes`, () => {
  it('leaves what it should posted and held, and a ledger without a difference', async () => {
    const programme = await traffic.programme({ funding: 'deposit' });
    const waiting = ordersUpTo(LENGTH);
    const play = async (order: readonly PurchaseEvent[]): Promise<void> => {
      const card = await traffic.card(programme, 100_000);
      const world = laneWorldOf(traffic, authorizer, programme, card);
      const actions = purchaseActions(card);
      const steps = stepsOf(order);
      for (const step of steps) await world.act(actions(step));
      const { posted, held } = await traffic.balance(card);
      expect({ posted, held }, order.join(', ')).toEqual(expectedBooks(100_000, steps));
    };
    const worker = async (): Promise<void> => {
      for (let order = waiting.pop(); order !== undefined; order = waiting.pop()) await play(order);
    };
    await Promise.all(Array.from({ length: AT_A_TIME }, worker));
    expect(await verifyLedger(traffic.engine)).toEqual({ ok: true, differences: [] });
  }, 300_000);
});
