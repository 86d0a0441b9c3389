import { major, readPartnerBalance } from './balances.ts';
import { eventually } from './patience.ts';
import type { Seen } from './step.ts';
import type { World } from './world.ts';

/** Step 8c: what the network pays for the clearing moved the company balance of the partner. */
export async function earnInterchange(
  world: World,
  { companyBefore, interchange }: { readonly companyBefore: number; readonly interchange: number },
): Promise<Seen<object>> {
  const after = await eventually(
    'the company partner balance',
    `${major(companyBefore + interchange)} or more, as other cards earn too`,
    () => readPartnerBalance(world, 'company'),
    (amount) => amount >= companyBefore + interchange,
  );
  return {
    happened: 'interchange earned',
    figures: { interchange: major(interchange), before: major(companyBefore), company: major(after) },
    facts: {},
  };
}
