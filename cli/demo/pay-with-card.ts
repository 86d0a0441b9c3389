import { expectBalance, major } from './balances.ts';
import { Difference, expectEqual, expectThat } from './difference.ts';
import type { Seen } from './step.ts';
import type { TracedStep, World } from './world.ts';

export const PURCHASE = 12_34;
export const TOPPED_UP = 100_00;

/** The purchase of step 6, as the network and the platform know it. */
export interface PaidPurchase {
  readonly transactionId: string;
  readonly traceId: string;
}

/** Step 6: a purchase that is approved and held, and why. */
export async function payWithCard(
  world: World,
  userId: number,
  balanceId: string,
  cardId: number,
): Promise<Seen<PaidPurchase>> {
  const purchase = await world.network.purchase(cardId, PURCHASE);
  expectEqual('the answer', 'APPROVED', `${purchase.result}${reasonOf(purchase)}`);
  if (purchase.id === null) throw new Difference('id of the purchase', 'a transaction id', 'null');
  const held = await expectBalance(world, userId, balanceId, { posted: TOPPED_UP, held: PURCHASE });
  const steps = await world.readTrace(purchase.id);
  const failed = steps.filter((one) => one.outcome === 'FAIL');
  expectThat('the decision trace', steps.length > 0 && failed.length === 0, 'no check failed', failed);
  return {
    happened: 'purchase approved',
    figures: {
      amount: major(PURCHASE),
      available: major(held.availableAmount),
      'decision trace': describe(steps),
    },
    facts: { transactionId: purchase.id, traceId: purchase.traceId },
  };
}

const reasonOf = (one: { result: string; description: string }): string =>
  one.result === 'APPROVED' ? '' : ` ${one.description}`;

const describe = (steps: readonly TracedStep[]): string =>
  `${steps.filter((one) => one.outcome === 'PASS').length} checks passed`;
