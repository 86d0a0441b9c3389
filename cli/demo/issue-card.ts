import { z } from 'zod';
import { expectThat } from './difference.ts';
import type { Seen } from './step.ts';
import type { World } from './world.ts';

const fullCardSchema = z.object({
  id: z.int(),
  state: z.literal('ACTIVE'),
  cardNo: z.string().regex(/^[0-9]{16}$/),
  cvv: z.string().regex(/^[0-9]{3}$/),
  exp: z.iso.date(),
});

/** Step 4: a virtual card; its number, expiry and CVC2 come encrypted to the key of this run. */
export async function issueCard(
  { partner, programme }: World,
  userId: number,
  balanceId: string,
): Promise<Seen<{ cardId: number; maskedPan: string }>> {
  const card = await partner.post(`/secure/customers/${userId}/cards/virtual`, {
    body: { balanceId, configId: programme.virtualConfigId, dcUserId: userId },
    encrypted: true,
    status: 201,
    answer: fullCardSchema,
  });
  const maskedPan = `${card.cardNo.slice(0, 6)}******${card.cardNo.slice(-4)}`;
  expectThat('the card number', card.cardNo.startsWith('555544'), '555544******NNNN', maskedPan);
  return {
    happened: 'virtual card issued, answer decrypted',
    figures: { card: card.id, number: maskedPan, expires: card.exp },
    facts: { cardId: card.id, maskedPan },
  };
}
