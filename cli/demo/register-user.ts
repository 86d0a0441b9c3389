import { z } from 'zod';
import { expectEqual } from './difference.ts';
import type { Seen } from './step.ts';
import type { World } from './world.ts';

/** Step 1: the partner registers a person whom nobody has verified yet. */
export async function registerUser({ partner, person }: World): Promise<Seen<{ userId: number }>> {
  const { firstName, lastName, phone, email, birthDate } = person;
  const user = await partner.post('/lifecycle/v1/wallet', {
    body: { firstName, lastName, phone, email, birthDate, state: 'VERIFIED', kyc: 'NOT_STARTED' },
    status: 201,
    answer: z.object({ id: z.int(), kyc: z.string() }),
  });
  expectEqual('kyc of the user', 'NOT_STARTED', user.kyc);
  return {
    happened: 'user registered',
    figures: { user: user.id, kyc: user.kyc },
    facts: { userId: user.id },
  };
}
