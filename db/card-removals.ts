import type { LockParty } from '../domain/card-lock.ts';
import { Refusal } from '../domain/errors.ts';
import { audit } from './audit-log.ts';
import { nowOf, type Trx } from './atomically.ts';
import { holdCard, lockCard, type LockTarget } from './card-locks.ts';
import { queueCustomerMail } from './messages.ts';

/** Lock of a card that is used no more (cards 4.5); nobody lifts it. */
const CARD_INACTIVE = 5;

/**
 * Removes a card for good, whatever locks it has (cards 4.8). The processor, which knows no removal, is told a final
 * lock, the partner too; the holder gets a mail. A card that was never made has nothing to lock. Throws
 * `CARD_NOT_FOUND`, also for one that is removed already or that nobody has been shown yet.
 */
export async function removeCard(trx: Trx, target: LockTarget, removedBy: LockParty): Promise<void> {
  const card = await holdCard(trx, target);
  const { card_id: cardId, customer_id: customerId, base_state: state } = card;
  if (state === 'REMOVED' || state === 'PENDING') {
    throw new Refusal('CARD_NOT_FOUND', 'There is no such card.');
  }
  if (state !== 'FAILED') await lockCard(trx, target, CARD_INACTIVE, removedBy);
  await trx
    .updateTable('cards')
    .set({ base_state: 'REMOVED', removed_at: nowOf(trx) })
    .where('card_id', '=', cardId)
    .execute();
  await trx.updateTable('card_states').set({ base_state: 'REMOVED' }).where('card_id', '=', cardId).execute();
  await audit(trx, {
    action: 'card.removed',
    objectType: 'card',
    objectId: cardId,
    before: { state },
    after: { state: 'REMOVED', removedBy },
    partnerId: card.partner_id,
  });
  if (customerId === null || state === 'FAILED') return;
  await queueCustomerMail(
    trx,
    { partnerId: card.partner_id, programmeId: card.programme_id },
    { template: 'cardRemoved', facts: { lastFourDigits: card.last_four_digits ?? '' }, customerId },
  );
}
