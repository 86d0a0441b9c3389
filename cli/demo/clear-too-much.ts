import { expectBalance, major, readPartnerBalance } from './balances.ts';
import { expectEqual } from './difference.ts';
import { HELD, LEFT } from './reverse-in-part.ts';
import type { Seen } from './step.ts';
import type { World } from './world.ts';

const BILL = HELD + 5_00;
const INTERCHANGE = 7;

/** Step 8b: the merchant presents more than is held: it is booked in full, and somebody will look at it. */
export async function clearTooMuch(
  world: World,
  userId: number,
  balanceId: string,
  traceId: string,
): Promise<Seen<{ companyBefore: number; interchange: number }>> {
  const companyBefore = await readPartnerBalance(world, 'company');
  const exception = await world.network.clear(traceId, { amount: BILL, interchangeAmount: INTERCHANGE });
  expectEqual('what people are to look at', 'OVER_CLEARING', exception);
  const { amount } = await expectBalance(world, userId, balanceId, { posted: LEFT - BILL, held: 0 });
  return {
    happened: 'cleared above its hold',
    figures: {
      held: major(HELD),
      cleared: major(BILL),
      amount: major(amount),
      exception: exception ?? 'none',
    },
    facts: { companyBefore, interchange: INTERCHANGE },
  };
}
