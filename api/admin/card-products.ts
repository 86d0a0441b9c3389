import type { Trx } from '../../db/atomically.ts';
import { changeCardProduct, createCardProduct, productSettings } from '../../db/card-product-changes.ts';
import { listCardProducts, type ProductOfProgramme } from '../../db/card-products.ts';
import type { CardProduct } from '../../db/cards.ts';
import type { CeilingOf } from '../../db/limit-ceilings.ts';
import { LOCK_CODES } from '../../domain/card-lock.ts';
import { invalid, Refusal } from '../../domain/errors.ts';
import { adminRoute, type OperatorPrincipal } from '../operator-principal.ts';
import {
  configId,
  currencyCode,
  knownCurrency,
  listOf,
  page,
  text,
  uuid,
  wholeFrom,
  word,
  yesOrNo,
  z,
} from '../schemas/shared.ts';
import { operatorPage } from './lists.ts';
import { waiting } from './waiting.ts';

const reading = { permission: 'partners.read', jwe: 'open', idempotency: 'ignored', method: 'GET' } as const;

const writing = { permission: 'partners.write', jwe: 'open', idempotency: 'accepted' } as const;

const digits = (length: number) =>
  z
    .string({ error: 'must be a text of digits' })
    .regex(new RegExp(`^[0-9]{${length}}$`), `must be ${length} digits`);

/** What a product needs; the rest has defaults. */
const needed = {
  name: text(1, 64),
  kind: word(['VIRTUAL', 'PHYSICAL']),
  currency: knownCurrency(),
  binPrefix: z.string({ error: 'must be a text of digits' }).regex(/^[0-9]{6,8}$/, 'must be 6 to 8 digits'),
  rangeLow: digits(16),
  rangeHigh: digits(16),
  network: word(['MASTERCARD', 'VISA']),
  category: word(['credit', 'debit', 'prepaid']),
  processorProductId: text(1, 64),
};

const chosen = {
  digitalFirst: yesOrNo(),
  printConfigId: configId().nullable(),
  holder: word(['user', 'corporation', 'both']),
  expiryMonths: wholeFrom(1, 120),
  maxCardsPerBalance: wholeFrom(1, 100),
  pinLength: wholeFrom(4, 6),
  pinTries: wholeFrom(3, 10),
  activationProof: word(['none', 'last4_and_expiry']),
  renewal: word(['auto', 'manual']),
  customerLockCodes: z.array(z.int('must be whole numbers')).max(20, 'must be at most 20'),
  anonymous: yesOrNo(),
  state: word(['ACTIVE', 'CLOSED']),
};

const newProduct = z.strictObject({
  ...needed,
  configId: configId(),
  programmeId: uuid(),
  digitalFirst: chosen.digitalFirst.default(false),
  printConfigId: chosen.printConfigId.default(null),
  holder: chosen.holder.default('both'),
  expiryMonths: chosen.expiryMonths.default(36),
  maxCardsPerBalance: chosen.maxCardsPerBalance.default(10),
  pinLength: chosen.pinLength.default(4),
  pinTries: chosen.pinTries.default(3),
  activationProof: chosen.activationProof.default('last4_and_expiry'),
  renewal: chosen.renewal.default('auto'),
  customerLockCodes: chosen.customerLockCodes.default(LOCK_CODES),
  anonymous: chosen.anonymous.default(false),
  state: chosen.state.default('ACTIVE'),
});

const changedProduct = z
  .strictObject({ ...needed, ...chosen })
  .partial()
  .extend({ version: z.int('must be a whole number').min(1, 'must be at least 1') });

const productSchema = z
  .strictObject({
    configId: configId(),
    programmeId: uuid(),
    ...needed,
    ...chosen,
    currency: currencyCode(),
    version: z.int(),
  })
  .openapi('CardProduct');

const toWire = (row: CardProduct, programmeId: string): z.input<typeof productSchema> => {
  const { customerLockCodes, ...settings } = productSettings(row);
  return {
    configId: row.config_id,
    programmeId,
    ...settings,
    customerLockCodes: [...customerLockCodes],
    version: row.version,
  };
};

const list = adminRoute({
  ...reading,
  operation: 'adminListCardProducts',
  path: '/card-products',
  summary: 'List card products',
  query: z.strictObject({ ...page, programmeId: uuid().optional() }),
  answers: { 200: { description: 'card products, newest first', schema: listOf(productSchema) } },
  refusals: ['INVALID_CURSOR'],
  handle: async (call) => {
    const { limit, cursor, programmeId } = call.query;
    const body = await call.atomically((trx) =>
      operatorPage(call, {
        operation: 'adminListCardProducts',
        filters: { programmeId },
        page: { limit, cursor },
        read: (before, most) =>
          listCardProducts(trx, {
            own: call.principal.partnerId,
            programmeId,
            beforeId: before === undefined ? undefined : Number(before),
            limit: most,
          }),
        positionOf: (row) => row.product_id,
        toItem: (row) => toWire(row, row.programmePublicId),
      }),
    );
    return { status: 200, body };
  },
});

const read = adminRoute({
  ...reading,
  operation: 'adminReadCardProduct',
  path: '/card-products/{configId}',
  summary: 'Read a card product; programmeId tells which where several programmes have the configId',
  params: z.strictObject({ configId: configId() }),
  query: z.strictObject({ programmeId: uuid().optional() }),
  answers: { 200: { description: 'the card product', schema: productSchema } },
  refusals: ['CARD_PRODUCT_NOT_FOUND', 'VALIDATION_ERROR'],
  handle: async (call) => {
    const asked = { ...call.params, programmeId: call.query.programmeId };
    const row = await call.atomically((trx) => requireProduct(trx, call.principal, asked));
    return { status: 200, body: toWire(row, row.programmePublicId) };
  },
});

interface ProductNamed {
  readonly configId: string;
  /** Needed only where several programmes in scope have the configId. */
  readonly programmeId?: string | undefined;
}

/** The product an operator names, as limits take it. Throws what `requireProduct` throws. */
export async function productScope(
  trx: Trx,
  principal: OperatorPrincipal,
  named: ProductNamed,
): Promise<CeilingOf> {
  const { issuerCode, config_id: found } = await requireProduct(trx, principal, named);
  return { issuerCode, configId: found };
}

/** Throws `CARD_PRODUCT_NOT_FOUND`, and `VALIDATION_ERROR` where the configId alone names several. */
async function requireProduct(
  trx: Trx,
  { partnerId: own }: OperatorPrincipal,
  { configId: wanted, programmeId }: ProductNamed,
): Promise<ProductOfProgramme> {
  const [found, another] = await listCardProducts(trx, { own, programmeId, configId: wanted, limit: 2 });
  if (found === undefined) throw new Refusal('CARD_PRODUCT_NOT_FOUND', 'There is no such card product.');
  if (another !== undefined) {
    throw invalid([{ field: 'programmeId', message: 'is needed: several programmes have this configId' }]);
  }
  return found;
}

const create = adminRoute({
  ...writing,
  operation: 'createCardProduct',
  method: 'POST',
  path: '/card-products',
  summary: 'Add a card product to a programme; takes two',
  body: newProduct,
  fourEyes: {
    kind: 'PARTNER_CHANGE',
    summary: ({ body }) => `Add the card product ${body.configId}`,
    subject: ({ body }) => ({ type: 'card_product', id: `${body.programmeId}/${body.configId}` }),
  },
  answers: { 201: { description: 'the card product, once approved', schema: productSchema }, 202: waiting },
  refusals: [
    'PROGRAMME_NOT_FOUND',
    'STATE_CONFLICT',
    'CURRENCY_NOT_SUPPORTED',
    'BIN_RANGE_OVERLAP',
    'ALREADY_EXISTS',
    'APPROVAL_PENDING',
  ],
  handle: (call) =>
    call.once(async (trx) => {
      const { programmeId, configId: wanted, ...settings } = call.body;
      const row = await createCardProduct(trx, programmeId, wanted, settings);
      return { status: 201, body: toWire(row, programmeId) };
    }),
});

const change = adminRoute({
  ...writing,
  operation: 'changeCardProduct',
  method: 'PUT',
  path: '/card-products/{configId}',
  summary: 'Change a card product, or close it; takes two',
  description: 'Members that are not sent stay. A CLOSED product issues nothing; its cards go on.',
  params: z.strictObject({ configId: configId() }),
  query: z.strictObject({ programmeId: uuid().optional() }),
  body: changedProduct,
  fourEyes: {
    kind: 'PARTNER_CHANGE',
    summary: ({ params, body }) =>
      `${body.state === 'CLOSED' ? 'Close' : 'Change'} the card product ${params.configId}`,
    subject: ({ params, query }) => ({
      type: 'card_product',
      id: query.programmeId === undefined ? params.configId : `${query.programmeId}/${params.configId}`,
    }),
  },
  answers: { 200: { description: 'the card product, once approved', schema: productSchema }, 202: waiting },
  refusals: ['CARD_PRODUCT_NOT_FOUND', 'VERSION_CONFLICT', 'CARD_PRODUCT_FIXED', 'APPROVAL_PENDING'],
  handle: (call) =>
    call.once(async (trx) => {
      const { version, ...changes } = call.body;
      const asked = { ...call.params, programmeId: call.query.programmeId };
      const product = await requireProduct(trx, call.principal, asked);
      const row = await changeCardProduct(trx, product.product_id, version, changes);
      return { status: 200, body: toWire(row, product.programmePublicId) };
    }),
});

export const cardProducts = [list, read, create, change];
