import { expectBalance, major } from './balances.ts';
import { expectEqual } from './difference.ts';
import { PURCHASE, TOPPED_UP } from './pay-with-card.ts';
import type { Seen } from './step.ts';
import type { World } from './world.ts';

const ROOM = 30_00;
const GIVEN_BACK = 10_00;
/** What stays held for the hotel of steps 8a and 8b. */
export const HELD = ROOM - GIVEN_BACK;
/** What is left after step 8. */
export const LEFT = TOPPED_UP - PURCHASE;

/** Step 8a: the merchant gives a part of a purchase back before it is cleared. */
export async function reverseInPart(
  world: World,
  userId: number,
  balanceId: string,
  cardId: number,
): Promise<Seen<{ traceId: string }>> {
  const { result, traceId } = await world.network.purchase(cardId, ROOM);
  expectEqual('the answer', 'APPROVED', result);
  await expectBalance(world, userId, balanceId, { posted: LEFT, held: ROOM });
  await world.network.reverse(traceId, GIVEN_BACK);
  const { heldAmount, availableAmount } = await expectBalance(world, userId, balanceId, {
    posted: LEFT,
    held: HELD,
  });
  return {
    happened: 'purchase reversed in part',
    figures: {
      authorized: major(ROOM),
      'given back': major(GIVEN_BACK),
      held: major(heldAmount),
      available: major(availableAmount),
    },
    facts: { traceId },
  };
}
