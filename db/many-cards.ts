import { nowOf, type Trx } from './atomically.ts';
import { addTransactionalLock } from './transactional-locks.ts';

/** The reason that a card itself can bring its holder. */
export const MANY_CARDS = 'MANY_CARDS_LOCK';

const DAYS = 30;
const DAY_MS = 86_400_000;

/**
 * Locks a customer who was given more cards in 30 days than the programme's `manyCardsThreshold` (onboarding 7).
 * Called after a card was requested, in the same commit: that card is still made, the next is not.
 */
export async function lockForManyCards(
  trx: Trx,
  request: {
    /** Null for a card that only a corporation has. */
    readonly customerId: number | null;
    readonly partnerId: number;
    readonly programmeId: number;
  },
): Promise<void> {
  const { customerId, partnerId, programmeId } = request;
  if (customerId === null) return;
  const { many_cards_threshold: threshold } = await trx
    .selectFrom('programmes')
    .select('many_cards_threshold')
    .where('programme_id', '=', programmeId)
    .executeTakeFirstOrThrow();
  if (threshold === null) return;
  const { cards } = await trx
    .selectFrom('cards')
    .select((select) => select.fn.countAll<number>().as('cards'))
    .where('customer_id', '=', customerId)
    .where('created_at', '>', new Date(nowOf(trx).getTime() - DAYS * DAY_MS))
    .where('base_state', '<>', 'FAILED')
    .executeTakeFirstOrThrow();
  if (cards > threshold) {
    await addTransactionalLock(trx, { customerId, partnerId }, { reason: MANY_CARDS, origin: 'SYSTEM' });
  }
}
