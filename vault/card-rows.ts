import { type Kysely, sql, type Transaction } from 'kysely';
import type { Caller } from '../domain/actor.ts';

/** Who wants a card and why; written to `vault.card_access` in the same transaction. */
export interface CardAccess {
  readonly partnerId: number;
  readonly cardId: number;
  readonly caller: Caller;
}

/** STORED; SAME when this card with this PAN is there already; CONFLICT when card or PAN is taken. */
export type StoreOutcome = 'STORED' | 'SAME' | 'CONFLICT';
export type ReadReason = 'FULL_DATA' | 'CVC2_CHECK';

export interface SealedCard {
  readonly processorCardId: string;
  /** YYYY-MM-DD. */
  readonly expiryDate: string;
  readonly panIndex: Buffer;
  readonly panIndexVersion: number;
  readonly panCiphertext: Buffer;
  readonly wrapped: Buffer;
  readonly kekVersion: number;
  readonly cvkVersion: number;
  readonly cvcVersion: number;
}

/** Adds a card by `vault.store_card`. */
export async function storeSealedCard<DB>(
  trx: Transaction<DB>,
  access: CardAccess,
  card: SealedCard,
): Promise<StoreOutcome> {
  const { partnerId, cardId, caller } = access;
  const { rows } = await sql<{ outcome: StoreOutcome }>`select vault.store_card(
    ${partnerId}, ${cardId}, ${card.processorCardId}, ${card.expiryDate}, ${card.panIndex},
    ${card.panIndexVersion}, ${card.panCiphertext}, ${card.wrapped}, ${card.kekVersion}, ${card.cvkVersion},
    ${card.cvcVersion}, ${caller.actor.type}, ${caller.actor.id}, ${caller.requestId}) as outcome`.execute(
    trx,
  );
  const outcome = rows[0]?.outcome;
  if (outcome === undefined) throw new Error('vault.store_card gave no outcome');
  return outcome;
}

type OpenableCard = Omit<SealedCard, 'panIndex' | 'panIndexVersion' | 'kekVersion'>;

/** Reads a card by `vault.read_card`, which records the access; null when the partner has no such card. */
export async function readSealedCard<DB>(
  trx: Transaction<DB>,
  access: CardAccess,
  reason: ReadReason,
): Promise<OpenableCard | null> {
  const { partnerId, cardId, caller } = access;
  const { rows } = await sql<OpenableCard>`select
      processor_card_id as "processorCardId", expiry_date as "expiryDate", pan_ct as "panCiphertext",
      wrapped_dek as "wrapped", cvk_version as "cvkVersion", cvc_version as "cvcVersion"
    from vault.read_card(${partnerId}, ${cardId}, ${reason}, ${caller.actor.type}, ${caller.actor.id},
      ${caller.requestId})`.execute(trx);
  return rows[0] ?? null;
}

/** Finds a card by any of the indexes its PAN may stand under, by `vault.find_card` (engine only). */
export async function findCardByIndex<DB>(
  db: Kysely<DB>,
  panIndexes: readonly Buffer[],
): Promise<{ readonly cardId: number; readonly partnerId: number } | null> {
  const { rows } = await sql<{ card_id: number | string; partner_id: number }>`
    select card_id, partner_id from vault.find_card(${panIndexes})`.execute(db);
  const row = rows[0];
  return row === undefined ? null : { cardId: Number(row.card_id), partnerId: row.partner_id };
}
