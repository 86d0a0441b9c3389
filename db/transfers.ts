import { Refusal } from '../domain/errors.ts';
import { type PostingRefusal, refuseFunds } from '../domain/internal-posting.ts';
import { accountsOf, availableOf, entryOf, fundingKindOf } from '../domain/ledger.ts';
import { INTERNAL_POSTINGS } from '../domain/transaction-type.ts';
import { newId, type Trx } from './atomically.ts';
import {
  bookEntry,
  type Entry,
  type LockedBalance,
  lockBalances,
  lockPartnerBooks,
  openUnguarded,
  type PartnerBooks,
} from './books.ts';
import type { Programme } from './partners.ts';
import { insertPosting } from './posting-rows.ts';
import { checkPosting, refusalOf } from './postings.ts';

/** Money moved between two balances of one programme (money 1.1). */
export interface BalanceTransfer {
  readonly programme: Programme;
  readonly fromBalanceId: string;
  readonly toBalanceId: string;
  /** Minor units of the source's currency. */
  readonly amount: number;
  /** Of a conversion; there are none yet. */
  readonly quoteId: string | null;
  readonly description: string;
}

/** The two lifecycles of a transfer; both carry `transferId` as their number. */
export interface TransferResult {
  readonly transferId: string;
  readonly fundingId: string;
  readonly paymentId: string;
}

/**
 * Moves money between balances in one currency: `funding` of the one and `payment` of the other (row 22), each
 * checked like a posting of its own. Throws `BALANCE_NOT_FOUND` (404) unless both are of the programme,
 * `SAME_BALANCE`, `EXTERNAL_TRANSFER_NOT_SUPPORTED`, `QUOTE_REQUIRED`, `QUOTE_EXPIRED`, and what postings are
 * refused with (money 4.5).
 */
export async function transferBetween(trx: Trx, transfer: BalanceTransfer): Promise<TransferResult> {
  const { programme, amount } = transfer;
  const [from, to] = await lockBoth(trx, transfer);
  refusePair(from, to, transfer);
  await check(trx, transfer, from, 'funding');
  await check(trx, transfer, to, 'payment');
  const kind = fundingKindOf(programme.funding);
  const codes = accountsOf('funding', kind);
  const scope = { ...programme, currency: from.currency };
  const unguarded = await openUnguarded(trx, scope, codes);
  const transferId = newId(trx);
  const fundingId = await storeLeg(trx, transfer, transferId, from, 'funding');
  const paymentId = await storeLeg(trx, transfer, transferId, to, 'payment');
  const partner = await lockPartnerBooks(trx, scope, codes);
  const shared = { partnerId: programme.partnerId, currency: from.currency, unguarded, forced: false };
  const entry = (type: Leg, transactionId: string, balance: LockedBalance, books: PartnerBooks): Entry => {
    // The payment is charged to a credit balance that the funding has just filled.
    const credit = codes.includes('PC') ? (books.get('PC') ?? null) : 'unmoved';
    refuse(refuseFunds(balance, credit, { type, amount }));
    const transfers = entryOf(INTERNAL_POSTINGS[type].event, kind, amount);
    return { ...shared, transactionId, transfers, balance, partner: books };
  };
  const funded = await bookEntry(trx, entry('funding', fundingId, from, partner));
  await bookEntry(trx, entry('payment', paymentId, to, funded.partner));
  return { transferId, fundingId, paymentId };
}

type Leg = 'funding' | 'payment';

/** Locks both balances in one statement, in the order of their ids whichever way the money goes. */
async function lockBoth(
  trx: Trx,
  { programme, fromBalanceId, toBalanceId }: BalanceTransfer,
): Promise<readonly [LockedBalance, LockedBalance]> {
  const locked = await lockBalances(trx, [fromBalanceId, toBalanceId]);
  const [from, to] = [locked.get(fromBalanceId), locked.get(toBalanceId)];
  if (from?.programme_id !== programme.programmeId || to?.programme_id !== programme.programmeId) {
    throw new Refusal('BALANCE_NOT_FOUND', 'There is no such balance.');
  }
  return [from, to];
}

function refusePair(from: LockedBalance, to: LockedBalance, { quoteId }: BalanceTransfer): void {
  if (from.balance_id === to.balance_id) {
    throw new Refusal('SAME_BALANCE', 'The two balances have to be different ones.');
  }
  if (from.holder === 'external' || to.holder === 'external') {
    throw new Refusal(
      'EXTERNAL_TRANSFER_NOT_SUPPORTED',
      'Balances held at the partner take no part in transfers.',
    );
  }
  if (from.currency === to.currency) return;
  if (quoteId === null) {
    throw new Refusal('QUOTE_REQUIRED', 'The balances have different currencies: send a quoteId.');
  }
  throw new Refusal('QUOTE_EXPIRED', 'There is no such quote, or it has expired.');
}

async function check(
  trx: Trx,
  { programme, amount }: BalanceTransfer,
  balance: LockedBalance,
  type: Leg,
): Promise<void> {
  refuse((await checkPosting(trx, { programme, type, amount, currency: null }, balance)).refused);
}

function refuse(refused: PostingRefusal | null): void {
  if (refused !== null) throw refusalOf(refused);
}

async function storeLeg(
  trx: Trx,
  { programme, amount, description }: BalanceTransfer,
  transferId: string,
  balance: LockedBalance,
  type: Leg,
): Promise<string> {
  const { category } = INTERNAL_POSTINGS[type];
  const before = availableOf(balance);
  return await insertPosting(trx, {
    programme,
    type,
    category,
    resource: 'balance',
    customerId: balance.customer_id,
    corporationId: balance.corporation_id,
    balanceId: balance.balance_id,
    externalId: transferId,
    amount,
    currency: balance.currency,
    refused: null,
    description,
    before,
    after: category === 'CREDIT' ? before + amount : before - amount,
    event: 'POSTING',
    action: 'transaction.posted',
    audited: { transferId },
    tellPartner: true,
  });
}
