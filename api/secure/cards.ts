import { readCorporation } from '../../db/corporations.ts';
import { readCustomer } from '../../db/customers.ts';
import { invalid } from '../../domain/errors.ts';
import { listCardsOf, presentCard, requireCard, sealFullCardAgain, targetOf } from '../cards.ts';
import { ISSUE_REFUSALS, issueVirtualCard } from '../issue-virtual-card.ts';
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
    dcUserId: integerId().nullish(),
    dcCorporationId: uuid().nullish(),
    label: text(1, 64).nullish(),
    holderName: text(2, 26).nullish(),
  }),
  answers: { 201: { description: 'the card, encrypted', schema: fullCardSchema } },
  refusals: [
    'USER_NOT_FOUND',
    'CORPORATION_NOT_FOUND',
    'CORPORATION_NOT_ACTIVE',
    'KYB_REQUIRED',
    'USER_NOT_IN_CORPORATION',
    ...ISSUE_REFUSALS,
  ],
  handle: async (call) => {
    const { body } = call;
    const corporationId = body.dcCorporationId ?? null;
    const customerId = call.params.customerId ?? body.dcUserId ?? null;
    if (customerId === null && corporationId === null) {
      throw invalid([{ field: 'dcUserId', message: 'is required' }]);
    }
    if ((body.dcUserId ?? customerId) !== customerId) {
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
      sealFullCardAgain(trx, call.services.vault, await requireCard(trx, targetOf(call)), call.recipient),
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
      presentCard(trx, call.services.vault, await requireCard(trx, targetOf(call))),
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
    const { limit, cursor, dcUserId, dcCorporationId: corporationId, ...filters } = call.query;
    const customerId = call.params.customerId ?? dcUserId;
    if (customerId === undefined && corporationId === undefined && filters.balanceId === undefined) {
      throw invalid([
        { field: 'dcUserId', message: 'is required unless dcCorporationId or balanceId is sent' },
      ]);
    }
    return await listCardsOf(call, { customerId, corporationId, ...filters }, { limit, cursor });
  },
});

export const cards = [createVirtualCard, listCustomerCards, readCardSummary, readFullCard];
