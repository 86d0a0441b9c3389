import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import { balanceSchema, major } from './balances.ts';
import { expectEqual } from './difference.ts';
import { newPerson } from './person.ts';
import { eventually } from './patience.ts';
import type { Seen } from './step.ts';
import type { World } from './world.ts';

const TOP_UP = 50_00;
const PURCHASE = 20_00;

const corporationSchema = z.object({
  dcCorporationId: z.string(),
  kyb: z.string(),
  addresses: z.array(z.object({ type: z.string() })),
});

/** Step 18: the company gets a balance with money on it, and an employee pays with its card. */
export async function payAsCompany(
  world: World,
  applicationId: string,
): Promise<Seen<{ corporationId: string; companyBalanceId: string }>> {
  const { partner, network, programme } = world;
  const corporation = await partner.post('/lifecycle/v1/corporations', {
    body: { kybApplicationId: applicationId },
    status: 201,
    answer: corporationSchema,
  });
  const corporationId = corporation.dcCorporationId;
  expectEqual('kyb of the corporation', 'SUCCESS', corporation.kyb);
  expectEqual(
    'its addresses',
    ['REGISTERED'],
    corporation.addresses.map((one) => one.type),
  );
  const { id: balanceId } = await partner.post('/secure/balances', {
    body: { dcCorporationId: corporationId, currency: 'EUR' },
    status: 201,
    answer: balanceSchema,
  });
  await partner.post(`/secure/balances/${balanceId}/reload`, {
    body: { amount: TOP_UP, currency: 'EUR', transactionId: randomUUID(), description: 'Demo top up' },
    status: 201,
    answer: z.object({ id: z.string() }),
  });
  const { firstName, lastName, phone, email, birthDate } = newPerson();
  const employee = await partner.post(`/lifecycle/v1/corporations/${corporationId}/employees`, {
    body: {
      user: { firstName, lastName, phone, email, birthDate, state: 'VERIFIED', kyc: 'SUCCESS' },
      role: 'EMPLOYEE',
      position: 'Driver',
    },
    status: 201,
    answer: z.object({ userId: z.int(), state: z.string() }),
  });
  const card = await partner.post('/secure/cards/virtual', {
    body: {
      dcCorporationId: corporationId,
      dcUserId: employee.userId,
      balanceId,
      configId: programme.virtualConfigId,
    },
    encrypted: true,
    status: 201,
    answer: z.object({ id: z.int(), state: z.literal('ACTIVE') }),
  });
  const purchase = await network.purchase(card.id, PURCHASE);
  expectEqual('the answer', 'APPROVED', purchase.result);
  await expectCompanyBalance(world, balanceId, { posted: TOP_UP, held: PURCHASE });
  return {
    happened: 'employee paid with the company card',
    figures: {
      employee: employee.userId,
      card: card.id,
      amount: major(PURCHASE),
      available: major(TOP_UP - PURCHASE),
    },
    facts: { corporationId, companyBalanceId: balanceId },
  };
}

/** What is left for step 19 to change. */
export const COMPANY_POSTED = TOP_UP;
export const COMPANY_HELD = PURCHASE;

/** Waits until exactly so much is posted and held on a balance of the company. */
export const expectCompanyBalance = (
  { partner }: World,
  balanceId: string,
  { posted, held }: { readonly posted: number; readonly held: number },
) =>
  eventually(
    'the balance of the company',
    `posted ${major(posted)}, held ${major(held)}`,
    () => partner.get(`/secure/balances/${balanceId}`, { answer: balanceSchema }),
    (one) => one.amount === posted && one.heldAmount === held,
  );
