import { removeCard } from '../../db/card-removals.ts';
import { listCards } from '../../db/cards.ts';
import { readCustomer } from '../../db/customers.ts';
import { presentCard, presentCards, requireCard, targetOf } from '../cards.ts';
import { readPage } from '../pagination.ts';
import { partnerRoute, programmeIds } from '../partner-principal.ts';
import { cardSchema } from '../schemas/card.ts';
import { listOf, page, pathIntegerId, z } from '../schemas/shared.ts';

const shared = { role: { scopes: ['partner'] }, owner: 'programme', jwe: 'open' } as const;

const cardParams = z.strictObject({ userId: pathIntegerId().optional(), cardId: pathIntegerId() }).transform(
  // The card calls know the path user as customerId, whatever a channel calls it.
  ({ userId, cardId }) => ({ cardId, customerId: userId }),
);

const readCard = partnerRoute({
  ...shared,
  operation: 'lifecycleReadCard',
  method: 'GET',
  path: '/cards/{cardId}',
  aliases: [{ path: '/users/{userId}/cards/{cardId}' }],
  summary: 'Read a card without its number',
  idempotency: 'ignored',
  params: cardParams,
  answers: { 200: { description: 'the card', schema: cardSchema } },
  refusals: ['CARD_NOT_FOUND'],
  handle: async (call) => ({
    status: 200,
    body: await call.atomically(async (trx) =>
      presentCard(trx, call.services.vault, await requireCard(trx, targetOf(call))),
    ),
  }),
});

const listUserCards = partnerRoute({
  ...shared,
  operation: 'lifecycleListCards',
  method: 'GET',
  path: '/users/{userId}/cards',
  summary: 'List the cards of a user',
  idempotency: 'ignored',
  params: z.strictObject({ userId: pathIntegerId() }),
  query: z.strictObject(page),
  answers: { 200: { description: 'cards, newest first', schema: listOf(cardSchema) } },
  refusals: ['USER_NOT_FOUND', 'INVALID_CURSOR'],
  handle: async (call) => {
    const { userId } = call.params;
    const ids = programmeIds(call.principal);
    const body = await call.atomically(async (trx) => {
      await readCustomer(trx, ids, userId);
      const found = await readPage(
        call.services.vault,
        { principal: call.principal.partnerPublicId, operation: 'lifecycleListCards', filters: { userId } },
        call.query,
        call.services.nowMs(),
        (before, limit) =>
          listCards(trx, {
            programmeIds: ids,
            customerId: userId,
            before: before === undefined ? undefined : Number(before),
            limit,
          }),
        (card) => card.card_id,
        (card) => card,
      );
      return await presentCards(trx, call.services.vault, found);
    });
    return { status: 200, body };
  },
});

const remove = partnerRoute({
  ...shared,
  operation: 'lifecycleRemoveCard',
  method: 'DELETE',
  path: '/cards/{cardId}',
  aliases: [{ path: '/users/{userId}/cards/{cardId}' }],
  summary: 'Remove a card for good',
  idempotency: 'accepted',
  params: cardParams,
  answers: { 204: { description: 'removed' } },
  refusals: ['CARD_NOT_FOUND'],
  handle: (call) =>
    call.once(async (trx) => {
      await removeCard(trx, targetOf(call), 'partner');
      return { status: 204 };
    }),
});

export const cards = [readCard, listUserCards, remove];
