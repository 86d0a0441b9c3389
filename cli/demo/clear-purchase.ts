import { z } from 'zod';
import { expectBalance, major } from './balances.ts';
import { eventually } from './patience.ts';
import { type PaidPurchase, PURCHASE, TOPPED_UP } from './pay-with-card.ts';
import type { Seen } from './step.ts';
import type { World } from './world.ts';

const transactionSchema = z.object({ status: z.string(), clearedAmount: z.int(), holdAmount: z.int() });

/** Step 8: the purchase is presented, and the hold becomes a charge. The partner refuses the news of it once. */
export async function clearPurchase(
  world: World,
  userId: number,
  balanceId: string,
  { transactionId, traceId }: PaidPurchase,
): Promise<Seen<{ refusal: string }>> {
  const refusal = `demo-${transactionId}`;
  await world.partnerServer.refuseOnce(refusal, transactionId);
  await world.network.clear(traceId);
  const transaction = await eventually(
    'the transaction',
    'CLEARED',
    () => world.partner.get(`/secure/transactions/${transactionId}`, { answer: transactionSchema }),
    ({ status, clearedAmount }) => status === 'CLEARED' && clearedAmount === PURCHASE,
  );
  const balance = await expectBalance(world, userId, balanceId, { posted: TOPPED_UP - PURCHASE, held: 0 });
  return {
    happened: 'purchase cleared',
    figures: {
      status: transaction.status,
      amount: major(balance.amount),
      held: major(balance.heldAmount),
    },
    facts: { refusal },
  };
}
