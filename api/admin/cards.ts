import type { Trx } from '../../db/atomically.ts';
import { type CardRow, findCard, listCards } from '../../db/cards.ts';
import { readCustomer } from '../../db/customers.ts';
import { Refusal } from '../../domain/errors.ts';
import { presentCard, presentCards } from '../cards.ts';
import { adminRoute, type OperatorPrincipal, operatorProgrammeIds } from '../operator-principal.ts';
import { cardSchema } from '../schemas/card.ts';
import { configId, listOf, pathIntegerId, uuid, word, z } from '../schemas/shared.ts';
import { LIST_REFUSALS, listAnswer, listQuery } from './lists.ts';

const reading = { permission: 'cards.read', jwe: 'open', idempotency: 'ignored', method: 'GET' } as const;

const list = adminRoute({
  ...reading,
  operation: 'adminListCards',
  path: '/cards',
  aliases: [{ path: '/customers/{customerId}/cards' }],
  summary: 'List cards, by their last four digits only',
  params: z.strictObject({ customerId: pathIntegerId().optional() }),
  query: z.strictObject({
    ...listQuery('createdAt'),
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
  refusals: ['USER_NOT_FOUND', ...LIST_REFUSALS],
  handle: async (call) => {
    const { limit, cursor, sort, format, ...filters } = call.query;
    const customerId = call.params.customerId ?? filters.customerId;
    const programmeIds = operatorProgrammeIds(call.principal);
    return await call.atomically(async (trx) => {
      if (customerId !== undefined) await readCustomer(trx, programmeIds, customerId);
      return await listAnswer<CardRow>(trx, call, {
        operation: 'adminListCards',
        filters: { ...filters, customerId },
        asked: { limit, cursor, sort, format },
        orders: { createdAt: 'id' },
        read: (order, most) => listCards(trx, { ...filters, programmeIds, customerId, order, limit: most }),
        idOf: (card) => card.card_id,
        present: async (rows) =>
          (await presentCards(trx, call.services.vault, { items: rows, nextCursor: null })).items,
        columns: [
          'id',
          'lastFourDigits',
          'kind',
          'state',
          'dcUserId',
          'dcCorporationId',
          'balanceId',
          'configId',
          'exp',
          'createdAt',
        ],
      });
    });
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
