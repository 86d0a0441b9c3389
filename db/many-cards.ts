import { nowOf, type Trx } from './atomically.ts';
import { addTransactionalLock, type LockHolder } from './transactional-locks.ts';

/** The reason that a card itself can bring its holder. */
export const MANY_CARDS = 'MANY_CARDS_LOCK';

const DAYS = 30;
const DAY_MS = 86_400_000;

/**
 * Locks a customer or corporation that was given more cards in 30 days than the programme's `manyCardsThreshold`
 * (onboarding 7); a card that an employee holds counts for both. Called after a card was requested, in the same commit: that card is still made, the next is not.
 */
export async function lockForManyCards(
  trx: Trx,
  request: {
    /** Null for a card that only a corporation has. */
    readonly customerId: number | null;
    /** Null for a card on a person's own balance. */
    readonly corporationId: string | null;
    readonly partnerId: number;
    readonly programmeId: number;
  },
): Promise<void> {
  const { customerId, corporationId, partnerId, programmeId } = request;
  const { many_cards_threshold: threshold } = await trx
    .selectFrom('programmes')
    .select('many_cards_threshold')
    .where('programme_id', '=', programmeId)
    .executeTakeFirstOrThrow();
  if (threshold === null) return;
  const owners: LockHolder[] = [
    ...(customerId === null ? [] : [{ customerId, partnerId }]),
    ...(corporationId === null ? [] : [{ corporationId, partnerId }]),
  ];
  for (const owner of owners) {
    if ((await cardsOf(trx, owner)) <= threshold) continue;
    await addTransactionalLock(trx, owner, { reason: MANY_CARDS, origin: 'SYSTEM' });
  }
}

async function cardsOf(trx: Trx, owner: LockHolder): Promise<number> {
  const query = trx
    .selectFrom('cards')
    .select((select) => select.fn.countAll<number>().as('cards'))
    .where('created_at', '>', new Date(nowOf(trx).getTime() - DAYS * DAY_MS))
    .where('base_state', '<>', 'FAILED');
  const { cards } = await (
    'customerId' in owner
      ? query.where('customer_id', '=', owner.customerId)
      : query.where('corporation_id', '=', owner.corporationId)
  ).executeTakeFirstOrThrow();
  return cards;
}
