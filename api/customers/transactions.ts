import { customerRoute } from '../customer-principal.ts';
import { listOf, pathIntegerId, uuid, z } from '../schemas/shared.ts';
import { transactionSchema } from '../schemas/transaction.ts';
import { listTransactionsOf, showTransaction, transactionListQuery } from '../transactions.ts';

const shared = { method: 'GET', jwe: 'open', idempotency: 'ignored' } as const;

const shown = { 200: { description: 'transactions, newest first', schema: listOf(transactionSchema) } };

const list = customerRoute({
  ...shared,
  operation: 'listOwnTransactions',
  path: '/me/transactions',
  summary: 'List your transactions',
  query: transactionListQuery,
  answers: shown,
  refusals: ['BALANCE_NOT_FOUND', 'CARD_NOT_FOUND', 'INVALID_CURSOR'],
  handle: (call) => listTransactionsOf(call, call.principal.customerId, call.query),
});

const listOfBalance = customerRoute({
  ...shared,
  operation: 'listOwnBalanceTransactions',
  path: '/me/balances/{balanceId}/transactions',
  summary: 'List the transactions of one of your balances',
  params: z.strictObject({ balanceId: uuid() }),
  query: transactionListQuery.omit({ balanceId: true }),
  answers: shown,
  refusals: ['BALANCE_NOT_FOUND', 'CARD_NOT_FOUND', 'INVALID_CURSOR'],
  handle: (call) => listTransactionsOf(call, call.principal.customerId, { ...call.query, ...call.params }),
});

const listOfCard = customerRoute({
  ...shared,
  operation: 'listOwnCardTransactions',
  path: '/me/cards/{cardId}/transactions',
  summary: 'List the transactions of one of your cards',
  params: z.strictObject({ cardId: pathIntegerId() }),
  query: transactionListQuery.omit({ cardId: true }),
  answers: shown,
  refusals: ['BALANCE_NOT_FOUND', 'CARD_NOT_FOUND', 'INVALID_CURSOR'],
  handle: (call) => listTransactionsOf(call, call.principal.customerId, { ...call.query, ...call.params }),
});

const read = customerRoute({
  ...shared,
  operation: 'readOwnTransaction',
  path: '/me/transactions/{transactionId}',
  summary: 'Read one of your transactions',
  params: z.strictObject({ transactionId: uuid() }),
  answers: { 200: { description: 'the transaction', schema: transactionSchema } },
  refusals: ['TRANSACTION_NOT_FOUND'],
  handle: (call) => showTransaction(call, { ...call.params, customerId: call.principal.customerId }),
});

export const transactions = [list, listOfBalance, listOfCard, read];
