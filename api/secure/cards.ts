import { listCards } from '../../db/cards.ts';
import { findBalance } from '../../db/balances.ts';
import { readCorporation } from '../../db/corporations.ts';
import { readCustomer } from '../../db/customers.ts';
import { invalid, Refusal } from '../../domain/errors.ts';
import { presentCard, presentCards, requireCard, sealFullCard } from '../cards.ts';
import { issueVirtualCard } from '../issue-virtual-card.ts';
import { readPage } from '../pagination.ts';
import { partnerRoute, programmeIds } from '../partner-principal.ts';
import { cardSchema, fullCardSchema } from '../schemas/card.ts';
import { configId, integerId, listOf, page, pathIntegerId, text, uuid, word, z } from '../schemas/shared.ts';

const cardParams = z.strictObject({ customerId: pathIntegerId().optional(), cardId: pathIntegerId() });

const shared = {
  role: { scopes: ['partner'] },
  owner: 'programme',
} as const;

const alsoWithoutUser = (path: string) => [{ path: path.replace('/customers/{customerId}', '') }];

const createVirtualCard = partnerRoute({
  ...shared,
  operation: 'createVirtualCard',
  method: 'POST',
  path: '/customers/{customerId}/cards/virtual',
  aliases: [{ path: '/cards/virtual' }],
  summary: 'Create a virtual card and get its number, expiry and CVC2',
  jwe: 'response',
  idempotency: 'accepted',
  params: z.strictObject({ customerId: pathIntegerId().optional() }),
  body: z.strictObject({
    balanceId: uuid(),
    configId: configId(),
    dcUserId: integerId().optional(),
    dcCorporationId: uuid().optional(),
    label: text(1, 64).nullish(),
    holderName: text(2, 26).nullish(),
  }),
  answers: { 201: { description: 'the card, encrypted', schema: fullCardSchema } },
  refusals: [
    'CARD_PRODUCT_NOT_FOUND',
    'CARD_PRODUCT_MISMATCH',
    'USER_NOT_FOUND',
    'USER_NOT_ACTIVE',
    'KYC_REQUIRED',
    'CORPORATION_NOT_FOUND',
    'CORPORATION_NOT_ACTIVE',
    'KYB_REQUIRED',
    'USER_NOT_IN_CORPORATION',
    'BALANCE_NOT_FOUND',
    'BALANCE_NOT_ACTIVE',
    'CURRENCY_MISMATCH',
    'TRANSACTIONAL_LOCK',
    'CARD_LIMIT_REACHED',
    'PROCESSOR_REFUSED',
    'PROCESSOR_UNAVAILABLE',
  ],
  handle: async (call) => {
    const { body } = call;
    const corporationId = body.dcCorporationId ?? null;
    const customerId = call.params.customerId ?? body.dcUserId ?? null;
    if (customerId === null && corporationId === null) {
      throw invalid([{ field: 'dcUserId', message: 'is required' }]);
    }
    if (body.dcUserId !== undefined && body.dcUserId !== customerId) {
      throw invalid([{ field: 'dcUserId', message: 'must be the user of the path' }]);
    }
    const ids = programmeIds(call.principal);
    const { programmeId } = await call.atomically(async (trx) =>
      corporationId === null
        ? readCustomer(trx, ids, customerId ?? 0)
        : readCorporation(trx, ids, corporationId),
    );
    return await issueVirtualCard(call, {
      programmeId,
      partnerId: call.principal.partnerId,
      customerId,
      corporationId,
      balanceId: body.balanceId,
      configId: body.configId,
      label: body.label ?? null,
      holderName: body.holderName ?? null,
    });
  },
});

const readFullCard = partnerRoute({
  ...shared,
  operation: 'readFullCard',
  method: 'GET',
  path: '/customers/{customerId}/cards/{cardId}',
  aliases: alsoWithoutUser('/customers/{customerId}/cards/{cardId}'),
  summary: 'Read a card with its number, expiry and CVC2',
  jwe: 'response',
  idempotency: 'ignored',
  params: cardParams,
  answers: { 200: { description: 'the card, encrypted', schema: fullCardSchema } },
  refusals: ['CARD_NOT_FOUND', 'CARD_NOT_READY', 'CARD_NOT_ACTIVE', 'CARD_DATA_UNAVAILABLE'],
  handle: async (call) => ({
    status: 200,
    sealed: await call.atomically(async (trx) =>
      sealFullCard(trx, call.services.vault, await requireCard(trx, call), call.recipient),
    ),
  }),
});

const readCardSummary = partnerRoute({
  ...shared,
  operation: 'readCardSummary',
  method: 'GET',
  path: '/customers/{customerId}/cards/{cardId}/summary',
  aliases: alsoWithoutUser('/customers/{customerId}/cards/{cardId}/summary'),
  summary: 'Read a card without its number',
  jwe: 'open',
  idempotency: 'ignored',
  params: cardParams,
  answers: { 200: { description: 'the card', schema: cardSchema } },
  refusals: ['CARD_NOT_FOUND'],
  handle: async (call) => ({
    status: 200,
    body: await call.atomically(async (trx) =>
      presentCard(trx, call.services.vault, await requireCard(trx, call)),
    ),
  }),
});

const listCustomerCards = partnerRoute({
  ...shared,
  operation: 'listCards',
  method: 'GET',
  path: '/customers/{customerId}/cards',
  aliases: [{ path: '/cards' }],
  summary: 'List cards of a user or of a balance',
  jwe: 'open',
  idempotency: 'ignored',
  params: z.strictObject({ customerId: pathIntegerId().optional() }),
  query: z.strictObject({
    ...page,
    dcUserId: pathIntegerId().optional(),
    dcCorporationId: uuid().optional(),
    balanceId: uuid().optional(),
    kind: word(['VIRTUAL', 'PHYSICAL', 'DIGITAL_FIRST']).optional(),
    configId: configId().optional(),
  }),
  answers: { 200: { description: 'cards, newest first', schema: listOf(cardSchema) } },
  refusals: ['USER_NOT_FOUND', 'CORPORATION_NOT_FOUND', 'BALANCE_NOT_FOUND', 'INVALID_CURSOR'],
  handle: async (call) => {
    const { limit, cursor, ...filters } = call.query;
    const customerId = call.params.customerId ?? filters.dcUserId;
    const ids = programmeIds(call.principal);
    const { dcCorporationId: corporationId, balanceId } = filters;
    if (customerId === undefined && corporationId === undefined && balanceId === undefined) {
      throw invalid([
        { field: 'dcUserId', message: 'is required unless dcCorporationId or balanceId is sent' },
      ]);
    }
    const body = await call.atomically(async (trx) => {
      if (customerId !== undefined) await readCustomer(trx, ids, customerId);
      if (corporationId !== undefined) await readCorporation(trx, ids, corporationId);
      if (balanceId !== undefined && !(await findBalance(trx, balanceId, { programmeIds: ids }))) {
        throw new Refusal('BALANCE_NOT_FOUND', 'There is no such balance.');
      }
      const found = await readPage(
        call.services.vault,
        {
          principal: call.principal.partnerPublicId,
          operation: 'listCards',
          filters: { customerId, ...filters },
        },
        { limit, cursor },
        call.services.nowMs(),
        (before, most) =>
          listCards(trx, {
            programmeIds: ids,
            customerId,
            corporationId,
            balanceId,
            kind: filters.kind,
            configId: filters.configId,
            before: before === undefined ? undefined : Number(before),
            limit: most,
          }),
        (card) => card.card_id,
        (card) => card,
      );
      return await presentCards(trx, call.services.vault, found);
    });
    return { status: 200, body };
  },
});

export const cards = [createVirtualCard, listCustomerCards, readCardSummary, readFullCard];
