import { describe, expect, it } from 'vitest';
import { openPureWorld } from '../support/pure-world.ts';
import { expectedBooks, ordersUpTo, purchaseActions, stepsOf } from '../support/purchase-model.ts';

const CARD = { cardId: 1, processorCardId: 'pc_1', balanceId: 'b', customerId: 1 };
/** Six take half a minute: `ORDER_LENGTH=6`. */
const LENGTH = Number(process.env['ORDER_LENGTH'] ?? 4);

describe(`every order of up to ${LENGTH} events of one purchase, by the pure functions`, () => {
  it.each(['A', 'B'] as const)('kind %s: posted and held are right after each', async (kind) => {
    for (const order of ordersUpTo(LENGTH)) {
      const head = { kind, posted: 100_000, deposit: 500_000, partial: false, daily: null };
      const world = openPureWorld(head);
      const actions = purchaseActions(CARD);
      const steps = stepsOf(order);
      for (const [at, step] of steps.entries()) {
        await world.act(actions(step));
        const { posted, held, deposit } = await world.values();
        const expected = expectedBooks(100_000, steps.slice(0, at + 1));
        expect({ posted, held }, order.join(', ')).toEqual(expected);
        // What the network was promised or has been paid comes out of the deposit.
        if (deposit !== null) expect(deposit, order.join(', ')).toBe(400_000 + posted - held);
      }
    }
  });
});
