import { audit } from '../../db/audit-log.ts';
import { nowOf, type Trx } from '../../db/atomically.ts';
import { readCard } from '../../db/cards.ts';
import { readCustomer } from '../../db/customers.ts';
import { deliveriesOfTransaction } from '../../db/deliveries.ts';
import {
  findTransaction,
  listEvents,
  listPostings,
  listTransactions,
  readTrace,
  type TransactionFilter,
  type TransactionOrder,
  type TransactionRow,
} from '../../db/transactions.ts';
import { Refusal } from '../../domain/errors.ts';
import { statesShownAs } from '../../domain/transaction.ts';
import { adminRoute, type OperatorPrincipal, operatorProgrammeIds } from '../operator-principal.ts';
import {
  currencyCode,
  listOf,
  pathIntegerId,
  queryAmount,
  text,
  timeSpan,
  uuid,
  withinSpan,
  word,
  z,
} from '../schemas/shared.ts';
import { toTransaction, transactionSchema } from '../schemas/transaction.ts';
import {
  detailSchema,
  eventSchema,
  toDelivery,
  toEvent,
  toPosting,
  toTrace,
  traceSchema,
} from '../schemas/transaction-detail.ts';
import { LIST_REFUSALS, listAnswer, listQuery } from './lists.ts';

const reading = {
  permission: 'transactions.read',
  jwe: 'open',
  idempotency: 'ignored',
  method: 'GET',
} as const;

const COLUMNS = [
  'id',
  'date',
  'transactionId',
  'cardId',
  'customerId',
  'balanceId',
  'type',
  'category',
  'amount',
  'currency',
  'originalAmount',
  'originalCurrency',
  'status',
  'processingStatus',
  'result',
  'reason',
  'description',
];

const list = adminRoute({
  ...reading,
  operation: 'adminListTransactions',
  path: '/transactions',
  aliases: [
    { path: '/customers/{customerId}/transactions' },
    { path: '/customers/{customerId}/balances/{balanceId}/transactions' },
    { path: '/customers/{customerId}/cards/{cardId}/transactions' },
  ],
  summary: 'List transactions, of everybody or of a user, balance or card',
  description:
    'Of the last seven days, unless `from` or `to` say otherwise or somebody or something is named.',
  params: z.strictObject({
    customerId: pathIntegerId().optional(),
    balanceId: uuid().optional(),
    cardId: pathIntegerId().optional(),
  }),
  query: withinSpan(
    z.strictObject({
      ...listQuery('date', 'amount', 'createdAt'),
      ...timeSpan,
      status: word(['AUTHORIZED', 'CLEARED', 'REVERSED']).optional(),
      processingStatus: word(['SUCCESS', 'DECLINED', 'INVALID']).optional(),
      type: text(1, 64).optional(),
      category: word(['DEBIT', 'CREDIT']).optional(),
      balanceId: uuid().optional(),
      cardId: pathIntegerId().optional(),
      lastFour: z
        .string()
        .regex(/^[0-9]{4}$/, 'must be 4 digits')
        .optional(),
      customerId: pathIntegerId().optional(),
      transactionId: text(1, 64).optional(),
      retrievalReferenceNumber: text(1, 12).optional(),
      minAmount: queryAmount().optional(),
      maxAmount: queryAmount().optional(),
      currency: currencyCode().optional(),
      dcCorporationId: uuid().optional(),
      mcc: z
        .string()
        .regex(/^[0-9]{4}$/, 'must be 4 digits')
        .optional(),
      merchantName: text(1, 255).optional(),
      country: text(2, 3).optional(),
    }),
  ),
  answers: { 200: { description: 'transactions, newest first', schema: listOf(transactionSchema) } },
  refusals: ['USER_NOT_FOUND', ...LIST_REFUSALS],
  handle: async (call) => {
    const { limit, cursor, sort, format, ...filters } = call.query;
    const { status, processingStatus, transactionId, dcCorporationId, ...rest } = filters;
    const named = { ...rest, ...call.params };
    const programmeIds = operatorProgrammeIds(call.principal);
    const states =
      status === undefined && processingStatus === undefined
        ? undefined
        : statesShownAs(status, processingStatus);
    return await call.atomically(async (trx) => {
      const { customerId } = call.params;
      if (customerId !== undefined) await readCustomer(trx, programmeIds, customerId);
      const wanted = {
        programmeIds,
        ...named,
        states,
        externalId: transactionId,
        corporationId: dcCorporationId,
      };
      const recent = isNarrow(wanted) ? {} : { from: new Date(nowOf(trx).getTime() - USUAL_SPAN_MS) };
      return await listAnswer<TransactionRow, TransactionOrder>(trx, call, {
        operation: 'adminListTransactions',
        filters: { ...filters, ...call.params },
        asked: { limit, cursor, sort, format },
        orders: { createdAt: 'id', date: 'date', amount: 'amount' },
        read: (order, most) => listTransactions(trx, { ...wanted, ...recent, order, limit: most }),
        idOf: (transaction) => transaction.id,
        sortValue: (transaction, by) =>
          by === 'amount' ? transaction.amount : transaction.occurred_at.toISOString(),
        present: (rows) => rows.map((transaction) => toTransaction(transaction, null)),
        columns: COLUMNS,
      });
    });
  },
});

const USUAL_SPAN_MS = 7 * 24 * 60 * 60 * 1000;

/** True where the rows are few, or found by an index, however long the time (administration 4.11). */
const isNarrow = (wanted: Omit<TransactionFilter, 'programmeIds' | 'limit'>): boolean =>
  [
    wanted.from,
    wanted.to,
    wanted.customerId,
    wanted.corporationId,
    wanted.balanceId,
    wanted.cardId,
    wanted.externalId,
    wanted.retrievalReferenceNumber,
  ].some((one) => one !== undefined);

const params = z.strictObject({ customerId: pathIntegerId().optional(), transactionId: uuid() });

const read = adminRoute({
  ...reading,
  operation: 'adminReadTransaction',
  path: '/transactions/{transactionId}',
  aliases: [{ path: '/customers/{customerId}/transactions/{transactionId}' }],
  summary: 'Read a transaction with its events, postings and notifications',
  params,
  answers: { 200: { description: 'the transaction', schema: detailSchema } },
  refusals: ['TRANSACTION_NOT_FOUND'],
  handle: async (call) => {
    const body = await call.atomically(async (trx) => {
      const row = await requireTransaction(trx, call.principal, call.params);
      const card = row.card_id === null ? null : await readCard(trx, row.card_id);
      const events = await listEvents(trx, row.id);
      const postings = await listPostings(trx, row.id);
      const notifications = await deliveriesOfTransaction(trx, row.id);
      return {
        ...toTransaction(row, card?.resource_id ?? null),
        events: events.map(toEvent),
        postings: postings.map(toPosting),
        notifications: notifications.map(toDelivery),
      };
    });
    return { status: 200, body };
  },
});

const readEvents = adminRoute({
  ...reading,
  operation: 'listTransactionEvents',
  path: '/transactions/{transactionId}/events',
  summary: 'What happened to a transaction, in order',
  params: z.strictObject({ transactionId: uuid() }),
  answers: { 200: { description: 'its events, oldest first', schema: listOf(eventSchema) } },
  refusals: ['TRANSACTION_NOT_FOUND'],
  handle: async (call) => {
    const items = await call.atomically(async (trx) => {
      const { id } = await requireTransaction(trx, call.principal, call.params);
      return (await listEvents(trx, id)).map(toEvent);
    });
    return { status: 200, body: { items, nextCursor: null } };
  },
});

const readDecisions = adminRoute({
  ...reading,
  operation: 'readTransactionTrace',
  path: '/transactions/{transactionId}/trace',
  summary: 'Why each message of a transaction was decided as it was',
  params: z.strictObject({ transactionId: uuid() }),
  answers: { 200: { description: 'its decisions, oldest first', schema: listOf(traceSchema) } },
  refusals: ['TRANSACTION_NOT_FOUND'],
  handle: async (call) => {
    const items = await call.atomically(async (trx) => {
      const { id, partner_id: partnerId } = await requireTransaction(trx, call.principal, call.params);
      await audit(trx, { action: 'trace.read', objectType: 'transaction', objectId: id, partnerId });
      return (await readTrace(trx, id)).map(toTrace);
    });
    return { status: 200, body: { items, nextCursor: null } };
  },
});

async function requireTransaction(
  trx: Trx,
  principal: OperatorPrincipal,
  { transactionId, customerId }: { readonly transactionId: string; readonly customerId?: number | undefined },
): Promise<TransactionRow> {
  const programmeIds = operatorProgrammeIds(principal);
  const row = await findTransaction(trx, transactionId, { programmeIds, customerId });
  if (row === undefined) throw new Refusal('TRANSACTION_NOT_FOUND', 'There is no such transaction.');
  return row;
}

export const transactions = [list, read, readEvents, readDecisions];
