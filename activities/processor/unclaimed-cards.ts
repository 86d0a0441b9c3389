import type { Kysely } from 'kysely';
import { atomically } from '../../db/atomically.ts';
import { failCard, listUnclaimedCards } from '../../db/cards.ts';
import type { Database } from '../../db/database.ts';
import type { Caller } from '../../domain/actor.ts';
import type { ProcessorClient } from './client.ts';

const CARD_INACTIVE = 5;
const ANSWER_MS = 5_000;

const caller: Caller = {
  partnerId: null,
  actor: { type: 'SYSTEM', id: 'unclaimed-cards' },
  requestId: 'unclaimed-cards',
  ip: null,
};

/**
 * Ends virtual cards whose caller never came back for 15 minutes (cards 4.1): a card that the processor made
 * is locked there for good and never shown. A silent processor leaves the card for the next run. Returns how
 * many ended.
 */
export async function endUnclaimedCards(
  engine: Kysely<Database>,
  processor: ProcessorClient,
): Promise<number> {
  const cards = await atomically(engine, caller, listUnclaimedCards);
  let ended = 0;
  for (const { cardId, reference } of cards) {
    const found = await processor.findCards(reference, { deadlineMs: ANSWER_MS });
    if (found.outcome === 'UNKNOWN') return ended;
    const locked = await Promise.all(
      found.cards.map(({ processorCardId }) =>
        processor.lock(
          processorCardId,
          { code: CARD_INACTIVE, at: new Date() },
          { idempotencyKey: `unclaimed-card:${cardId}`, deadlineMs: ANSWER_MS },
        ),
      ),
    );
    if (locked.some(({ outcome }) => outcome === 'UNKNOWN')) return ended;
    await atomically(engine, caller, (trx) => failCard(trx, cardId, 'NOT_CLAIMED'));
    ended += 1;
  }
  return ended;
}
