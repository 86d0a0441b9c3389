import type { ExceptionEffect } from '../domain/decision.ts';
import {
  accountsOf,
  availableOf,
  entryOf,
  fundingKindOf,
  type PostingEvent,
  valueAfterAll,
} from '../domain/ledger.ts';
import type { Trx } from './atomically.ts';
import { bookEntry, type LockedBalance, lockPartnerBooks, openUnguarded } from './books.ts';
import { raiseException } from './exceptions.ts';
import type { Programme } from './partners.ts';
import { insertPosting } from './posting-rows.ts';

/** A row of the posting table that a person books on a balance; everything that could refuse it is checked. */
export interface HandPosting {
  readonly programme: Pick<Programme, 'partnerId' | 'programmeId' | 'funding'>;
  /** Locked. Where the row does not move the customer, it only gives currency and place. */
  readonly balance: LockedBalance;
  readonly event: PostingEvent;
  readonly type: string;
  readonly category: 'CREDIT' | 'DEBIT';
  readonly adjustmentKind?: string;
  /** Minor units, above zero. */
  readonly amount: number;
  readonly externalId: string;
  readonly reference: { readonly id: string; readonly externalId: string } | null;
  readonly reason: string;
  readonly description: string;
  readonly transactionData?: Readonly<Record<string, unknown>>;
  /** What the audit row says beside the posting itself. */
  readonly audited: Readonly<Record<string, unknown>>;
  /** May take the balance, or the partner's deposit, below zero. */
  readonly forced: boolean;
}

/** True where the row moves the customer's money in that programme. */
export const movesCustomer = (event: PostingEvent, { funding }: Pick<Programme, 'funding'>): boolean =>
  accountsOf(event, fundingKindOf(funding)).includes('U');

/**
 * Books one row of the posting table on a balance with its transaction, event, transfers, outbox and audit
 * rows; answers the transaction's id. What it leaves below zero, or moves on a closed balance, is put before
 * people (authorization 13). Engine or owner.
 */
export async function postByHand(trx: Trx, posting: HandPosting): Promise<string> {
  const { programme, balance, event, amount, reason } = posting;
  const { partnerId, programmeId, funding } = programme;
  const { currency, balance_id: balanceId } = balance;
  const kind = fundingKindOf(funding);
  const codes = accountsOf(event, kind);
  const moved = movesCustomer(event, programme) ? balance : null;
  const transfers = entryOf(event, kind, amount);
  const after = { ...balance, ...valueAfterAll(balance, 'U', transfers) };
  const scope = { partnerId, programmeId, currency };
  const unguarded = await openUnguarded(trx, scope, codes);
  const transactionId = await insertPosting(trx, {
    programme,
    type: posting.type,
    category: posting.category,
    ...(posting.adjustmentKind === undefined ? {} : { adjustmentKind: posting.adjustmentKind }),
    ...(moved === null ? NOBODYS : customersOf(moved, after)),
    externalId: posting.externalId,
    reference: posting.reference,
    amount,
    currency,
    refused: null,
    reason,
    description: posting.description,
    transactionData: posting.transactionData ?? {},
    event: 'CORRECTION',
    action: 'balance.adjusted',
    audited: { category: posting.category, reason, balanceId, ...posting.audited },
    tellPartner: moved !== null,
  });
  const partner = await lockPartnerBooks(trx, scope, codes);
  const { forced } = posting;
  const entry = { transactionId, partnerId, currency, transfers, balance: moved, partner, unguarded, forced };
  await bookEntry(trx, entry);
  for (const exception of moved === null ? [] : remarkable(after)) {
    await raiseException(trx, { ...exception, partnerId, transactionId, recordId: null });
  }
  return transactionId;
}

/** What moves nothing of the customer's is not among the customer's transactions. */
const NOBODYS = { resource: 'chargeback', before: null, after: null };

const customersOf = (before: LockedBalance, after: LockedBalance) => ({
  resource: 'balance',
  balanceId: before.balance_id,
  customerId: before.customer_id,
  corporationId: before.corporation_id,
  before: availableOf(before),
  after: availableOf(after),
});

function remarkable(after: LockedBalance): ExceptionEffect[] {
  const available = availableOf(after);
  return [
    ...(available < 0 ? [{ kind: 'NEGATIVE_BALANCE', values: { available } } as const] : []),
    ...(after.state === 'CLOSED' ? [{ kind: 'CLOSED_BALANCE', values: {} } as const] : []),
  ];
}
