import { type Kysely, type Selectable, sql } from 'kysely';
import {
  decideUnlock,
  type LockParty,
  lockReasonOf,
  notifiedReason,
  type OpenLock,
} from '../domain/card-lock.ts';
import { Refusal } from '../domain/errors.ts';
import { audit } from './audit-log.ts';
import { newId, nowOf, type Trx } from './atomically.ts';
import type { CardsTable, Database } from './database.ts';
import { emit, startWorkflow } from './outbox.ts';

export interface StoredLock extends OpenLock {
  readonly lockId: string;
  readonly cardId: number;
}

/** Locks of cards that nobody has lifted, oldest first. */
export async function openLocks(db: Kysely<Database>, cardIds: readonly number[]): Promise<StoredLock[]> {
  const rows = await db
    .selectFrom('card_locks')
    .select(['lock_id', 'card_id', 'code', 'placed_by', 'placed_at'])
    .where('card_id', 'in', cardIds)
    .where('lifted_at', 'is', null)
    .orderBy('lock_id')
    .execute();
  return rows.map((row) => ({
    lockId: row.lock_id,
    cardId: row.card_id,
    code: row.code,
    placedBy: row.placed_by,
    placedAt: row.placed_at,
  }));
}

/** Which card is meant; `customerId` only of this holder. */
export interface LockTarget {
  readonly cardId: number;
  readonly programmeIds: readonly number[];
  readonly customerId?: number | undefined;
}

/**
 * Places a lock (cards 4.5): declines start when this commits. The processor is told by its workflow, the
 * partner by `card.locked`. The same lock of the same party again has no effect. Throws `CARD_NOT_FOUND`,
 * `CARD_NOT_LOCKABLE`.
 */
export async function lockCard(
  trx: Trx,
  target: LockTarget,
  code: number,
  placedBy: LockParty,
): Promise<void> {
  const card = await holdCard(trx, target);
  if (card.base_state === 'PENDING' || card.base_state === 'FAILED' || card.base_state === 'REMOVED') {
    throw new Refusal('CARD_NOT_LOCKABLE', 'A card in this state cannot be locked.');
  }
  const placed = await trx
    .insertInto('card_locks')
    .values({
      lock_id: newId(trx),
      card_id: card.card_id,
      partner_id: card.partner_id,
      code,
      placed_by: placedBy,
      placed_at: nowOf(trx),
    })
    .onConflict((conflict) =>
      conflict.columns(['card_id', 'code', 'placed_by']).where('lifted_at', 'is', null).doNothing(),
    )
    .executeTakeFirst();
  if (Number(placed.numInsertedOrUpdatedRows ?? 0) === 0) return;
  await refreshLocks(trx, card.card_id);
  const owner = { partnerId: card.partner_id, programmeId: card.programme_id };
  if (placedBy !== 'processor') await tellProcessor(trx, owner, card.card_id, 'LOCK', [code]);
  await emit(trx, owner, {
    kind: 'card.locked',
    cardId: card.card_id,
    reason: notifiedReason(code),
    at: nowOf(trx).toISOString(),
  });
  await audit(trx, {
    action: 'card.locked',
    objectType: 'card',
    objectId: card.card_id,
    after: { code, placedBy, irreversible: lockReasonOf(code).irreversible },
    partnerId: card.partner_id,
  });
}

/**
 * Lifts every reversible lock that `party` may lift (cards 4.6); the partner is told when none remains.
 * Throws `CARD_NOT_FOUND`, `CARD_NOT_LOCKED`, `LOCK_IRREVERSIBLE`, `LOCK_NOT_LIFTABLE`.
 */
export async function unlockCard(trx: Trx, target: LockTarget, party: LockParty): Promise<void> {
  const card = await holdCard(trx, target);
  const locks = await openLocks(trx, [card.card_id]);
  const verdict = decideUnlock(locks, party);
  if ('refused' in verdict) throw new Refusal(verdict.refused, UNLOCK_DETAIL[verdict.refused]);
  const codes = [...new Set(verdict.lift.map((lock) => lock.code))];
  await trx
    .updateTable('card_locks')
    .set({ lifted_at: nowOf(trx), lifted_by: party })
    .where(
      'lock_id',
      'in',
      verdict.lift.map((lock) => lock.lockId),
    )
    .execute();
  await refreshLocks(trx, card.card_id);
  if (codes.includes(6)) await restorePinTries(trx, card.card_id);
  const owner = { partnerId: card.partner_id, programmeId: card.programme_id };
  if (party !== 'processor') await tellProcessor(trx, owner, card.card_id, 'UNLOCK', codes);
  if (verdict.lift.length === locks.length) {
    await emit(trx, owner, { kind: 'card.unlocked', cardId: card.card_id, at: nowOf(trx).toISOString() });
  }
  await audit(trx, {
    action: 'card.unlocked',
    objectType: 'card',
    objectId: card.card_id,
    before: { codes: locks.map((lock) => lock.code) },
    after: { lifted: codes },
    partnerId: card.partner_id,
  });
}

const UNLOCK_DETAIL = {
  CARD_NOT_LOCKED: 'The card has no lock.',
  LOCK_IRREVERSIBLE: 'The card has a lock that is final: nothing was lifted.',
  LOCK_NOT_LIFTABLE: 'The locks of this card were placed by somebody else.',
} as const;

/** Holds a card, and the row that decisions work on, until the transaction ends. Throws `CARD_NOT_FOUND`. */
export async function holdCard(trx: Trx, target: LockTarget): Promise<Selectable<CardsTable>> {
  let query = trx
    .selectFrom('cards')
    .selectAll()
    .where('card_id', '=', target.cardId)
    .where('programme_id', 'in', target.programmeIds);
  if (target.customerId !== undefined) query = query.where('customer_id', '=', target.customerId);
  const card = await query.forNoKeyUpdate().executeTakeFirst();
  if (card === undefined) throw new Refusal('CARD_NOT_FOUND', 'There is no such card.');
  // A decision may be locking the card for a wrong PIN: only from here on its lock is seen, and none comes after.
  await trx
    .selectFrom('card_states')
    .select('card_id')
    .where('card_id', '=', card.card_id)
    .forNoKeyUpdate()
    .execute();
  return card;
}

async function refreshLocks(trx: Trx, cardId: number): Promise<void> {
  await sql`
    update card_states set locks = coalesce((
      select array_agg(distinct code order by code) from card_locks
      where card_locks.card_id = card_states.card_id and lifted_at is null), '{}')
    where card_id = ${cardId}`.execute(trx);
}

async function restorePinTries(trx: Trx, cardId: number): Promise<void> {
  await sql`
    update card_states set pin_tries_left = card_products.pin_tries
    from card_products
    where card_products.product_id = card_states.product_id and card_id = ${cardId}`.execute(trx);
}

async function tellProcessor(
  trx: Trx,
  owner: { readonly partnerId: number; readonly programmeId: number },
  cardId: number,
  kind: 'LOCK' | 'UNLOCK',
  codes: number[],
): Promise<void> {
  await trx
    .insertInto('processor_instructions')
    .values({
      card_id: cardId,
      partner_id: owner.partnerId,
      kind,
      codes,
      last_outcome: null,
      finished_at: null,
    })
    .execute();
  await startWorkflow(trx, owner, {
    workflow: 'processor-instruction',
    id: `processor-instruction:${cardId}`,
    input: { cardId },
  });
}
