import { readCustomer } from '../../db/customers.ts';
import { limitDocument } from '../../db/limit-schema.ts';
import { putCardLimits, putCustomerLimits, readCardLimits, readCustomerLimits } from '../../db/limits.ts';
import { requireCard, targetOf } from '../cards.ts';
import { partnerRoute, programmeIds } from '../partner-principal.ts';
import { limitsSchema } from '../schemas/limit.ts';
import { pathIntegerId, z } from '../schemas/shared.ts';

const shared = { role: { scopes: ['partner'] }, owner: 'programme', jwe: 'open' } as const;

const ofCard = {
  ...shared,
  path: '/customers/{customerId}/cards/{cardId}/limits',
  aliases: [{ path: '/cards/{cardId}/limits' }],
  params: z.strictObject({ customerId: pathIntegerId().optional(), cardId: pathIntegerId() }),
} as const;

const ofCustomer = {
  ...shared,
  path: '/customers/{customerId}/limits',
  params: z.strictObject({ customerId: pathIntegerId() }),
} as const;

const shown = { 200: { description: 'the limits and their use', schema: limitsSchema } };

const readOfCard = partnerRoute({
  ...ofCard,
  operation: 'readCardLimits',
  method: 'GET',
  summary: 'Read the limits, budget and controls of a card',
  idempotency: 'ignored',
  answers: shown,
  refusals: ['CARD_NOT_FOUND', 'STATE_CONFLICT'],
  handle: async (call) => ({
    status: 200,
    body: await call.atomically(async (trx) =>
      readCardLimits(trx, (await requireCard(trx, targetOf(call))).card_id),
    ),
  }),
});

const putOfCard = partnerRoute({
  ...ofCard,
  operation: 'putCardLimits',
  method: 'PUT',
  summary: 'Replace the limits, budget and controls of a card',
  idempotency: 'accepted',
  body: limitDocument,
  answers: shown,
  refusals: ['CARD_NOT_FOUND', 'STATE_CONFLICT', 'LIMIT_ABOVE_CEILING'],
  handle: (call) =>
    call.once(async (trx) => {
      const card = await requireCard(trx, targetOf(call));
      return { status: 200, body: await putCardLimits(trx, card.card_id, call.body) };
    }),
});

const readOfCustomer = partnerRoute({
  ...ofCustomer,
  operation: 'readCustomerLimits',
  method: 'GET',
  summary: 'Read the limits of a user over all cards',
  idempotency: 'ignored',
  answers: shown,
  refusals: ['USER_NOT_FOUND'],
  handle: async (call) => ({
    status: 200,
    body: await call.atomically(async (trx) =>
      readCustomerLimits(trx, await readCustomer(trx, programmeIds(call.principal), call.params.customerId)),
    ),
  }),
});

const putOfCustomer = partnerRoute({
  ...ofCustomer,
  operation: 'putCustomerLimits',
  method: 'PUT',
  summary: 'Replace the limits of a user over all cards',
  idempotency: 'accepted',
  body: limitDocument,
  answers: shown,
  refusals: ['USER_NOT_FOUND', 'LIMIT_ABOVE_CEILING'],
  handle: (call) =>
    call.once(async (trx) => {
      const customer = await readCustomer(trx, programmeIds(call.principal), call.params.customerId);
      return { status: 200, body: await putCustomerLimits(trx, customer, call.body) };
    }),
});

export const limits = [readOfCard, putOfCard, readOfCustomer, putOfCustomer];
