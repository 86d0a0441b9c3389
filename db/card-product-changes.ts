import { type Selectable, sql } from 'kysely';
import { type CardProductSettings, fixedOfProduct, refuseProductSettings } from '../domain/card-product.ts';
import { applyChanges, changedNames, type Changes, onlyNamed } from '../domain/changes.ts';
import { invalid, Refusal } from '../domain/errors.ts';
import { refuseClosed } from '../domain/programme.ts';
import { type Trx, violatedUnique } from './atomically.ts';
import { audit } from './audit-log.ts';
import type { CardProduct } from './cards.ts';
import type { CardProductsTable } from './database.ts';
import { findProgrammeRow } from './programme-records.ts';

/**
 * Adds a card product to a programme named by its public id. Engine only: ranges are compared with those of all
 * partners. Throws `PROGRAMME_NOT_FOUND`, `STATE_CONFLICT` in a closed programme, `VALIDATION_ERROR`, `CURRENCY_NOT_SUPPORTED`, `BIN_RANGE_OVERLAP`,
 * `ALREADY_EXISTS`.
 */
export async function createCardProduct(
  trx: Trx,
  programmePublicId: string,
  configId: string,
  settings: CardProductSettings,
): Promise<CardProduct> {
  const programme = await findProgrammeRow(trx, programmePublicId, null);
  if (programme === undefined) throw new Refusal('PROGRAMME_NOT_FOUND', 'There is no such programme.');
  refuseClosed(programme);
  refuseProductSettings(settings);
  if (!programme.currencies.includes(settings.currency)) {
    throw new Refusal('CURRENCY_NOT_SUPPORTED', 'The currency is not enabled in this programme.');
  }
  const { programme_id: programmeId, partner_id: partnerId } = programme;
  await requirePrintProduct(trx, programmeId, settings.printConfigId);
  await refuseOverlap(trx, settings);
  try {
    const row = await trx
      .insertInto('card_products')
      .values({
        partner_id: partnerId,
        programme_id: programmeId,
        config_id: configId,
        ...columnsOf(settings),
      })
      .returningAll()
      .executeTakeFirstOrThrow();
    const { name, kind, currency, rangeLow, rangeHigh } = settings;
    await audit(trx, {
      action: 'card_product.created',
      objectType: 'card_product',
      objectId: configId,
      after: { name, kind, currency, rangeLow, rangeHigh },
      partnerId,
    });
    return row;
  } catch (error) {
    if (violatedUnique(error) !== 'card_products_programme_id_config_id_key') throw error;
    throw new Refusal('ALREADY_EXISTS', 'The programme has a product of this configId.');
  }
}

/**
 * Changes the settings named in `changes` of a product last read at `version`. Engine only. Throws
 * `VERSION_CONFLICT`, `CARD_PRODUCT_FIXED`, `VALIDATION_ERROR`.
 */
export async function changeCardProduct(
  trx: Trx,
  productId: number,
  version: number,
  changes: Changes<CardProductSettings>,
): Promise<CardProduct> {
  const row = await trx
    .selectFrom('card_products')
    .selectAll()
    .where('product_id', '=', productId)
    .forNoKeyUpdate()
    .executeTakeFirstOrThrow();
  if (row.version !== version) {
    throw new Refusal('VERSION_CONFLICT', 'Somebody else has changed the card product. Read it again.');
  }
  const before = productSettings(row);
  const after = applyChanges(before, changes);
  const fixed = fixedOfProduct(before, after);
  if (fixed.length > 0) {
    throw new Refusal('CARD_PRODUCT_FIXED', 'Kind, currency and range of a card product stand.', {
      fields: fixed.map((field) => ({ field, message: 'stands from the start' })),
    });
  }
  refuseProductSettings(after);
  if (after.printConfigId !== before.printConfigId) {
    await requirePrintProduct(trx, row.programme_id, after.printConfigId);
  }
  const changed = await trx
    .updateTable('card_products')
    .set({ ...columnsOf(after), version: sql<number>`version + 1` })
    .where('product_id', '=', productId)
    .returningAll()
    .executeTakeFirstOrThrow();
  const names = changedNames(before, after);
  await audit(trx, {
    action: 'card_product.updated',
    objectType: 'card_product',
    objectId: row.config_id,
    before: onlyNamed(before, names),
    after: onlyNamed(after, names),
    partnerId: row.partner_id,
  });
  return changed;
}

async function requirePrintProduct(trx: Trx, programmeId: number, configId: string | null): Promise<void> {
  if (configId === null) return;
  const found = await trx
    .selectFrom('card_products')
    .select('product_id')
    .where('programme_id', '=', programmeId)
    .where('config_id', '=', configId)
    .where('kind', '=', 'PHYSICAL')
    .executeTakeFirst();
  if (found === undefined) {
    throw invalid([{ field: 'printConfigId', message: 'must be a physical product of the programme' }]);
  }
}

/** One card number belongs to one product, whoever's: ranges of closed products count too, cards carry them. */
async function refuseOverlap(trx: Trx, { rangeLow, rangeHigh }: CardProductSettings): Promise<void> {
  // Products are added one after the other, else two of them would not see each other's range.
  await sql`select pg_advisory_xact_lock(hashtext('card_products'))`.execute(trx);
  const found = await trx
    .selectFrom('card_products')
    .select('product_id')
    .where('range_low', '<=', rangeHigh)
    .where('range_high', '>=', rangeLow)
    .executeTakeFirst();
  if (found === undefined) return;
  throw new Refusal('BIN_RANGE_OVERLAP', 'Another card product has numbers of this range.');
}

/** The settings in a row. */
export const productSettings = (row: Selectable<CardProductsTable>): CardProductSettings => ({
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
  activationProof: row.activation_proof as CardProductSettings['activationProof'],
  renewal: row.renewal as CardProductSettings['renewal'],
  customerLockCodes: row.customer_lock_codes,
  processorProductId: row.processor_product_id,
  anonymous: row.anonymous,
  state: row.state,
});

const columnsOf = (settings: CardProductSettings) => ({
  name: settings.name,
  kind: settings.kind,
  digital_first: settings.digitalFirst,
  print_config_id: settings.printConfigId,
  currency: settings.currency,
  bin_prefix: settings.binPrefix,
  range_low: settings.rangeLow,
  range_high: settings.rangeHigh,
  network: settings.network,
  category: settings.category,
  holder: settings.holder,
  expiry_months: settings.expiryMonths,
  max_cards_per_balance: settings.maxCardsPerBalance,
  pin_length: settings.pinLength,
  pin_tries: settings.pinTries,
  activation_proof: settings.activationProof,
  renewal: settings.renewal,
  customer_lock_codes: [...settings.customerLockCodes],
  processor_product_id: settings.processorProductId,
  anonymous: settings.anonymous,
  state: settings.state,
});
