import type { Trx } from '../../db/atomically.ts';
import { listCardProducts } from '../../db/card-products.ts';
import type { CardProduct } from '../../db/cards.ts';
import type { CeilingOf } from '../../db/limit-ceilings.ts';
import { invalid, Refusal } from '../../domain/errors.ts';
import { adminRoute, type OperatorPrincipal, programmeOfResource } from '../operator-principal.ts';
import { configId, listOf, page, uuid, z } from '../schemas/shared.ts';
import { operatorPage, programmesNamed } from './lists.ts';

const reading = { permission: 'partners.read', jwe: 'open', idempotency: 'ignored', method: 'GET' } as const;

const productSchema = z
  .strictObject({
    configId: z.string(),
    programmeId: uuid(),
    name: z.string(),
    kind: z.enum(['VIRTUAL', 'PHYSICAL']),
    digitalFirst: z.boolean(),
    printConfigId: z.string().nullable(),
    currency: z.string(),
    binPrefix: z.string(),
    rangeLow: z.string(),
    rangeHigh: z.string(),
    network: z.enum(['MASTERCARD', 'VISA']),
    category: z.enum(['credit', 'debit', 'prepaid']),
    holder: z.enum(['user', 'corporation', 'both']),
    expiryMonths: z.int(),
    maxCardsPerBalance: z.int(),
    pinLength: z.int(),
    pinTries: z.int(),
    activationProof: z.string(),
    renewal: z.string(),
    customerLockCodes: z.array(z.int()),
    processorProductId: z.string(),
    anonymous: z.boolean(),
    state: z.enum(['ACTIVE', 'CLOSED']),
    version: z.int(),
  })
  .openapi('CardProduct');

const toWire = (principal: OperatorPrincipal, row: CardProduct): z.input<typeof productSchema> => ({
  configId: row.config_id,
  programmeId: programmeOfResource(principal, row.programme_id).publicId,
  name: row.name,
  kind: row.kind,
  digitalFirst: row.digital_first,
  printConfigId: row.print_config_id,
  currency: row.currency,
  binPrefix: row.bin_prefix,
  rangeLow: row.range_low,
  rangeHigh: row.range_high,
  network: row.network,
  category: row.category,
  holder: row.holder,
  expiryMonths: row.expiry_months,
  maxCardsPerBalance: row.max_cards_per_balance,
  pinLength: row.pin_length,
  pinTries: row.pin_tries,
  activationProof: row.activation_proof,
  renewal: row.renewal,
  customerLockCodes: row.customer_lock_codes,
  processorProductId: row.processor_product_id,
  anonymous: row.anonymous,
  state: row.state,
  version: row.version,
});

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
    const programmeIds = programmesNamed(call.principal, programmeId);
    const body = await call.atomically((trx) =>
      operatorPage(call, {
        operation: 'adminListCardProducts',
        filters: { programmeId },
        page: { limit, cursor },
        read: (before, most) =>
          listCardProducts(trx, {
            programmeIds,
            beforeId: before === undefined ? undefined : Number(before),
            limit: most,
          }),
        positionOf: (row) => row.product_id,
        toItem: (row) => toWire(call.principal, row),
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
    return { status: 200, body: toWire(call.principal, row) };
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
  const product = await requireProduct(trx, principal, named);
  const { issuerCode } = programmeOfResource(principal, product.programme_id);
  return { issuerCode, configId: product.config_id };
}

/** Throws `CARD_PRODUCT_NOT_FOUND`, and `VALIDATION_ERROR` where the configId alone names several. */
async function requireProduct(
  trx: Trx,
  principal: OperatorPrincipal,
  { configId: wanted, programmeId }: ProductNamed,
): Promise<CardProduct> {
  const programmeIds = programmesNamed(principal, programmeId);
  const [found, another] = await listCardProducts(trx, { programmeIds, configId: wanted, limit: 2 });
  if (found === undefined) throw new Refusal('CARD_PRODUCT_NOT_FOUND', 'There is no such card product.');
  if (another !== undefined) {
    throw invalid([{ field: 'programmeId', message: 'is needed: several programmes have this configId' }]);
  }
  return found;
}

export const cardProducts = [list, read];
