import { expectBalance, major, readCreditBalance } from './balances.ts';
import { Difference, expectEqual } from './difference.ts';
import { PURCHASE, TOPPED_UP } from './pay-with-card.ts';
import type { Seen } from './step.ts';
import type { World } from './world.ts';

const TOO_MUCH = 500_00;

/** Step 7: a purchase above the available amount is declined, and nothing moves. */
export async function payTooMuch(
  world: World,
  userId: number,
  balanceId: string,
  cardId: number,
): Promise<Seen<{ refusedId: string }>> {
  const creditBefore = await readCreditBalance(world);
  const purchase = await world.network.purchase(cardId, TOO_MUCH);
  const { result, description } = purchase;
  expectEqual('the answer', 'DECLINED INSUFFICIENT_FUNDS', `${result} ${description}`);
  if (purchase.id === null) throw new Difference('id of the purchase', 'a transaction id', 'null');
  const balance = await expectBalance(world, userId, balanceId, { posted: TOPPED_UP, held: PURCHASE });
  expectEqual('the credit partner balance', major(creditBefore), major(await readCreditBalance(world)));
  return {
    happened: 'purchase declined, nothing moved',
    figures: { amount: major(TOO_MUCH), reason: description, available: major(balance.availableAmount) },
    facts: { refusedId: purchase.id },
  };
}
