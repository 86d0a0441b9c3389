import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Authorizer } from '../../activities/authorization/authorizer.ts';
import { verifyLedger } from '../../db/verify-ledger.ts';
import { type CardTraffic, openCardTraffic, type TestCard } from '../support/card-traffic.ts';
import { type FreshDatabase, freshDatabase } from '../support/database.ts';
import { laneWorldOf } from '../support/lane-world.ts';
import { expectedBooks, type PurchaseStep, purchaseActions } from '../support/purchase-model.ts';
import { purchaseSteps } from '../support/purchase-steps.ts';

/** Goal R2 asks for 500,000 commands: `MODEL_RUNS=2000`. */
const RUNS = Number(process.env['MODEL_RUNS'] ?? 4);
const PURCHASES = 40;

let database: FreshDatabase;
let traffic: CardTraffic;
let authorizers: Authorizer[];

beforeAll(async () => {
  database = await freshDatabase();
  traffic = openCardTraffic(database);
  authorizers = [traffic.authorizer(), traffic.authorizer({ batchMax: 7 }), traffic.authorizer({ lanes: 3 })];
});

afterAll(async () => {
  await Promise.all(authorizers.map((one) => one.drain()));
  await traffic.end();
  await database.drop();
});

const authorizerAt = (at: number): Authorizer => authorizers[at % authorizers.length] as Authorizer;

describe('many purchases at once, on several connections, against a plain model', () => {
  it('each card has the books that the model says', async () => {
    const programme = await traffic.programme({ funding: 'deposit', prefund: 1_000_000_000 });
    const lists = fc.array(fc.tuple(purchaseSteps(10), fc.integer({ min: 1, max: 12_000 })), {
      minLength: PURCHASES,
      maxLength: PURCHASES,
    });
    await fc.assert(
      fc.asyncProperty(lists, async (purchases) => {
        await Promise.all(
          purchases.map(async ([steps, posted], at) => {
            const card = await traffic.card(programme, posted);
            const world = laneWorldOf(traffic, authorizerAt(at), programme, card);
            await inOrder(world.act, purchaseActions(card), steps);
            const { posted: left, held } = await traffic.balance(card);
            expect({ posted: left, held }).toEqual(expectedBooks(posted, steps));
          }),
        );
        expect(await verifyLedger(traffic.engine)).toEqual({ ok: true, differences: [] });
      }),
      { numRuns: RUNS, endOnFailure: true },
    );
  }, 600_000);

  it('cards that share a balance never take it below zero unless by force', async () => {
    const programme = await traffic.programme({ funding: 'deposit', prefund: 1_000_000_000 });
    const lists = fc.array(purchaseSteps(8), { minLength: PURCHASES, maxLength: PURCHASES });
    await fc.assert(
      fc.asyncProperty(lists, async (purchases) => {
        const first = await traffic.card(programme, 60_000);
        const second = await traffic.card(programme, 0, first);
        const cards: readonly TestCard[] = [first, second];
        await Promise.all(
          purchases.map(async (steps, at) => {
            const card = cards[at % 2] as TestCard;
            // Messages of one purchase keep their order, those of different ones mix as they like.
            const unexpiring = steps.filter(([event]) => event !== 'expire');
            const world = laneWorldOf(traffic, authorizerAt(at), programme, card);
            await inOrder(world.act, purchaseActions(card), unexpiring);
          }),
        );
        expect(await verifyLedger(traffic.engine)).toEqual({ ok: true, differences: [] });
        const { held, consumed } = await countedAgainst(cards);
        expect(consumed).toBe(held);
      }),
      { numRuns: RUNS, endOnFailure: true },
    );
  }, 600_000);
});

async function inOrder(
  act: ReturnType<typeof laneWorldOf>['act'],
  actions: ReturnType<typeof purchaseActions>,
  steps: readonly PurchaseStep[],
): Promise<void> {
  for (const step of steps) await act(actions(step));
}

/** What the cards' counters say and what their transactions cost: the same, whatever raced (invariant I14). */
async function countedAgainst(cards: readonly TestCard[]) {
  const ids = cards.map((card) => card.cardId);
  const { held } = await traffic.engine
    .selectFrom('transactions')
    .select(({ fn }) => [fn.sum<number>('held').as('open'), fn.sum<number>('cleared').as('cleared')])
    .select(({ fn, eb }) => fn.sum<number>(eb('held', '+', eb.ref('cleared'))).as('held'))
    .where('card_id', 'in', ids)
    .where('type', '<>', 'adjustment')
    .executeTakeFirstOrThrow();
  const states = await traffic.engine
    .selectFrom('card_states')
    .select('consumed')
    .where('card_id', 'in', ids)
    .execute();
  return {
    held: Number(held),
    consumed: states.reduce((sum, { consumed }) => sum + Number(consumed[0]), 0),
  };
}
