import { z } from 'zod';
import { cardNotFound, invalid } from '../errors.ts';
import type { Cards, ProcessorCard } from '../store/cards.ts';

/** Members that name a card in a control call: the platform's id or ours, one of them. */
export const cardSelector = {
  cardId: z.union([z.string().min(1).max(64), z.number().int().positive()]).optional(),
  processorCardId: z.string().min(1).max(64).optional(),
};

interface Selector {
  readonly cardId?: string | number | undefined;
  readonly processorCardId?: string | undefined;
}

/** The card a control call means. Errors: 400 unless exactly one member is given, 404. */
export function selectCard(cards: Cards, selector: Selector): ProcessorCard {
  const { cardId, processorCardId } = selector;
  if ((cardId === undefined) === (processorCardId === undefined)) {
    throw invalid([{ field: 'cardId', message: 'give either cardId or processorCardId' }]);
  }
  const card = cardId === undefined ? cards.byId(processorCardId ?? '') : cards.byExternalId(String(cardId));
  if (card === null) throw cardNotFound();
  return card;
}
