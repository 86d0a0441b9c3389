import { putCeiling, readCeiling } from '../../db/limit-ceilings.ts';
import { limitDocument } from '../../db/limit-schema.ts';
import { putCardLimits, putCustomerLimits, readCardLimits, readCustomerLimits } from '../../db/limits.ts';
import { readCustomer } from '../../db/customers.ts';
import { adminRoute, operatorProgrammeIds, programmeNamed } from '../operator-principal.ts';
import { configId, pathIntegerId, uuid, z } from '../schemas/shared.ts';
import { limitsSchema } from '../schemas/limit.ts';
import { requireOperatorCard } from './cards.ts';
import { productScope } from './card-products.ts';
import { waiting } from './waiting.ts';

const reading = { permission: 'rules.read', jwe: 'open', idempotency: 'ignored', method: 'GET' } as const;
const writing = { permission: 'limits.write', jwe: 'open', idempotency: 'accepted', method: 'PUT' } as const;

const ofCard = {
  path: '/cards/{cardId}/limits',
  params: z.strictObject({ cardId: pathIntegerId() }),
} as const;
const ofCustomer = {
  path: '/customers/{customerId}/limits',
  params: z.strictObject({ customerId: pathIntegerId() }),
} as const;
const shown = { 200: { description: 'the limits and their use', schema: limitsSchema } };

const readOfCard = adminRoute({
  ...reading,
  ...ofCard,
  operation: 'adminReadCardLimits',
  summary: 'Read the limits, budget and controls of a card',
  answers: shown,
  refusals: ['CARD_NOT_FOUND', 'STATE_CONFLICT'],
  handle: async (call) => ({
    status: 200,
    body: await call.atomically(async (trx) =>
      readCardLimits(trx, (await requireOperatorCard(trx, call.principal, call.params.cardId)).card_id),
    ),
  }),
});

const putOfCard = adminRoute({
  ...writing,
  ...ofCard,
  operation: 'adminPutCardLimits',
  summary: 'Replace the limits, budget and controls of a card',
  body: limitDocument,
  answers: shown,
  refusals: ['CARD_NOT_FOUND', 'STATE_CONFLICT', 'LIMIT_ABOVE_CEILING'],
  handle: (call) =>
    call.once(async (trx) => {
      const card = await requireOperatorCard(trx, call.principal, call.params.cardId);
      return { status: 200, body: await putCardLimits(trx, card.card_id, call.body) };
    }),
});

const readOfCustomer = adminRoute({
  ...reading,
  ...ofCustomer,
  operation: 'adminReadCustomerLimits',
  summary: 'Read the limits of a user over all cards',
  answers: shown,
  refusals: ['USER_NOT_FOUND'],
  handle: async (call) => ({
    status: 200,
    body: await call.atomically(async (trx) =>
      readCustomerLimits(
        trx,
        await readCustomer(trx, operatorProgrammeIds(call.principal), call.params.customerId),
      ),
    ),
  }),
});

const putOfCustomer = adminRoute({
  ...writing,
  ...ofCustomer,
  operation: 'adminPutCustomerLimits',
  summary: 'Replace the limits of a user over all cards',
  body: limitDocument,
  answers: shown,
  refusals: ['USER_NOT_FOUND', 'LIMIT_ABOVE_CEILING'],
  handle: (call) =>
    call.once(async (trx) => {
      const ids = operatorProgrammeIds(call.principal);
      const customer = await readCustomer(trx, ids, call.params.customerId);
      return { status: 200, body: await putCustomerLimits(trx, customer, call.body) };
    }),
});

/** Limits without their use: a programme or product has cells for single cards, nothing counts over all of them. */
const ceiling = { 200: { description: 'the limits', schema: limitDocument } };

const readOfProgramme = adminRoute({
  ...reading,
  operation: 'readProgrammeLimits',
  path: '/programmes/{programmeId}/limits',
  summary: 'Read what cards and users of a programme may at most',
  params: z.strictObject({ programmeId: uuid() }),
  answers: ceiling,
  refusals: ['PROGRAMME_NOT_FOUND'],
  handle: async (call) => {
    const { issuerCode } = programmeNamed(call.principal, call.params.programmeId);
    return {
      status: 200,
      body: await call.atomically((trx) => readCeiling(trx, { issuerCode, configId: null })),
    };
  },
});

const readOfProduct = adminRoute({
  ...reading,
  operation: 'readProductLimits',
  path: '/card-products/{configId}/limits',
  summary: 'Read what cards of a product may at most',
  params: z.strictObject({ configId: configId() }),
  query: z.strictObject({ programmeId: uuid().optional() }),
  answers: ceiling,
  refusals: ['CARD_PRODUCT_NOT_FOUND', 'PROGRAMME_NOT_FOUND', 'VALIDATION_ERROR'],
  handle: async (call) => ({
    status: 200,
    body: await call.atomically(async (trx) =>
      readCeiling(
        trx,
        await productScope(trx, call.principal, { ...call.params, programmeId: call.query.programmeId }),
      ),
    ),
  }),
});

const changing = { permission: 'rules.change', jwe: 'open', idempotency: 'accepted', method: 'PUT' } as const;
const changed = { ...ceiling, 202: waiting };

const putOfProgramme = adminRoute({
  ...changing,
  operation: 'putProgrammeLimits',
  path: '/programmes/{programmeId}/limits',
  summary: 'Replace what cards and users of a programme may at most; takes two',
  params: z.strictObject({ programmeId: uuid() }),
  body: limitDocument,
  fourEyes: {
    kind: 'RULE_CHANGE',
    summary: () => 'Replace the limits of a programme',
    subject: ({ params }) => ({ type: 'programme', id: params.programmeId }),
  },
  answers: changed,
  refusals: ['PROGRAMME_NOT_FOUND', 'APPROVAL_PENDING'],
  handle: (call) =>
    call.once(async (trx) => {
      const { issuerCode } = programmeNamed(call.principal, call.params.programmeId);
      await putCeiling(trx, { issuerCode, configId: null }, call.body);
      return { status: 200, body: await readCeiling(trx, { issuerCode, configId: null }) };
    }),
});

const putOfProduct = adminRoute({
  ...changing,
  operation: 'putProductLimits',
  path: '/card-products/{configId}/limits',
  summary: 'Replace what cards of a product may at most; takes two',
  params: z.strictObject({ configId: configId() }),
  query: z.strictObject({ programmeId: uuid().optional() }),
  body: limitDocument,
  fourEyes: {
    kind: 'RULE_CHANGE',
    summary: () => 'Replace the limits of a card product',
    subject: async ({ principal, params, query }, trx) => {
      const of = await productScope(trx, principal, { ...params, programmeId: query.programmeId });
      const programme = principal.programmes.find((one) => one.issuerCode === of.issuerCode);
      return { type: 'card_product', id: `${programme?.publicId}/${of.configId}` };
    },
  },
  answers: changed,
  refusals: ['CARD_PRODUCT_NOT_FOUND', 'LIMIT_ABOVE_CEILING', 'APPROVAL_PENDING'],
  handle: (call) =>
    call.once(async (trx) => {
      const asked = { ...call.params, programmeId: call.query.programmeId };
      const of = await productScope(trx, call.principal, asked);
      await putCeiling(trx, of, call.body);
      return { status: 200, body: await readCeiling(trx, of) };
    }),
});

export const limits = [
  readOfCard,
  putOfCard,
  readOfCustomer,
  putOfCustomer,
  readOfProgramme,
  putOfProgramme,
  readOfProduct,
  putOfProduct,
];
