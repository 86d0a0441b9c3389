import { sql } from 'kysely';
import { Refusal, type RefusalCode } from '../domain/errors.ts';
import {
  type PostingRefusal,
  type PostingScene,
  refuseFunds,
  refusePosting,
} from '../domain/internal-posting.ts';
import { accountsOf, availableOf, entryOf, fundingKindOf } from '../domain/ledger.ts';
import { INTERNAL_POSTINGS, type InternalType } from '../domain/transaction-type.ts';
import type { Trx } from './atomically.ts';
import { bookEntry, type LockedBalance, lockBalances, lockPartnerBooks, openUnguarded } from './books.ts';
import type { Programme } from './partners.ts';
import { insertPosting } from './posting-rows.ts';
import { type Reference, type ResolvedReference, resolveReference } from './references.ts';

/** A posting on a balance of a customer or corporation by its partner (money 4.5). */
export interface InternalPosting {
  readonly programme: Programme;
  readonly balanceId: string;
  /** Null = a word that names no type: refused, and recorded as such. */
  readonly type: InternalType | null;
  /** Minor units; what is not positive is refused and recorded. */
  readonly amount: number;
  /** Null = the balance's own. */
  readonly currency: string | null;
  /** The caller's number for it; not unique. */
  readonly externalId: string;
  readonly reference?: Reference | null;
  readonly description: string;
  readonly transactionData?: Readonly<Record<string, unknown>>;
}

/** A posting ends in one of two ways; both are stored, so that a repeat is answered the same. */
export type PostingResult =
  | { readonly posted: true; readonly transactionId: string }
  /** 422 with this code; the transaction records the refusal. */
  | { readonly posted: false; readonly transactionId: string; readonly refusal: Refusal };

const DETAILS: Readonly<Partial<Record<RefusalCode, string>>> = {
  UNKNOWN_TRANSACTION_TYPE: 'There is no such transaction type.',
  INVALID_AMOUNT: 'The amount has to be more than zero, and no more than the balance can hold.',
  BALANCE_NOT_FOUND: 'The balance takes no such posting in its state.',
  CUSTOMER_NOT_FOUND: 'The owner of the balance is locked or deleted.',
  CURRENCY_MISMATCH: 'The balance has another currency.',
  REFERENCED_TRANSACTION_NOT_FOUND: 'The balance has no successful transaction of that number.',
  AMBIGUOUS_REFERENCED_TRANSACTION: 'The balance has several transactions of that number: send referenceId.',
  AML_EXCEPTION: 'The owner of the balance may not transact.',
  LIMIT_EXCEED: 'The programme does not allow that much in one posting of this type.',
  COLLATERAL_BALANCE_NOT_FOUND: 'There is no credit balance in this currency.',
  INSUFFICIENT_FUNDS_ON_COLLATERAL_BALANCE: 'The credit balance does not cover the amount.',
  INSUFFICIENT_FUNDS: 'The balance does not cover the amount.',
};

/** A refused posting as it is told to the caller: 422, also where the code stands for 404 elsewhere. */
export function refusalOf({ description }: PostingRefusal): Refusal {
  // A posting is refused with codes of its chapter alone (money 4.5), all of which are told.
  const code = description as Extract<PostingRefusal['description'], RefusalCode>;
  return new Refusal(code, DETAILS[code] ?? 'The posting was refused.', { status: 422 });
}

/** Refuses a posting on money that the platform does not hold. Throws `SERVICE_UNAVAILABLE`. */
export function refuseExternal(balance: Pick<LockedBalance, 'holder'>): void {
  if (balance.holder === 'platform') return;
  throw new Refusal('SERVICE_UNAVAILABLE', 'Balances held at the partner are not part of this release.');
}

/**
 * Posts on a balance: the checks of money 4.5 in their order, the row of the posting table, the transaction
 * with its event, transfers, outbox and audit rows. Throws `BALANCE_NOT_FOUND` (404) for a balance that is not
 * of this programme, `SERVICE_UNAVAILABLE` for one that the partner holds; all other refusals are values.
 */
export async function postInternal(trx: Trx, posting: InternalPosting): Promise<PostingResult> {
  const { programme } = posting;
  const balance = (await lockBalances(trx, [posting.balanceId])).get(posting.balanceId);
  if (balance?.programme_id !== programme.programmeId) {
    throw new Refusal('BALANCE_NOT_FOUND', 'There is no such balance.');
  }
  refuseExternal(balance);
  const { refused, reference } = await checkPosting(trx, posting, balance);
  if (refused !== null || posting.type === null) {
    return await storeRefusal(trx, posting, balance, reference, refused ?? UNKNOWN_TYPE);
  }
  const { amount, type } = posting;
  const kind = fundingKindOf(programme.funding);
  const { event } = INTERNAL_POSTINGS[type];
  const codes = accountsOf(event, kind);
  const scope = { ...programme, currency: balance.currency };
  const unguarded = await openUnguarded(trx, scope, codes);
  const transfers = entryOf(event, kind, amount);

  // The partner's balance is hot: all other rows are written before it is locked, and undone if it is short.
  await sql`savepoint posting`.execute(trx);
  const transactionId = await storePosting(trx, posting, balance, reference, null);
  const partner = await lockPartnerBooks(trx, scope, codes);
  const credit = codes.includes('PC') ? (partner.get('PC') ?? null) : 'unmoved';
  const short = refuseFunds(balance, credit, { type, amount });
  if (short !== null) {
    await sql`rollback to savepoint posting`.execute(trx);
    return await storeRefusal(trx, posting, balance, reference, short);
  }
  await bookEntry(trx, {
    transactionId,
    partnerId: programme.partnerId,
    currency: balance.currency,
    transfers,
    balance,
    partner,
    unguarded,
    forced: false,
  });
  return { posted: true, transactionId };
}

const UNKNOWN_TYPE: PostingRefusal = { description: 'UNKNOWN_TRANSACTION_TYPE', reason: null };

export interface CheckedPosting {
  readonly refused: PostingRefusal | null;
  /** Null when nothing is referred to. */
  readonly reference: ResolvedReference | null;
}

/** Everything but funds: what the posting refers to and its owner are read, then the checks decide. */
export async function checkPosting(
  trx: Trx,
  posting: Pick<InternalPosting, 'programme' | 'type' | 'amount' | 'currency' | 'reference'>,
  balance: LockedBalance,
): Promise<CheckedPosting> {
  const reference = posting.reference
    ? await resolveReference(trx, balance.balance_id, posting.reference)
    : null;
  const owner = await ownerOf(trx, balance);
  const ceilings = posting.programme.postingCeilings;
  const scene = { balance, owner, reference: reference?.result ?? null, ceilings };
  return { refused: refusePosting(scene, posting), reference };
}

async function ownerOf(trx: Trx, balance: LockedBalance): Promise<PostingScene['owner']> {
  if (balance.corporation_id !== null) {
    const company = await trx
      .selectFrom('corporations')
      .select(['state', 'kyb as verified', 'transactional_locks as transactionalLocks'])
      .where('corporation_id', '=', balance.corporation_id)
      .executeTakeFirst();
    return company === undefined ? null : { kind: 'CORPORATION', ...company };
  }
  const customer = await trx
    .selectFrom('customers')
    .select(['state', 'kyc as verified', 'transactional_locks as transactionalLocks'])
    .where('customer_id', '=', balance.customer_id)
    .executeTakeFirst();
  return customer === undefined ? null : { kind: 'CUSTOMER', ...customer };
}

async function storeRefusal(
  trx: Trx,
  posting: InternalPosting,
  balance: LockedBalance,
  reference: ResolvedReference | null,
  refused: PostingRefusal,
): Promise<PostingResult> {
  const transactionId = await storePosting(trx, posting, balance, reference, refused);
  return { posted: false, transactionId, refusal: refusalOf(refused) };
}

async function storePosting(
  trx: Trx,
  posting: InternalPosting,
  balance: LockedBalance,
  reference: ResolvedReference | null,
  refused: PostingRefusal | null,
): Promise<string> {
  const category = posting.type === null ? 'DEBIT' : INTERNAL_POSTINGS[posting.type].category;
  const amount = Math.max(0, posting.amount);
  const before = availableOf(balance);
  const moved = category === 'CREDIT' ? amount : -amount;
  return await insertPosting(trx, {
    programme: posting.programme,
    type: posting.type ?? 'unknown',
    category,
    resource: 'balance',
    customerId: balance.customer_id,
    corporationId: balance.corporation_id,
    balanceId: balance.balance_id,
    externalId: posting.externalId,
    reference: posting.reference
      ? {
          id: reference?.found?.id ?? null,
          externalId: posting.reference.externalId ?? reference?.found?.externalId ?? null,
        }
      : null,
    amount,
    currency: posting.currency ?? balance.currency,
    refused,
    description: posting.description,
    transactionData: posting.transactionData ?? {},
    before,
    after: refused === null ? before + moved : before,
    event: 'POSTING',
    action: 'transaction.posted',
    tellPartner: true,
  });
}
