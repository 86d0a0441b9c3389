import { audit } from './audit-log.ts';
import type { Trx } from './atomically.ts';
import { deleteBalance } from './balance-states.ts';
import { lockCard } from './card-locks.ts';
import { type Leaver, openBalancesOf } from './removal-guards.ts';

/** Cards of a leaver that are not at their end yet, in the order of ids. Engine only. */
export async function cardsToRemove(
  trx: Trx,
  leaver: Leaver,
): Promise<{ readonly cardId: number; readonly pending: boolean }[]> {
  const query = trx
    .selectFrom('cards')
    .select(['card_id', 'base_state'])
    .where('base_state', 'not in', ['REMOVED', 'FAILED'])
    .orderBy('card_id');
  const rows = await (
    'customerId' in leaver
      ? query.where('customer_id', '=', leaver.customerId)
      : query.where('corporation_id', '=', leaver.corporationId)
  ).execute();
  return rows.map((row) => ({ cardId: row.card_id, pending: row.base_state === 'PENDING' }));
}

/** Lock of a card that is used no more (cards 4.5); nobody lifts it. */
const CARD_INACTIVE = 5;

/**
 * Removes a card for good (cards 4.8): the processor is told by a final lock, the partner by the news of it. One
 * that is removed already stays as it is. Throws `CARD_NOT_LOCKABLE` for one that is still being made. Engine only.
 */
export async function removeCard(trx: Trx, cardId: number): Promise<void> {
  const card = await trx
    .selectFrom('cards')
    .select(['base_state', 'partner_id', 'programme_id'])
    .where('card_id', '=', cardId)
    .forNoKeyUpdate()
    .executeTakeFirstOrThrow();
  const { base_state: state, partner_id: partnerId, programme_id: programmeId } = card;
  if (state === 'REMOVED' || state === 'FAILED') return;
  await lockCard(trx, { cardId, programmeIds: [programmeId] }, CARD_INACTIVE, 'system');
  const removed = { base_state: 'REMOVED' } as const;
  await trx.updateTable('cards').set(removed).where('card_id', '=', cardId).execute();
  await trx.updateTable('card_states').set(removed).where('card_id', '=', cardId).execute();
  await audit(trx, {
    action: 'card.removed',
    objectType: 'card',
    objectId: cardId,
    before: { state },
    after: { state: 'REMOVED' },
    partnerId,
  });
}

/** Closes the balances of a leaver whose cards are removed, or none of them. Throws as `deleteBalance`. */
export async function closeBalances(trx: Trx, leaver: Leaver): Promise<number> {
  const query = openBalancesOf(trx, leaver).select('balance_id').orderBy('balance_id');
  const rows = await query.execute();
  for (const { balance_id: balanceId } of rows) await deleteBalance(trx, { balanceId });
  return rows.length;
}
