import { z } from 'zod';
import { balanceSchema, major } from './balances.ts';
import { Difference, expectEqual } from './difference.ts';
import { eventually } from './patience.ts';
import type { Seen } from './step.ts';
import type { World } from './world.ts';

/** Step 3: the verified person has one balance without having asked for it. */
export async function awaitBalance(world: World, userId: number): Promise<Seen<{ balanceId: string }>> {
  const { items } = await eventually(
    'balances of the user',
    'one',
    () =>
      world.partner.get(`/secure/customers/${userId}/balances`, {
        answer: z.object({ items: z.array(balanceSchema) }),
      }),
    (list) => list.items.length > 0,
  );
  const [balance] = items;
  if (balance === undefined || items.length !== 1)
    throw new Difference('balances of the user', 1, items.length);
  const { currency, amount, automatic } = balance;
  expectEqual(
    'the balance',
    { currency: 'EUR', amount: 0, automatic: true },
    { currency, amount, automatic },
  );
  return {
    happened: 'balance opened by itself',
    figures: { balance: balance.id, EUR: major(amount) },
    facts: { balanceId: balance.id },
  };
}
