import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import { expectBalance, major, readCreditBalance } from './balances.ts';
import { expectEqual } from './difference.ts';
import type { Seen } from './step.ts';
import type { World } from './world.ts';

const TOP_UP = 100_00;

/** Step 5: money for the person, out of the credit that the partner has paid in before. */
export async function topUp(
  world: World,
  userId: number,
  balanceId: string,
): Promise<Seen<{ topUpId: string }>> {
  const before = await readCreditBalance(world);
  const { id } = await world.partner.post(`/secure/customers/${userId}/balances/${balanceId}/reload`, {
    body: { amount: TOP_UP, currency: 'EUR', transactionId: randomUUID(), description: 'Demo top up' },
    status: 201,
    answer: z.object({ id: z.string() }),
  });
  const balance = await expectBalance(world, userId, balanceId, { posted: TOP_UP, held: 0 });
  const after = await readCreditBalance(world);
  expectEqual('fall of the credit partner balance', major(TOP_UP), major(before - after));
  return {
    happened: 'topped up',
    figures: {
      available: major(balance.availableAmount),
      'partner credit': `${major(before)} -> ${major(after)}`,
    },
    facts: { topUpId: id },
  };
}
