import type { Trx } from '../db/atomically.ts';
import { callerOf, nowOf } from '../db/atomically.ts';
import { audit } from '../db/audit-log.ts';
import { findBalance } from '../db/balances.ts';
import { type CardRow, findCard, listCards } from '../db/cards.ts';
import { readCorporation } from '../db/corporations.ts';
import { readCustomer, type StoredSubjectKey } from '../db/customers.ts';
import { chargeRate } from '../db/rate-limits.ts';
import { fullDataRefusal } from '../domain/card.ts';
import { Refusal } from '../domain/errors.ts';
import { rateOf } from '../domain/rate-limit.ts';
import { encryptFullCard } from '../vault/cards.ts';
import { openPersonal, sealPersonal } from '../vault/personal-data.ts';
import type { RecipientKey } from '../vault/recipient-key.ts';
import type { Vault } from '../vault/vault.ts';
import { programmeIds, type Reach } from './reach.ts';
import { readPage } from './pagination.ts';
import type { Answer, Call } from './route.ts';
import { type CardAudience, toCard } from './schemas/card.ts';

/** What the card calls of all channels share (cards 4). */

export type CardCall<Params extends CardParams, Body = unknown> = Call<Reach, Params, unknown, Body>;

export interface CardParams {
  readonly cardId: number;
  readonly customerId?: number | undefined;
}

/** The card that a look-up names, once it is there for callers to see. Throws `CARD_NOT_FOUND`. */
export async function requireCard(trx: Trx, target: CardTarget): Promise<CardRow> {
  const card = await findCard(trx, target.cardId, target);
  if (card === undefined || (!card.claimed && card.base_state === 'PENDING')) {
    throw new Refusal('CARD_NOT_FOUND', 'There is no such card.');
  }
  return card;
}

export interface CardTarget {
  readonly cardId: number;
  readonly programmeIds: readonly number[];
  readonly customerId?: number | undefined;
}

/** Which card a call means, as look-ups and locks take it. */
export const targetOf = (call: CardCall<CardParams>): CardTarget => ({
  cardId: call.params.cardId,
  programmeIds: programmeIds(call.principal),
  customerId: call.params.customerId,
});

/** The day by the database clock. */
export const todayOf = (trx: Trx): string => nowOf(trx).toISOString().slice(0, 10);

/** The wire's card with the embossed name opened. */
export async function presentCard(
  trx: Trx,
  vault: Vault,
  card: CardRow,
  audience: CardAudience = 'server',
): Promise<ReturnType<typeof toCard>> {
  const shown = toCard(card, todayOf(trx), audience);
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

/** Which cards a list shows; user, corporation or balance is set. */
interface CardListFilter {
  readonly customerId: number | undefined;
  readonly corporationId?: string | undefined;
  readonly balanceId?: string | undefined;
  readonly kind?: CardRow['kind'] | undefined;
  readonly configId?: string | undefined;
}

/** Answers a page of cards. Throws `USER_NOT_FOUND`, `CORPORATION_NOT_FOUND`, `BALANCE_NOT_FOUND`, `INVALID_CURSOR`. */
export async function listCardsOf(
  call: Call<Reach, unknown, unknown, unknown>,
  filter: CardListFilter,
  page: { readonly limit: number; readonly cursor: string | undefined },
  audience: CardAudience = 'server',
): Promise<Answer> {
  const ids = programmeIds(call.principal);
  const { customerId, corporationId, balanceId } = filter;
  const body = await call.atomically(async (trx) => {
    if (customerId !== undefined) await readCustomer(trx, ids, customerId);
    if (corporationId !== undefined) await readCorporation(trx, ids, corporationId);
    if (balanceId !== undefined && !(await findBalance(trx, balanceId, { programmeIds: ids }))) {
      throw new Refusal('BALANCE_NOT_FOUND', 'There is no such balance.');
    }
    const found = await readPage(
      call.services.vault,
      { principal: call.principal.reader, operation: 'listCards', filters: filter },
      page,
      call.services.nowMs(),
      (before, most) =>
        listCards(trx, {
          programmeIds: ids,
          ...filter,
          before: before === undefined ? undefined : Number(before),
          limit: most,
        }),
      (card) => card.card_id,
      (card) => card,
    );
    return await presentCards(trx, call.services.vault, found, audience);
  });
  return { status: 200, body };
}

/** A page of cards on the wire. */
export async function presentCards(
  trx: Trx,
  vault: Vault,
  { items, nextCursor }: { readonly items: readonly CardRow[]; readonly nextCursor: string | null },
  audience: CardAudience = 'server',
): Promise<{ items: ReturnType<typeof toCard>[]; nextCursor: string | null }> {
  const shown = [];
  for (const card of items) shown.push(await presentCard(trx, vault, card, audience));
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

/** The full card once more, after its first reader: ten times an hour (channels 14). Throws as `sealFullCard`. */
export async function sealFullCardAgain(
  trx: Trx,
  vault: Vault,
  card: CardRow,
  recipient: RecipientKey | null,
): Promise<string> {
  await chargeRate(trx, card.partner_id, rateOf.fullCardData(card.card_id));
  return await sealFullCard(trx, vault, card, recipient);
}
