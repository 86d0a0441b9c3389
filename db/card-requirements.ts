import type { Selectable } from 'kysely';
import type { CorporationStanding } from '../domain/corporation.ts';
import { Refusal } from '../domain/errors.ts';
import { refuseClosed } from '../domain/programme.ts';
import type { Trx } from './atomically.ts';
import { holdCorporation, refuseStanding } from './corporations.ts';
import type { CardProductsTable, CardsTable } from './database.ts';
import { MANY_CARDS } from './many-cards.ts';
import { type LockHolder, locksOf } from './transactional-locks.ts';

type CardProduct = Selectable<CardProductsTable>;

/** What a card is asked for with, as far as its requirements look at it. */
export interface RequestedCard {
  readonly programmeId: number;
  readonly configId: string;
  readonly kind: 'VIRTUAL';
  readonly balanceId: string;
  readonly customerId: number | null;
  readonly corporationId: string | null;
}

/** The requirements before issuing, in their order (cards 2); answers the product. Throws their 404 and 422, `STATE_CONFLICT` in a closed programme. */
export async function requireCardRequest(trx: Trx, request: RequestedCard): Promise<CardProduct> {
  const { customerId, corporationId } = request;
  const programme = await programmeOf(trx, request.programmeId);
  refuseClosed(programme);
  const product = await requireProduct(trx, request);
  const waived = corporationId !== null && programme.corporate_holder_kyc === 'waived';
  const person =
    customerId === null
      ? null
      : await requireHolder(trx, request.programmeId, customerId, passedBy(waived, product));
  const corporation = corporationId === null ? null : await requireEmployer(trx, request, corporationId);
  await requireBalance(trx, request, product);
  if ((person?.transactional_locks ?? 0) > 0) throw lockedUser();
  if (corporation !== null) refuseStanding(corporation);
  await requireRoom(trx, request.balanceId, product.max_cards_per_balance);
  return product;
}

const passedBy = (kycWaived: boolean, { anonymous }: Pick<CardProduct, 'anonymous'>): Passed => {
  if (kycWaived) return 'SCREENING';
  return anonymous ? 'NOTHING' : 'KYC';
};

/**
 * Asks again what the owners of a card must be, once the processor has made it (cards 2): their rows are held until
 * the transaction ends. The lock that this very card may have brought its holder does not count. Throws as
 * `requireCardRequest`.
 */
export async function requireOwnersStill(trx: Trx, card: Selectable<CardsTable>): Promise<void> {
  const { programme_id: programmeId, customer_id: customerId, corporation_id: corporationId } = card;
  const product = await trx
    .selectFrom('card_products')
    .innerJoin('programmes', 'programmes.programme_id', 'card_products.programme_id')
    .select(['anonymous', 'corporate_holder_kyc'])
    .where('product_id', '=', card.product_id)
    .executeTakeFirstOrThrow();
  const waived = corporationId !== null && product.corporate_holder_kyc === 'waived';
  if (customerId !== null) await requireHolder(trx, programmeId, customerId, passedBy(waived, product));
  const corporation =
    corporationId === null ? null : await requireEmployer(trx, { programmeId, customerId }, corporationId);
  const { partner_id: partnerId } = card;
  if (customerId !== null && (await isLockedOtherwise(trx, { customerId, partnerId }))) throw lockedUser();
  if (corporationId === null || corporation === null) return;
  const locked = await isLockedOtherwise(trx, { corporationId, partnerId });
  refuseStanding({ ...corporation, transactionalLocks: locked ? corporation.transactionalLocks : 0 });
}

/** The lock that the card itself has brought does not take it away. */
const isLockedOtherwise = async (trx: Trx, holder: LockHolder): Promise<boolean> =>
  (await locksOf(trx, holder)).some((lock) => lock.reason !== MANY_CARDS);

const lockedUser = () => new Refusal('TRANSACTIONAL_LOCK', 'The user has a transactional lock.');

async function requireProduct(trx: Trx, request: RequestedCard): Promise<CardProduct> {
  const product = await trx
    .selectFrom('card_products')
    .selectAll()
    .where('programme_id', '=', request.programmeId)
    .where('config_id', '=', request.configId)
    .where('state', '=', 'ACTIVE')
    .executeTakeFirst();
  if (product === undefined) throw new Refusal('CARD_PRODUCT_NOT_FOUND', 'There is no such card product.');
  const others = request.corporationId === null ? 'corporation' : 'user';
  if (product.kind !== request.kind || product.holder === others) {
    throw new Refusal('CARD_PRODUCT_MISMATCH', 'This card product is of another kind or for other holders.');
  }
  return product;
}

/** What a holder has to have passed: kyc, a screening where the programme waives kyc, nothing for an anonymous card. */
type Passed = 'KYC' | 'SCREENING' | 'NOTHING';

const programmeOf = (trx: Trx, programmeId: number) =>
  trx
    .selectFrom('programmes')
    .select(['state', 'corporate_holder_kyc'])
    .where('programme_id', '=', programmeId)
    .executeTakeFirstOrThrow();

async function requireHolder(trx: Trx, programmeId: number, customerId: number, needed: Passed) {
  const holder = await trx
    .selectFrom('customers')
    .select(['state', 'kyc', 'screened_at', 'transactional_locks'])
    .where('customer_id', '=', customerId)
    .where('programme_id', '=', programmeId)
    .forShare()
    .executeTakeFirst();
  if (holder === undefined || holder.state === 'DELETED')
    throw new Refusal('USER_NOT_FOUND', 'There is no such user.');
  if (holder.state === 'LOCKED') throw new Refusal('USER_NOT_ACTIVE', 'The user is locked.');
  if (holder.kyc !== 'SUCCESS' && needed === 'KYC') {
    throw new Refusal('KYC_REQUIRED', 'The user has to be verified first.');
  }
  if (holder.kyc !== 'SUCCESS' && needed === 'SCREENING' && holder.screened_at === null) {
    throw new Refusal('KYC_REQUIRED', 'The user has to be screened first, which is under way.');
  }
  return holder;
}

/** The corporation, with a place for its transactional locks to be looked at later in the order. */
async function requireEmployer(
  trx: Trx,
  { programmeId, customerId }: Pick<RequestedCard, 'programmeId' | 'customerId'>,
  corporationId: string,
): Promise<CorporationStanding> {
  const corporation = await holdCorporation(trx, [programmeId], corporationId, 'share');
  refuseStanding({ ...corporation, transactionalLocks: 0 });
  if (customerId === null) return corporation;
  const employee = await trx
    .selectFrom('employees')
    .select('employee_id')
    .where('corporation_id', '=', corporationId)
    .where('customer_id', '=', customerId)
    .where('state', '=', 'ACTIVE')
    .executeTakeFirst();
  if (employee === undefined) {
    throw new Refusal('USER_NOT_IN_CORPORATION', 'The user is not an active employee of the corporation.');
  }
  return corporation;
}

async function requireBalance(trx: Trx, request: RequestedCard, product: CardProduct): Promise<void> {
  const balance = await trx
    .selectFrom('balances')
    .select(['state', 'currency', 'customer_id', 'corporation_id'])
    .where('balance_id', '=', request.balanceId)
    .forNoKeyUpdate()
    .executeTakeFirst();
  const owned =
    request.corporationId === null
      ? balance?.customer_id === request.customerId
      : balance?.corporation_id === request.corporationId;
  if (balance === undefined || !owned) {
    throw new Refusal('BALANCE_NOT_FOUND', 'The owner of the card has no such balance.');
  }
  if (balance.state !== 'ACTIVE') throw new Refusal('BALANCE_NOT_ACTIVE', 'The balance is not active.');
  if (balance.currency !== product.currency) {
    throw new Refusal('CURRENCY_MISMATCH', 'The card product has another currency than the balance.');
  }
}

async function requireRoom(trx: Trx, balanceId: string, most: number): Promise<void> {
  const { live } = await trx
    .selectFrom('cards')
    .select((select) => select.fn.countAll<number>().as('live'))
    .where('balance_id', '=', balanceId)
    .where('base_state', 'in', ['PENDING', 'INACTIVE', 'ACTIVE'])
    .executeTakeFirstOrThrow();
  if (live >= most) throw new Refusal('CARD_LIMIT_REACHED', 'The balance has as many cards as it may have.');
}
