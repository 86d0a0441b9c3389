import type { Trx } from '../../db/atomically.ts';
import { type CardRow, findCard, listCards } from '../../db/cards.ts';
import { readCustomer } from '../../db/customers.ts';
import { Refusal } from '../../domain/errors.ts';
import { presentCard, presentCards } from '../cards.ts';
import { adminRoute, type OperatorPrincipal, operatorProgrammeIds } from '../operator-principal.ts';
import { cardSchema } from '../schemas/card.ts';
import { configId, listOf, page, pathIntegerId, uuid, word, z } from '../schemas/shared.ts';
import { operatorPage } from './lists.ts';

const reading = { permission: 'cards.read', jwe: 'open', idempotency: 'ignored', method: 'GET' } as const;

const list = adminRoute({
  ...reading,
  operation: 'adminListCards',
  path: '/cards',
  aliases: [{ path: '/customers/{customerId}/cards' }],
  summary: 'List cards, by their last four digits only',
  params: z.strictObject({ customerId: pathIntegerId().optional() }),
  query: z.strictObject({
    ...page,
    customerId: pathIntegerId().optional(),
    balanceId: uuid().optional(),
    kind: word(['VIRTUAL', 'PHYSICAL', 'DIGITAL_FIRST']).optional(),
    configId: configId().optional(),
    lastFour: z
      .string()
      .regex(/^[0-9]{4}$/, 'must be 4 digits')
      .optional(),
  }),
  answers: { 200: { description: 'cards, newest first', schema: listOf(cardSchema) } },
  refusals: ['USER_NOT_FOUND', 'INVALID_CURSOR'],
  handle: async (call) => {
    const { limit, cursor, ...filters } = call.query;
    const customerId = call.params.customerId ?? filters.customerId;
    const programmeIds = operatorProgrammeIds(call.principal);
    const body = await call.atomically(async (trx) => {
      if (customerId !== undefined) await readCustomer(trx, programmeIds, customerId);
      const found = await operatorPage(call, {
        operation: 'adminListCards',
        filters: { ...filters, customerId },
        page: { limit, cursor },
        read: (before, most) =>
          listCards(trx, {
            ...filters,
            programmeIds,
            customerId,
            before: before === undefined ? undefined : Number(before),
            limit: most,
          }),
        positionOf: (card) => card.card_id,
        toItem: (card) => card,
      });
      return await presentCards(trx, call.services.vault, found);
    });
    return { status: 200, body };
  },
});

const read = adminRoute({
  ...reading,
  operation: 'adminReadCard',
  path: '/cards/{cardId}',
  summary: 'Read a card without its number',
  params: z.strictObject({ cardId: pathIntegerId() }),
  answers: { 200: { description: 'the card', schema: cardSchema } },
  refusals: ['CARD_NOT_FOUND'],
  handle: async (call) => ({
    status: 200,
    body: await call.atomically(async (trx) =>
      presentCard(
        trx,
        call.services.vault,
        await requireOperatorCard(trx, call.principal, call.params.cardId),
      ),
    ),
  }),
});

/** A card in the operator's scope that was made or failed. Throws `CARD_NOT_FOUND`. */
export async function requireOperatorCard(
  trx: Trx,
  principal: OperatorPrincipal,
  cardId: number,
): Promise<CardRow> {
  const card = await findCard(trx, cardId, { programmeIds: operatorProgrammeIds(principal) });
  if (card === undefined || (!card.claimed && card.base_state !== 'FAILED')) {
    throw new Refusal('CARD_NOT_FOUND', 'There is no such card.');
  }
  return card;
}

export const cards = [list, read];
