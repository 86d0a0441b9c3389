import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { openPureWorld } from '../support/pure-world.ts';
import { expectedBooks, purchaseActions } from '../support/purchase-model.ts';
import { purchaseSteps } from '../support/purchase-steps.ts';

const CARD = { cardId: 1, processorCardId: 'pc_1', balanceId: 'b', customerId: 1 };
/** Goal R2 asks for 200,000: `MODEL_RUNS=200000`. */
const RUNS = Number(process.env['MODEL_RUNS'] ?? 3_000);

describe('the rules against a plain model', () => {
  it.each(['A', 'B'] as const)(
    'kind %s: any messages about a purchase, of any amounts, leave the books that the model says',
    async (kind) => {
      await fc.assert(
        fc.asyncProperty(purchaseSteps(12), fc.integer({ min: 0, max: 12_000 }), async (steps, posted) => {
          const head = { kind, posted, deposit: 1_000_000, partial: false, daily: null };
          const world = openPureWorld(head);
          const actions = purchaseActions(CARD);
          for (const [at, step] of steps.entries()) {
            await world.act(actions(step));
            const values = await world.values();
            const expected = expectedBooks(posted, steps.slice(0, at + 1));
            expect({ posted: values.posted, held: values.held }).toEqual(expected);
            if (kind === 'B') expect(values.deposit).toBe(1_000_000 - posted + values.posted - values.held);
          }
        }),
        { numRuns: RUNS },
      );
    },
    600_000,
  );
});
