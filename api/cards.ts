import type { Trx } from '../db/atomically.ts';
import { callerOf, nowOf } from '../db/atomically.ts';
import { audit } from '../db/audit-log.ts';
import { type CardRow, findCard } from '../db/cards.ts';
import { readCorporation } from '../db/corporations.ts';
import { readCustomer, type StoredSubjectKey } from '../db/customers.ts';
import { fullDataRefusal } from '../domain/card.ts';
import { Refusal } from '../domain/errors.ts';
import { encryptFullCard } from '../vault/cards.ts';
import { openPersonal, sealPersonal } from '../vault/personal-data.ts';
import type { RecipientKey } from '../vault/recipient-key.ts';
import type { Vault } from '../vault/vault.ts';
import { type PartnerPrincipal, programmeIds } from './partner-principal.ts';
import type { Call } from './route.ts';
import { toCard } from './schemas/card.ts';

/** What the card calls of all certificate channels share (cards 4). */

export type CardCall<Params extends CardParams, Body = unknown> = Call<
  PartnerPrincipal,
  Params,
  unknown,
  Body
>;

export interface CardParams {
  readonly cardId: number;
  readonly customerId?: number | undefined;
}

/** The card a call names, within its programmes and its path user. Throws `CARD_NOT_FOUND`. */
export async function requireCard(trx: Trx, call: CardCall<CardParams>): Promise<CardRow> {
  const card = await findCard(trx, call.params.cardId, targetOf(call));
  if (card === undefined || (!card.claimed && card.base_state !== 'FAILED')) {
    throw new Refusal('CARD_NOT_FOUND', 'There is no such card.');
  }
  return card;
}

/** Which card a call means, as look-ups and locks take it. */
export const targetOf = (call: CardCall<CardParams>) => ({
  cardId: call.params.cardId,
  programmeIds: programmeIds(call.principal),
  customerId: call.params.customerId,
});

/** The day by the database clock. */
export const todayOf = (trx: Trx): string => nowOf(trx).toISOString().slice(0, 10);

/** The wire's card with the embossed name opened. */
export async function presentCard(trx: Trx, vault: Vault, card: CardRow): Promise<ReturnType<typeof toCard>> {
  const shown = toCard(card, todayOf(trx));
  if (card.holder_name === null) return shown;
  const key = await subjectKeyOf(trx, card);
  return { ...shown, holderName: openPersonal<string>(vault, key, holderNamePlace(card), card.holder_name) };
}

/** The key under which a card's own personal data is sealed: its holder's, or that of the corporation alone. */
export async function subjectKeyOf(
  trx: Trx,
  card: Pick<CardRow, 'programme_id' | 'customer_id' | 'corporation_id'>,
): Promise<StoredSubjectKey> {
  const scope = [card.programme_id];
  return card.customer_id === null
    ? (await readCorporation(trx, scope, card.corporation_id ?? '')).subjectKey
    : (await readCustomer(trx, scope, card.customer_id)).subjectKey;
}

/** A page of cards on the wire. */
export async function presentCards(
  trx: Trx,
  vault: Vault,
  { items, nextCursor }: { readonly items: readonly CardRow[]; readonly nextCursor: string | null },
): Promise<{ items: ReturnType<typeof toCard>[]; nextCursor: string | null }> {
  const shown = [];
  for (const card of items) shown.push(await presentCard(trx, vault, card));
  return { items: shown, nextCursor };
}

/** Seals an embossed name for its card. */
export const sealHolderName = (
  vault: Vault,
  key: StoredSubjectKey,
  card: { readonly resource_id: string },
  name: string,
): Buffer => sealPersonal(vault, key, holderNamePlace(card), name);

const holderNamePlace = (card: { readonly resource_id: string }) =>
  ({ table: 'cards', rowId: card.resource_id, field: 'holder_name' }) as const;

/**
 * The full card encrypted to `recipient`; the access rows commit with `trx`, before a byte leaves. Throws
 * `CARD_NOT_READY`, `CARD_NOT_ACTIVE`, `CARD_DATA_UNAVAILABLE`.
 */
export async function sealFullCard(
  trx: Trx,
  vault: Vault,
  card: CardRow,
  recipient: RecipientKey | null,
): Promise<string> {
  if (recipient === null) throw new Error('full card data was asked for without a key to encrypt to');
  const refused = fullDataRefusal(card.base_state, card.expiry_date, card.locks, todayOf(trx));
  if (refused !== null) throw new Refusal(refused, 'The data of a card in this state cannot be read.');
  await audit(trx, { action: 'card.read', objectType: 'card', objectId: card.card_id });
  const sealed = await encryptFullCard(trx, vault, {
    partnerId: card.partner_id,
    cardId: card.card_id,
    caller: callerOf(trx),
    recipientKey: recipient,
    card: await presentCard(trx, vault, card),
  });
  if (sealed === null) throw new Error('the vault has no data of an active card');
  return sealed;
}
