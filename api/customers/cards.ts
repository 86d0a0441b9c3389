import { customerLockCodes } from '../../db/cards.ts';
import { putCardLimits, readCardLimits } from '../../db/limits.ts';
import { limitDocument } from '../../db/limit-schema.ts';
import { invalid, Refusal } from '../../domain/errors.ts';
import { lockCardFor, unlockCardFor } from '../card-locks.ts';
import { type CardTarget, listCardsOf, presentCard, requireCard, sealFullCardAgain } from '../cards.ts';
import { type CustomerPrincipal, customerRoute, requireStepUp } from '../customer-principal.ts';
import { ISSUE_REFUSALS, issueVirtualCard } from '../issue-virtual-card.ts';
import { programmeIds } from '../reach.ts';
import { lockBody } from '../schemas/card-lock.ts';
import { cardSchema, fullCardSchema } from '../schemas/card.ts';
import { limitsSchema } from '../schemas/limit.ts';
import { configId, integerId, listOf, page, pathIntegerId, text, uuid, word, z } from '../schemas/shared.ts';

const ofCard = z.strictObject({ cardId: pathIntegerId() });

/** A card of the user who is signed in, and nobody else's. */
const own = (principal: CustomerPrincipal, { cardId }: z.output<typeof ofCard>): CardTarget => ({
  cardId,
  programmeIds: programmeIds(principal),
  customerId: principal.customerId,
});

const createVirtual = customerRoute({
  operation: 'createOwnVirtualCard',
  method: 'POST',
  path: '/me/cards/virtual',
  summary: 'Create a virtual card and get its number, expiry and CVC2',
  jwe: 'response',
  idempotency: 'accepted',
  body: z.strictObject({
    balanceId: uuid(),
    configId: configId(),
    dcUserId: integerId().nullish(),
    label: text(1, 64).nullish(),
    holderName: text(2, 26).nullish(),
  }),
  answers: { 201: { description: 'the card, encrypted', schema: fullCardSchema } },
  refusals: ISSUE_REFUSALS,
  handle: async (call) => {
    const { body } = call;
    const { customerId, partnerId, programme } = call.principal;
    if ((body.dcUserId ?? customerId) !== customerId) {
      throw invalid([{ field: 'dcUserId', message: 'must be you, or be left out' }]);
    }
    return await issueVirtualCard(call, {
      programmeId: programme.programmeId,
      partnerId,
      customerId,
      corporationId: null,
      balanceId: body.balanceId,
      configId: body.configId,
      label: body.label ?? null,
      holderName: body.holderName ?? null,
    });
  },
});

const list = customerRoute({
  operation: 'listOwnCards',
  method: 'GET',
  path: '/me/cards',
  summary: 'List your cards',
  jwe: 'open',
  idempotency: 'ignored',
  query: z.strictObject({
    ...page,
    balanceId: uuid().optional(),
    kind: word(['VIRTUAL', 'PHYSICAL', 'DIGITAL_FIRST']).optional(),
    configId: configId().optional(),
  }),
  answers: { 200: { description: 'cards, newest first', schema: listOf(cardSchema) } },
  refusals: ['BALANCE_NOT_FOUND', 'INVALID_CURSOR'],
  handle: async (call) => {
    const { limit, cursor, ...filters } = call.query;
    return await listCardsOf(
      call,
      { customerId: call.principal.customerId, ...filters },
      { limit, cursor },
      'holder',
    );
  },
});

const readSummary = customerRoute({
  operation: 'readOwnCardSummary',
  method: 'GET',
  path: '/me/cards/{cardId}/summary',
  summary: 'Read a card without its number',
  jwe: 'open',
  idempotency: 'ignored',
  params: ofCard,
  answers: { 200: { description: 'the card', schema: cardSchema } },
  refusals: ['CARD_NOT_FOUND'],
  handle: async (call) => ({
    status: 200,
    body: await call.atomically(async (trx) =>
      presentCard(
        trx,
        call.services.vault,
        await requireCard(trx, own(call.principal, call.params)),
        'holder',
      ),
    ),
  }),
});

const readFull = customerRoute({
  operation: 'readOwnFullCard',
  method: 'GET',
  path: '/me/cards/{cardId}',
  summary: 'Read a card with its number, expiry and CVC2; needs a step-up',
  jwe: 'response',
  idempotency: 'ignored',
  params: ofCard,
  answers: { 200: { description: 'the card, encrypted', schema: fullCardSchema } },
  refusals: [
    'CARD_NOT_FOUND',
    'STEP_UP_REQUIRED',
    'CARD_NOT_READY',
    'CARD_NOT_ACTIVE',
    'CARD_DATA_UNAVAILABLE',
  ],
  handle: async (call) => ({
    status: 200,
    sealed: await call.atomically(async (trx) => {
      const card = await requireCard(trx, own(call.principal, call.params));
      requireStepUp(trx, call.principal);
      return await sealFullCardAgain(trx, call.services.vault, card, call.recipient);
    }),
  }),
});

const lock = customerRoute({
  operation: 'lockOwnCard',
  method: 'POST',
  path: '/me/cards/{cardId}/lock',
  summary: 'Lock a card: it declines from the moment of the answer',
  jwe: 'open',
  idempotency: 'accepted',
  params: ofCard,
  body: lockBody,
  answers: { 204: { description: 'locked, or already so' } },
  refusals: ['CARD_NOT_FOUND', 'CARD_NOT_LOCKABLE', 'LOCK_CODE_NOT_ALLOWED'],
  handle: async (call) => {
    const target = own(call.principal, call.params);
    const allowed = await call.atomically(async (trx) =>
      customerLockCodes(trx, await requireCard(trx, target)),
    );
    if (!allowed.includes(call.body.code)) {
      throw new Refusal('LOCK_CODE_NOT_ALLOWED', 'Holders of this card may not lock it for that reason.');
    }
    return await lockCardFor(call, 'customer', target);
  },
});

const unlock = customerRoute({
  operation: 'unlockOwnCard',
  method: 'POST',
  path: '/me/cards/{cardId}/unlock',
  summary: 'Lift your own locks of a card',
  jwe: 'open',
  idempotency: 'accepted',
  params: ofCard,
  answers: { 204: { description: 'lifted' } },
  refusals: ['CARD_NOT_FOUND', 'CARD_NOT_LOCKED', 'LOCK_IRREVERSIBLE', 'LOCK_NOT_LIFTABLE'],
  handle: (call) => unlockCardFor(call, 'customer', own(call.principal, call.params)),
});

const ofLimits = {
  path: '/me/cards/{cardId}/limits',
  jwe: 'open',
  params: ofCard,
  answers: { 200: { description: 'the limits and their use', schema: limitsSchema } },
} as const;

const readLimits = customerRoute({
  ...ofLimits,
  operation: 'readOwnCardLimits',
  method: 'GET',
  summary: 'Read the limits, budget and controls of a card',
  idempotency: 'ignored',
  refusals: ['CARD_NOT_FOUND', 'STATE_CONFLICT'],
  handle: async (call) => ({
    status: 200,
    body: await call.atomically(async (trx) =>
      readCardLimits(trx, (await requireCard(trx, own(call.principal, call.params))).card_id),
    ),
  }),
});

const putLimits = customerRoute({
  ...ofLimits,
  operation: 'putOwnCardLimits',
  method: 'PUT',
  summary: 'Replace the limits, budget and controls of a card',
  idempotency: 'accepted',
  body: limitDocument,
  refusals: ['CARD_NOT_FOUND', 'STATE_CONFLICT', 'LIMIT_ABOVE_CEILING'],
  handle: (call) =>
    call.once(async (trx) => {
      const card = await requireCard(trx, own(call.principal, call.params));
      return { status: 200, body: await putCardLimits(trx, card.card_id, call.body) };
    }),
});

export const cards = [createVirtual, list, readSummary, readFull, lock, unlock, readLimits, putLimits];
