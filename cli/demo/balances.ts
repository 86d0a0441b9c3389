import { z } from 'zod';
import { Difference } from './difference.ts';
import { eventually } from './patience.ts';
import type { World } from './world.ts';

export const balanceSchema = z.object({
  id: z.string(),
  currency: z.string(),
  amount: z.int(),
  heldAmount: z.int(),
  availableAmount: z.int(),
  automatic: z.boolean(),
  state: z.string(),
});

/** A balance of the person, in minor units. */
export type Balance = z.output<typeof balanceSchema>;

/** Reads a balance of the person. */
export const readBalance = (
  { partner }: Pick<World, 'partner'>,
  userId: number,
  balanceId: string,
): Promise<Balance> =>
  partner.get(`/secure/customers/${userId}/balances/${balanceId}`, { answer: balanceSchema });

/** Waits until exactly so much is posted and held; at once, unless a lost authorization is still taken back. */
export async function expectBalance(
  world: World,
  userId: number,
  balanceId: string,
  expected: { readonly posted: number; readonly held: number },
): Promise<Balance> {
  const { posted, held } = expected;
  return await eventually(
    'the balance',
    `posted ${major(posted)}, held ${major(held)}`,
    () => readBalance(world, userId, balanceId),
    (one) => one.amount === posted && one.heldAmount === held && one.availableAmount === posted - held,
  );
}

const partnerBalancesSchema = z.object({
  items: z.array(z.object({ id: z.string(), amount: z.int() })),
});

/** Minor units on a partner balance of the programme; a company balance that was never posted to is not there. */
export async function readPartnerBalance(
  { partner, programme }: World,
  kind: 'credit' | 'company',
): Promise<number> {
  const query = `programmeId=${programme.id}&kind=${kind}&currency=EUR`;
  const { items } = await partner.get(`/secure/partner-balances?${query}`, { answer: partnerBalancesSchema });
  const [only] = items;
  if (only === undefined && kind === 'company') return 0;
  if (only === undefined || items.length !== 1) {
    throw new Difference(`${kind} partner balances`, 1, items.length);
  }
  return only.amount;
}

/** Minor units on the programme's credit partner balance. */
export const readCreditBalance = (world: World): Promise<number> => readPartnerBalance(world, 'credit');

/** Minor units as people write euro. */
export const major = (minorUnits: number): string => (minorUnits / 100).toFixed(2);
