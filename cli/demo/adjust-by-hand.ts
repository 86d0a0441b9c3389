import { z } from 'zod';
import { major } from './balances.ts';
import { expectEqual } from './difference.ts';
import type { OperatorClient } from './operator-client.ts';
import { COMPANY_HELD, COMPANY_POSTED, expectCompanyBalance } from './pay-as-company.ts';
import type { Seen } from './step.ts';
import type { World } from './world.ts';

const ADJUSTMENT = 1_00;

/** Step 19: one operator asks for money to be moved, another approves; it is posted once. */
export async function adjustByHand(
  world: World,
  balanceId: string,
  { first, second }: { readonly first: OperatorClient; readonly second: OperatorClient },
): Promise<Seen<{ approvalId: string }>> {
  const { approvalId } = await first.call('POST', '/adjustments', {
    body: {
      balanceId,
      category: 'CREDIT',
      amount: ADJUSTMENT,
      currency: 'EUR',
      reasonCode: 'GOODWILL',
      note: 'Demo',
    },
    status: 202,
    answer: z.object({ approvalId: z.string() }),
  });
  const untouched = { posted: COMPANY_POSTED, held: COMPANY_HELD };
  await expectCompanyBalance(world, balanceId, untouched);
  const approved = await second.call('POST', `/approvals/${approvalId}/approve`, {
    body: {},
    status: 200,
    answer: z.object({ state: z.string() }),
  });
  expectEqual('the approval', 'APPROVED', approved.state);
  const posted = COMPANY_POSTED + ADJUSTMENT;
  await expectCompanyBalance(world, balanceId, { posted, held: COMPANY_HELD });
  const again = await second.call('POST', `/approvals/${approvalId}/approve`, {
    body: {},
    status: 409,
    answer: z.object({ title: z.string() }),
  });
  await expectCompanyBalance(world, balanceId, { posted, held: COMPANY_HELD });
  return {
    happened: 'adjusted by two operators, once',
    figures: { amount: major(ADJUSTMENT), balance: major(posted), 'approved again': again.title },
    facts: { approvalId },
  };
}
