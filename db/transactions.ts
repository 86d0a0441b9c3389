import { type Kysely, type Selectable, type SelectQueryBuilder, sql } from 'kysely';
import { readTraceText, type ReadableTrace } from '../domain/decision-trace.ts';
import { firstIdAt } from '../domain/ids.ts';
import type { EventKind } from '../domain/transaction.ts';
import type { LifecycleState } from '../domain/transaction.ts';
import type { Database, TransactionEventsTable, TransactionsTable } from './database.ts';
import { byId, inOrder, type Keyset } from './keyset.ts';

export type TransactionRow = Selectable<TransactionsTable>;
export type TransactionEventRow = Selectable<TransactionEventsTable>;

interface Look {
  readonly programmeIds: readonly number[];
  readonly customerId?: number | undefined;
}

/** One transaction of the programmes in `look`, or undefined: somebody else's is as good as none. */
export async function findTransaction(
  db: Kysely<Database>,
  id: string,
  look: Look,
): Promise<TransactionRow | undefined> {
  if (look.programmeIds.length === 0) return undefined;
  let query = db
    .selectFrom('transactions')
    .selectAll()
    .where('id', '=', id)
    .where('programme_id', 'in', look.programmeIds);
  if (look.customerId !== undefined) query = query.where('customer_id', '=', look.customerId);
  return await query.executeTakeFirst();
}

/** One transaction by its id, whoever's it is; row security still applies. Throws when there is none. */
export const readTransaction = async (db: Kysely<Database>, id: string): Promise<TransactionRow> =>
  await db.selectFrom('transactions').selectAll().where('id', '=', id).executeTakeFirstOrThrow();

export interface TransactionFilter {
  readonly programmeIds: readonly number[];
  readonly customerId?: number | undefined;
  readonly balanceId?: string | undefined;
  readonly partnerBalanceId?: string | undefined;
  readonly cardId?: number | undefined;
  readonly externalId?: string | undefined;
  readonly type?: string | undefined;
  readonly category?: 'CREDIT' | 'DEBIT' | undefined;
  readonly currency?: string | undefined;
  readonly retrievalReferenceNumber?: string | undefined;
  readonly lastFour?: string | undefined;
  readonly minAmount?: number | undefined;
  readonly maxAmount?: number | undefined;
  /** States that the page may hold; owners do not see INVALID ones (money 4.6). */
  readonly states?: readonly LifecycleState[] | undefined;
  readonly from?: Date | undefined;
  readonly to?: Date | undefined;
  readonly corporationId?: string | undefined;
  readonly mcc?: string | undefined;
  readonly merchantName?: string | undefined;
  /** Of the acquirer, as the network tells it. */
  readonly country?: string | undefined;
  /** Id of the last one of the page before. */
  readonly before?: string | undefined;
  /** Instead of the newest first, before `before`. */
  readonly order?: Keyset<TransactionOrder>;
  readonly limit: number;
}

// A time of the wire has milliseconds: a page can only go on from where it says that it ended.
const ORDERS = { id: sql`id`, date: sql`date_trunc('milliseconds', occurred_at)`, amount: sql`amount` };
export type TransactionOrder = keyof typeof ORDERS;

/** Transactions, newest first. Ids order by time, so the id of the last row is the cursor of the next page. */
export async function listTransactions(
  db: Kysely<Database>,
  filter: TransactionFilter,
): Promise<TransactionRow[]> {
  if (filter.programmeIds.length === 0) return [];
  let query = db.selectFrom('transactions').selectAll().where('programme_id', 'in', filter.programmeIds);
  if (filter.customerId !== undefined) query = ofCustomer(query, filter.customerId);
  if (filter.balanceId !== undefined) query = query.where('balance_id', '=', filter.balanceId);
  if (filter.partnerBalanceId !== undefined) {
    query = query.where('partner_balance_id', '=', filter.partnerBalanceId);
  }
  if (filter.cardId !== undefined) query = query.where('card_id', '=', filter.cardId);
  if (filter.externalId !== undefined) query = query.where('external_id', '=', filter.externalId);
  if (filter.type !== undefined) query = query.where('type', '=', filter.type);
  if (filter.category !== undefined) query = query.where('category', '=', filter.category);
  if (filter.currency !== undefined) query = query.where('currency', '=', filter.currency);
  if (filter.retrievalReferenceNumber !== undefined) {
    query = query.where('rrn', '=', filter.retrievalReferenceNumber);
  }
  if (filter.lastFour !== undefined) query = query.where('last_four_digits', '=', filter.lastFour);
  if (filter.minAmount !== undefined) query = query.where('amount', '>=', filter.minAmount);
  if (filter.maxAmount !== undefined) query = query.where('amount', '<=', filter.maxAmount);
  if (filter.states !== undefined) query = query.where('state', 'in', filter.states);
  // The id carries the time of creation: bounds on it also leave out whole partitions.
  if (filter.from !== undefined) query = query.where('id', '>=', firstIdAt(filter.from.getTime()));
  if (filter.to !== undefined) query = query.where('id', '<', firstIdAt(filter.to.getTime()));
  if (filter.corporationId !== undefined) query = query.where('corporation_id', '=', filter.corporationId);
  for (const [key, value] of [
    ['mcc', filter.mcc],
    ['merchantName', filter.merchantName],
    ['acquirerCountry', filter.country],
  ] as const) {
    if (value !== undefined) query = query.where(sql<boolean>`transaction_data ->> ${key} = ${value}`);
  }
  return await inOrder(query, ORDERS, filter.order ?? byId(filter.before), filter.limit).execute();
}

/** The transactions have no index by customer: they are found by the few balances that the customer has. */
const ofCustomer = (query: TransactionQuery, customerId: number): TransactionQuery =>
  query
    .where('customer_id', '=', customerId)
    .where('balance_id', 'in', (balances) =>
      balances
        .selectFrom('balances')
        .select('balances.balance_id')
        .where('balances.customer_id', '=', customerId),
    );

type TransactionQuery = SelectQueryBuilder<Database, 'transactions', TransactionRow>;

/** Events of a transaction in their order. */
export const listEvents = async (db: Kysely<Database>, id: string): Promise<TransactionEventRow[]> =>
  await db
    .selectFrom('transaction_events')
    .selectAll()
    .where('transaction_id', '=', id)
    .orderBy('seq')
    .execute();

/** One debit and credit of a transaction, by the letters of the chart of accounts (money 3). */
export interface Posting {
  readonly eventSeq: number;
  readonly seq: number;
  readonly debit: string;
  readonly credit: string;
  readonly amount: number;
  readonly currency: string;
  readonly state: 'PENDING' | 'POSTED' | 'VOIDED';
  readonly createdAt: Date;
}

/** The ledger transfers of a transaction in their order. */
export const listPostings = async (db: Kysely<Database>, id: string): Promise<Posting[]> =>
  await db
    .selectFrom('ledger_transfers as transfer')
    .innerJoin('ledger_accounts as debit', 'debit.account_id', 'transfer.debit_account')
    .innerJoin('ledger_accounts as credit', 'credit.account_id', 'transfer.credit_account')
    .where('transfer.transaction_id', '=', id)
    .select([
      'transfer.event_seq as eventSeq',
      'transfer.seq',
      'debit.code as debit',
      'credit.code as credit',
      'transfer.amount',
      'transfer.currency',
      'transfer.state',
      'transfer.created_at as createdAt',
    ])
    .orderBy('transfer.event_seq')
    .orderBy('transfer.seq')
    .execute();

/** A transaction as it stood after one of its events: what a partner is told of that event. */
export interface TransactionStep {
  readonly transaction: TransactionRow;
  readonly event: TransactionEventRow;
  /** The event's own values where it has them, else the transaction's. */
  readonly amount: number;
  readonly externalId: string;
  readonly occurredAt: Date;
}

/** One event with its transaction, or undefined. */
export async function findStep(
  db: Kysely<Database>,
  transactionId: string,
  eventSeq: number,
): Promise<TransactionStep | undefined> {
  const transaction = await db
    .selectFrom('transactions')
    .selectAll()
    .where('id', '=', transactionId)
    .executeTakeFirst();
  const event = await db
    .selectFrom('transaction_events')
    .selectAll()
    .where('transaction_id', '=', transactionId)
    .where('seq', '=', eventSeq)
    .executeTakeFirst();
  if (transaction === undefined || event === undefined) return undefined;
  return {
    transaction,
    event,
    amount: event.amount ?? transaction.amount,
    externalId: event.external_id ?? transaction.external_id,
    occurredAt: event.occurred_at ?? transaction.occurred_at,
  };
}

/** One decision of a transaction as it can be read again (authorization 15). */
export interface DecisionTrace extends ReadableTrace {
  readonly seq: number;
  readonly kind: EventKind;
  readonly result: 'APPROVED' | 'DECLINED' | 'ACKNOWLEDGED';
  readonly description: string;
  readonly reason: string | null;
  readonly decidedBy: string | null;
  readonly at: Date;
}

const TRACED: readonly EventKind[] = [
  'AUTHORIZATION',
  'INCREMENT',
  'BALANCE_INQUIRY',
  'REVERSAL',
  'CLEARING',
  'REFUND',
];
const DECIDED: readonly EventKind[] = ['AUTHORIZATION', 'INCREMENT', 'BALANCE_INQUIRY'];

/** The decisions of a transaction with the steps they went through; empty when there is no such transaction. */
export async function readTrace(db: Kysely<Database>, id: string): Promise<DecisionTrace[]> {
  const transaction = await db
    .selectFrom('transactions')
    .select('decided_by')
    .where('id', '=', id)
    .executeTakeFirst();
  const events = transaction === undefined ? [] : await listEvents(db, id);
  return events
    .filter((event) => TRACED.includes(event.kind as EventKind))
    .map((event) => {
      const kind = event.kind as EventKind;
      const asked = DECIDED.includes(kind);
      const approved = event.result === 'APPROVED';
      return {
        ...readTraceText(kind, event.reason, event.trace),
        seq: event.seq,
        kind,
        result: asked ? (approved ? 'APPROVED' : 'DECLINED') : 'ACKNOWLEDGED',
        description: event.result,
        reason: event.reason,
        decidedBy: asked ? (transaction?.decided_by ?? null) : 'NETWORK',
        at: event.created_at,
      };
    });
}
