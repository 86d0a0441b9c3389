import type { Kysely, Selectable } from 'kysely';
import type { OpenLock } from '../domain/card-lock.ts';
import { Refusal, type RefusalCode } from '../domain/errors.ts';
import { rateOf } from '../domain/rate-limit.ts';
import { audit } from './audit-log.ts';
import { newId, nowOf, type Trx } from './atomically.ts';
import { openLocks } from './card-locks.ts';
import { requireCardRequest, requireOwnersStill } from './card-requirements.ts';
import type { CardProductsTable, CardsTable, Database } from './database.ts';
import { lockForManyCards } from './many-cards.ts';
import { chargeRate } from './rate-limits.ts';

export type CardProduct = Selectable<CardProductsTable>;

/** A card with its product's configId and its open locks: all that the wire's card object is made from. */
export type CardRow = Selectable<CardsTable> & {
  readonly config_id: string;
  readonly locks: readonly OpenLock[];
};

interface Look {
  readonly programmeIds: readonly number[];
  readonly customerId?: number | undefined;
}

/** One card of the programmes in `look`, or undefined: somebody else's is as good as none. */
export async function findCard(
  db: Kysely<Database>,
  cardId: number,
  look: Look,
): Promise<CardRow | undefined> {
  let query = cardQuery(db)
    .where('cards.card_id', '=', cardId)
    .where('cards.programme_id', 'in', look.programmeIds);
  if (look.customerId !== undefined) query = query.where('cards.customer_id', '=', look.customerId);
  const row = await query.executeTakeFirst();
  return row === undefined ? undefined : (await withLocks(db, [row]))[0];
}

/** Lock codes that holders of a card's product may place themselves (cards 4.5). */
export async function customerLockCodes(
  db: Kysely<Database>,
  { product_id: productId }: Pick<CardRow, 'product_id'>,
): Promise<readonly number[]> {
  const product = await db
    .selectFrom('card_products')
    .select('customer_lock_codes')
    .where('product_id', '=', productId)
    .executeTakeFirstOrThrow();
  return product.customer_lock_codes;
}

export interface CardFilter {
  readonly programmeIds: readonly number[];
  readonly customerId?: number | undefined;
  readonly corporationId?: string | undefined;
  readonly balanceId?: string | undefined;
  readonly kind?: CardRow['kind'] | undefined;
  readonly configId?: string | undefined;
  readonly lastFour?: string | undefined;
  readonly before?: number | undefined;
  readonly limit: number;
}

/** Cards that `filter` names, newest first. Cards that were never made stay out. */
export async function listCards(db: Kysely<Database>, filter: CardFilter): Promise<CardRow[]> {
  let query = cardQuery(db)
    .where('cards.programme_id', 'in', filter.programmeIds)
    .where((where) => where.or([where('claimed', '=', true), where('base_state', '<>', 'PENDING')]));
  if (filter.customerId !== undefined) query = query.where('cards.customer_id', '=', filter.customerId);
  if (filter.corporationId !== undefined) {
    query = query.where('cards.corporation_id', '=', filter.corporationId);
  }
  if (filter.balanceId !== undefined) query = query.where('balance_id', '=', filter.balanceId);
  if (filter.kind !== undefined) query = query.where('cards.kind', '=', filter.kind);
  if (filter.configId !== undefined) query = query.where('config_id', '=', filter.configId);
  if (filter.lastFour !== undefined) query = query.where('last_four_digits', '=', filter.lastFour);
  if (filter.before !== undefined) query = query.where('card_id', '<', filter.before);
  const rows = await query.orderBy('card_id', 'desc').limit(filter.limit).execute();
  return await withLocks(db, rows);
}

const cardQuery = (db: Kysely<Database>) =>
  db
    .selectFrom('cards')
    .innerJoin('card_products', 'card_products.product_id', 'cards.product_id')
    .selectAll('cards')
    .select('card_products.config_id');

async function withLocks<T extends { card_id: number }>(
  db: Kysely<Database>,
  rows: readonly T[],
): Promise<(T & { locks: OpenLock[] })[]> {
  if (rows.length === 0) return [];
  const locks = await openLocks(
    db,
    rows.map((row) => row.card_id),
  );
  return rows.map((row) => ({ ...row, locks: locks.filter((lock) => lock.cardId === row.card_id) }));
}

export interface CardRequest {
  readonly programmeId: number;
  readonly partnerId: number;
  readonly configId: string;
  readonly kind: 'VIRTUAL';
  readonly balanceId: string;
  /** The person who holds it; null for a card that only a corporation has. */
  readonly customerId: number | null;
  /** Null for a card on a person's own balance. */
  readonly corporationId: string | null;
  readonly label: string | null;
}

/**
 * Stores the intent to make a card: requirements in their order (cards 2), then a PENDING row with the
 * reference the processor is called with. Throws the 404 and 422 refusals of that table, `TOO_MANY_REQUESTS`.
 */
export async function requestCard(
  trx: Trx,
  request: CardRequest,
): Promise<{ readonly card: Selectable<CardsTable>; readonly product: CardProduct }> {
  const product = await requireCardRequest(trx, request);
  const { customerId, partnerId } = request;
  if (customerId !== null) await chargeRate(trx, partnerId, rateOf.cardsCreated(customerId));
  const card = await trx
    .insertInto('cards')
    .values({
      resource_id: newId(trx),
      partner_id: request.partnerId,
      programme_id: request.programmeId,
      product_id: product.product_id,
      balance_id: request.balanceId,
      customer_id: request.customerId,
      corporation_id: request.corporationId,
      kind: product.digital_first ? 'DIGITAL_FIRST' : request.kind,
      base_state: 'PENDING',
      reference: newId(trx).replaceAll('-', ''),
      label: request.label,
      created_at: nowOf(trx),
    })
    .returningAll()
    .executeTakeFirstOrThrow();
  await audit(trx, { action: 'card.requested', objectType: 'card', objectId: card.card_id });
  await lockForManyCards(trx, request);
  return { card, product };
}

export interface MadeCard {
  readonly cardId: number;
  readonly processorCardId: string;
  readonly lastFourDigits: string;
  readonly bin: string;
  /** Last day of validity. */
  readonly expiryDate: string;
}

/**
 * Makes a PENDING card ACTIVE with what the processor gave, and writes the state row that decisions work on.
 * A card that is ACTIVE already is left as it is. Returns the card.
 */
export async function activateVirtualCard(trx: Trx, made: MadeCard): Promise<Selectable<CardsTable>> {
  const card = await trx
    .updateTable('cards')
    .set({
      base_state: 'ACTIVE',
      processor_card_id: made.processorCardId,
      last_four_digits: made.lastFourDigits,
      bin: made.bin,
      expiry_date: made.expiryDate,
      claimed: true,
      activated_at: nowOf(trx),
    })
    .where('card_id', '=', made.cardId)
    .where('base_state', '=', 'PENDING')
    .returningAll()
    .executeTakeFirst();
  if (card === undefined) return await readCard(trx, made.cardId);
  const product = await trx
    .selectFrom('card_products')
    .select('pin_tries')
    .where('product_id', '=', card.product_id)
    .executeTakeFirstOrThrow();
  await trx
    .insertInto('card_states')
    .values({
      processor_card_id: made.processorCardId,
      card_id: card.card_id,
      partner_id: card.partner_id,
      programme_id: card.programme_id,
      product_id: card.product_id,
      balance_id: card.balance_id,
      customer_id: card.customer_id,
      corporation_id: card.corporation_id,
      base_state: 'ACTIVE',
      expiry_date: made.expiryDate,
      last_four_digits: made.lastFourDigits,
      pin_tries_left: product.pin_tries,
      consumed_on: null,
    })
    .execute();
  await audit(trx, {
    action: 'card.created',
    objectType: 'card',
    objectId: card.card_id,
    after: { kind: card.kind, balanceId: card.balance_id },
  });
  return card;
}

/**
 * Why a card that is still PENDING may not be given to its owners any more, null when it may. It is then withdrawn:
 * nobody is shown it, and the sweeper of unclaimed cards ends it at the processor.
 */
export async function withdrawUnlessOwned(trx: Trx, cardId: number): Promise<Refusal | null> {
  const card = await readCard(trx, cardId);
  if (card.base_state !== 'PENDING') return null;
  try {
    await requireOwnersStill(trx, card);
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    await withdrawCard(trx, cardId, error.code);
    return error;
  }
  // Read anew: the owners are held only now, and an employee may have gone and come back before.
  const { failure_reason: reason } = await readCard(trx, cardId);
  return reason === null ? null : new Refusal(reason as RefusalCode, 'The card was withdrawn meanwhile.');
}

/** Withdraws a card that is still PENDING; `reason` is what its caller is refused with when they come back. */
export async function withdrawCard(trx: Trx, cardId: number, reason: RefusalCode): Promise<void> {
  const { numUpdatedRows } = await trx
    .updateTable('cards')
    .set({ failure_reason: reason })
    .where('card_id', '=', cardId)
    .where('base_state', '=', 'PENDING')
    .where('failure_reason', 'is', null)
    .executeTakeFirst();
  if (numUpdatedRows === 0n) return;
  await audit(trx, { action: 'card.withdrawn', objectType: 'card', objectId: cardId, after: { reason } });
}

/** Ends a PENDING card that the processor refused to make; one that was withdrawn keeps the reason of that. */
export async function failCard(trx: Trx, cardId: number, reason: string): Promise<void> {
  await trx
    .updateTable('cards')
    .set((set) => ({
      base_state: 'FAILED' as const,
      failure_reason: set.fn.coalesce('failure_reason', set.val(reason)),
    }))
    .where('card_id', '=', cardId)
    .where('base_state', '=', 'PENDING')
    .execute();
  await audit(trx, { action: 'card.failed', objectType: 'card', objectId: cardId, after: { reason } });
}

const UNCLAIMED_MS = 15 * 60_000;
const UNCLAIMED_AT_ONCE = 100;

/** Virtual cards asked for 15 minutes ago or longer that nobody got: oldest first, a hundred at a time. */
export async function listUnclaimedCards(
  trx: Trx,
): Promise<{ readonly cardId: number; readonly reference: string }[]> {
  return await trx
    .selectFrom('cards')
    .select(['card_id as cardId', 'reference'])
    .where('claimed', '=', false)
    .where('base_state', '=', 'PENDING')
    .where('created_at', '<', new Date(nowOf(trx).getTime() - UNCLAIMED_MS))
    .orderBy('created_at')
    .limit(UNCLAIMED_AT_ONCE)
    .execute();
}

/** A card's row by its id. */
export async function readCard(db: Kysely<Database>, cardId: number): Promise<Selectable<CardsTable>> {
  return await db.selectFrom('cards').selectAll().where('card_id', '=', cardId).executeTakeFirstOrThrow();
}
