import { nowOf, type Trx } from '../../db/atomically.ts';
import { balanceSummary } from '../../db/balance-summary.ts';
import { putAlert } from '../../db/partner-balance-alerts.ts';
import {
  findPartnerBalance,
  listPartnerBalances,
  type PartnerBalanceRow,
} from '../../db/partner-balances.ts';
import { listTransactions } from '../../db/transactions.ts';
import { Refusal } from '../../domain/errors.ts';
import { defaultRearmLevel } from '../../domain/partner-balance-alert.ts';
import {
  adminRoute,
  type OperatorPrincipal,
  operatorProgrammeIds,
  programmeNamed,
} from '../operator-principal.ts';
import { alertBody, partnerBalanceSchema, toPartnerBalance } from '../schemas/partner-balance.ts';
import { currencyCode, listOf, page, timeSpan, uuid, withinSpan, word, z } from '../schemas/shared.ts';
import { toTransaction, transactionSchema } from '../schemas/transaction.ts';
import { LIST_REFUSALS, listAnswer, listQuery, operatorPage, programmesNamed } from './lists.ts';

const reading = { permission: 'balances.read', jwe: 'open', idempotency: 'ignored', method: 'GET' } as const;
const params = z.strictObject({ partnerBalanceId: uuid() });

const list = adminRoute({
  ...reading,
  operation: 'adminListPartnerBalances',
  path: '/partner-balances',
  summary: 'List partner balances',
  query: z.strictObject({
    ...listQuery('createdAt', 'amount'),
    programmeId: uuid().optional(),
    kind: word(['credit', 'deposit', 'company', 'ibanTechnical']).optional(),
    currency: currencyCode().optional(),
  }),
  answers: { 200: { description: 'partner balances', schema: listOf(partnerBalanceSchema) } },
  refusals: LIST_REFUSALS,
  handle: async (call) => {
    const { limit, cursor, sort, format, ...filters } = call.query;
    const { programmeId, ...wanted } = filters;
    const programmeIds = programmesNamed(call.principal, programmeId);
    return await call.atomically((trx) =>
      listAnswer(trx, call, {
        operation: 'adminListPartnerBalances',
        filters,
        asked: { limit, cursor, sort, format },
        orders: { createdAt: 'id', amount: 'amount' },
        read: (order, most) => listPartnerBalances(trx, { programmeIds, ...wanted, order, limit: most }),
        idOf: (balance) => balance.partner_balance_id,
        sortValue: (balance) => balance.posted,
        present: (rows) => rows.map((balance) => toPartnerBalance(balance, nowOf(trx))),
        columns: ['id', 'kind', 'currency', 'amount', 'state', 'alert'],
      }),
    );
  },
});

const read = adminRoute({
  ...reading,
  operation: 'adminReadPartnerBalance',
  path: '/partner-balances/{partnerBalanceId}',
  summary: 'Read one partner balance',
  params,
  answers: { 200: { description: 'the partner balance', schema: partnerBalanceSchema } },
  refusals: ['BALANCE_NOT_FOUND'],
  handle: async (call) => ({
    status: 200,
    body: await call.atomically(async (trx) =>
      toPartnerBalance(
        await requirePartnerBalance(trx, call.principal, call.params.partnerBalanceId),
        nowOf(trx),
      ),
    ),
  }),
});

const listPostings = adminRoute({
  ...reading,
  operation: 'adminListPartnerBalanceTransactions',
  path: '/partner-balances/{partnerBalanceId}/transactions',
  summary: 'List what was booked on a partner balance',
  params,
  query: withinSpan(z.strictObject({ ...page, ...timeSpan })),
  answers: { 200: { description: 'transactions, newest first', schema: listOf(transactionSchema) } },
  refusals: ['BALANCE_NOT_FOUND', 'INVALID_CURSOR'],
  handle: async (call) => {
    const { partnerBalanceId } = call.params;
    const { limit, cursor, ...filters } = call.query;
    const programmeIds = operatorProgrammeIds(call.principal);
    const body = await call.atomically(async (trx) => {
      await requirePartnerBalance(trx, call.principal, partnerBalanceId);
      return await operatorPage(call, {
        operation: 'adminListPartnerBalanceTransactions',
        filters: { partnerBalanceId, ...filters },
        page: { limit, cursor },
        read: (before, most) =>
          listTransactions(trx, { programmeIds, partnerBalanceId, ...filters, before, limit: most }),
        positionOf: (transaction) => transaction.id,
        toItem: (transaction) => toTransaction(transaction, null),
      });
    });
    return { status: 200, body };
  },
});

const summarySchema = z
  .strictObject({
    currency: z.string(),
    users: z.int(),
    usersExternal: z.int().nullable(),
    usersExternalAsOf: z.string().nullable(),
    credit: z.int(),
    deposit: z.int(),
    company: z.int(),
    ibanTechnical: z.int(),
    wallet: z.int(),
  })
  .openapi('BalanceSummary');

const summary = adminRoute({
  ...reading,
  operation: 'readBalanceSummary',
  path: '/balance-summary',
  summary: 'Money of users and of partners by currency',
  query: z.strictObject({ programmeId: uuid().optional() }),
  answers: { 200: { description: 'one row a currency', schema: listOf(summarySchema) } },
  refusals: ['PROGRAMME_NOT_FOUND'],
  handle: async (call) => {
    const { programmeId } = call.query;
    const ids =
      programmeId === undefined
        ? operatorProgrammeIds(call.principal)
        : [programmeNamed(call.principal, programmeId).programmeId];
    const items = await call.atomically((trx) => balanceSummary(trx, ids));
    return { status: 200, body: { items, nextCursor: null } };
  },
});

const putAlertRoute = adminRoute({
  operation: 'adminPutPartnerBalanceAlert',
  method: 'PUT',
  path: '/partner-balances/{partnerBalanceId}/alert',
  summary: 'Have people mailed when a partner balance is low',
  permission: 'balances.write',
  jwe: 'open',
  idempotency: 'accepted',
  params,
  body: alertBody,
  answers: { 200: { description: 'the partner balance with its alert', schema: partnerBalanceSchema } },
  refusals: ['BALANCE_NOT_FOUND', 'REARM_BELOW_THRESHOLD'],
  handle: (call) =>
    call.once(async (trx) => {
      const { partnerBalanceId } = call.params;
      const balance = await requirePartnerBalance(trx, call.principal, partnerBalanceId);
      const { threshold, rearmLevel } = call.body;
      await putAlert(
        trx,
        { partnerBalanceId, partnerId: balance.partner_id },
        { ...call.body, rearmLevel: rearmLevel ?? defaultRearmLevel(threshold) },
      );
      const changed = await requirePartnerBalance(trx, call.principal, partnerBalanceId);
      return { status: 200, body: toPartnerBalance(changed, nowOf(trx)) };
    }),
});

/** A partner balance in the operator's scope. Throws `BALANCE_NOT_FOUND`. */
export async function requirePartnerBalance(
  trx: Trx,
  principal: OperatorPrincipal,
  partnerBalanceId: string,
): Promise<PartnerBalanceRow> {
  const found = await findPartnerBalance(trx, partnerBalanceId, operatorProgrammeIds(principal));
  if (found === undefined) throw new Refusal('BALANCE_NOT_FOUND', 'There is no such balance.');
  return found;
}

export const partnerBalances = [list, read, listPostings, summary, putAlertRoute];
