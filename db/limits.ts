import { type Kysely, sql } from 'kysely';
import { Refusal } from '../domain/errors.ts';
import {
  aboveCeiling,
  type LimitStatus,
  limitsNothing,
  limitStatus,
  zoneOf,
} from '../domain/limit-document.ts';
import { consumptionOn, localDay } from '../domain/limit-periods.ts';
import { BUDGET_PLACE, type Consumption, type LimitDocument, NO_LIMITS } from '../domain/limit.ts';
import { minorUnits } from '../domain/money.ts';
import { audit } from './audit-log.ts';
import { nowOf, type Trx } from './atomically.ts';
import type { Database } from './database.ts';

/** A document as it is stored beside what was consumed of it. */
interface Stored {
  readonly limits: LimitDocument | null;
  readonly consumption: Consumption;
}

/** What stands above a document: the zone its periods follow when it names none, and its ceilings. */
interface Above {
  readonly timezone: string;
  readonly ceilings: readonly (LimitDocument | null)[];
}

/** The limits of a card and their use today. Throws `STATE_CONFLICT` for a card that was never made. */
export async function readCardLimits(trx: Trx, cardId: number): Promise<LimitStatus> {
  const card = await cardStateOf(trx, cardId).executeTakeFirst();
  if (card === undefined) throw neverMade();
  return statusOf(trx, stored(card), await aboveCard(trx, card));
}

/**
 * Replaces the limits of a card; what was consumed stays as it is (money 9). Answers the limits and their use.
 * Throws `STATE_CONFLICT` for a card that was never made or is removed, `LIMIT_ABOVE_CEILING`.
 */
export async function putCardLimits(trx: Trx, cardId: number, document: LimitDocument): Promise<LimitStatus> {
  const card = await cardStateOf(trx, cardId).forNoKeyUpdate().executeTakeFirst();
  if (card === undefined) throw neverMade();
  if (card.base_state === 'REMOVED') throw new Refusal('STATE_CONFLICT', 'The card is removed.');
  const above = await aboveCard(trx, card);
  refuseAbove(document, above);
  await trx
    .updateTable('card_states')
    .set({
      limits: limitsNothing(document) ? null : JSON.stringify(document),
      limits_version: sql<number>`limits_version + 1`,
      ...budgetSince(trx, card.limits, document),
    })
    .where('card_id', '=', cardId)
    .execute();
  await auditChange(trx, { type: 'card', id: cardId, partnerId: card.partner_id }, card.limits, document);
  return statusOf(trx, { ...stored(card), limits: document }, above);
}

interface CustomerOf {
  readonly customerId: number;
  readonly programmeId: number;
  readonly partnerId: number;
}

/** The limits of a customer over all cards, and their use today. */
export async function readCustomerLimits(trx: Trx, customer: CustomerOf): Promise<LimitStatus> {
  const found = await customerLimitsOf(trx, customer.customerId).executeTakeFirst();
  return statusOf(trx, stored(found), await aboveCustomer(trx, customer));
}

/**
 * Replaces the limits that a partner sets for a customer; what was consumed stays as it is (money 9). Before the
 * first of them nothing is counted. Answers the limits and their use. Throws `LIMIT_ABOVE_CEILING`.
 */
export async function putCustomerLimits(
  trx: Trx,
  customer: CustomerOf,
  document: LimitDocument,
): Promise<LimitStatus> {
  const above = await aboveCustomer(trx, customer);
  refuseAbove(document, above);
  await trx
    .insertInto('customer_limits')
    .values({
      customer_id: customer.customerId,
      partner_id: customer.partnerId,
      limits: JSON.stringify(NO_LIMITS),
      limits_version: 0,
      consumed_on: null,
    })
    .onConflict((conflict) => conflict.column('customer_id').doNothing())
    .execute();
  const found = await customerLimitsOf(trx, customer.customerId).forNoKeyUpdate().executeTakeFirstOrThrow();
  await trx
    .updateTable('customer_limits')
    .set({
      limits: JSON.stringify(document),
      limits_version: sql<number>`limits_version + 1`,
      ...budgetSince(trx, found.limits, document),
    })
    .where('customer_id', '=', customer.customerId)
    .execute();
  const changed = { type: 'customer', id: customer.customerId, partnerId: customer.partnerId } as const;
  await auditChange(trx, changed, found.limits, document);
  return statusOf(trx, { ...stored(found), limits: document }, above);
}

/** A budget counts from when it is set; changed, it goes on counting. */
const budgetSince = (trx: Trx, before: LimitDocument | null, after: LimitDocument) =>
  (before?.budget ?? null) === null && after.budget !== null ? { budget_since: nowOf(trx) } : {};

const cardStateOf = (db: Kysely<Database>, cardId: number) =>
  db
    .selectFrom('card_states')
    .select(['base_state', 'partner_id', 'programme_id', 'product_id', 'limits', 'consumed', 'consumed_on'])
    .where('card_id', '=', cardId);

const customerLimitsOf = (db: Kysely<Database>, customerId: number) =>
  db
    .selectFrom('customer_limits')
    .select(['limits', 'consumed', 'consumed_on'])
    .where('customer_id', '=', customerId);

interface LimitColumns {
  readonly limits: LimitDocument | null;
  readonly consumed: readonly number[];
  readonly consumed_on: string | null;
}

const NOTHING_CONSUMED: readonly number[] = Array.from({ length: BUDGET_PLACE + 1 }, () => 0);

const stored = (row: LimitColumns | undefined): Stored => ({
  limits: row?.limits ?? null,
  consumption: {
    // The driver hands bigint arrays on as text.
    consumed: (row?.consumed ?? NOTHING_CONSUMED).map((amount) => minorUnits(Number(amount))),
    on: row?.consumed_on ?? null,
  },
});

function statusOf(trx: Trx, { limits, consumption }: Stored, { timezone }: Above): LimitStatus {
  const today = localDay(nowOf(trx).getTime(), zoneOf(limits, timezone));
  return limitStatus(limits ?? NO_LIMITS, consumptionOn(consumption, today));
}

async function aboveCard(
  trx: Trx,
  card: { readonly product_id: number; readonly programme_id: number },
): Promise<Above> {
  const found = await trx
    .selectFrom('card_products')
    .innerJoin('programmes', 'programmes.programme_id', 'card_products.programme_id')
    .select(['card_products.limits as ofProduct', 'programmes.limits as ofProgramme', 'timezone'])
    .where('product_id', '=', card.product_id)
    .executeTakeFirstOrThrow();
  return { timezone: found.timezone, ceilings: [found.ofProduct, found.ofProgramme] };
}

async function aboveCustomer(trx: Trx, { programmeId }: CustomerOf): Promise<Above> {
  const found = await trx
    .selectFrom('programmes')
    .select(['limits', 'timezone'])
    .where('programme_id', '=', programmeId)
    .executeTakeFirstOrThrow();
  return { timezone: found.timezone, ceilings: [found.limits] };
}

function refuseAbove(document: LimitDocument, { ceilings }: Above): void {
  const fields = aboveCeiling(document, ceilings);
  if (fields.length === 0) return;
  throw new Refusal('LIMIT_ABOVE_CEILING', 'A limit is above what the card product or programme allows.', {
    fields,
  });
}

interface Limited {
  readonly type: 'card' | 'customer' | 'card_product' | 'programme';
  readonly id: string | number;
  readonly partnerId: number;
}

/** Leaves who changed limits, from what to what: the event that nobody else is told of (money 12). */
export async function auditChange(
  trx: Trx,
  of: Limited,
  before: LimitDocument | null,
  after: LimitDocument,
): Promise<void> {
  await audit(trx, {
    action: 'limit.changed',
    objectType: of.type,
    objectId: of.id,
    before: { ...(before ?? NO_LIMITS) },
    after: { ...after },
    partnerId: of.partnerId,
  });
}

const neverMade = () => new Refusal('STATE_CONFLICT', 'The card was never made.');
