import { nowOf } from '../../db/atomically.ts';
import { findPartnerBalance, listPartnerBalances } from '../../db/partner-balances.ts';
import { listTransactions } from '../../db/transactions.ts';
import { Refusal } from '../../domain/errors.ts';
import { readPage } from '../pagination.ts';
import { partnerRoute, programmeIds } from '../partner-principal.ts';
import { partnerBalanceSchema, toPartnerBalance } from '../schemas/partner-balance.ts';
import { currencyCode, listOf, page, timeSpan, uuid, withinSpan, word, z } from '../schemas/shared.ts';
import { toTransaction, transactionSchema } from '../schemas/transaction.ts';

const shared = {
  role: { scopes: ['partner'] },
  owner: 'programme',
  jwe: 'open',
  idempotency: 'ignored',
  method: 'GET',
} as const;

const list = partnerRoute({
  ...shared,
  operation: 'listPartnerBalances',
  path: '/partner-balances',
  summary: 'List the partner balances of your programmes',
  query: z.strictObject({
    ...page,
    programmeId: uuid().optional(),
    kind: word(['credit', 'deposit', 'company', 'ibanTechnical']).optional(),
    currency: currencyCode().optional(),
  }),
  answers: { 200: { description: 'partner balances', schema: listOf(partnerBalanceSchema) } },
  refusals: ['INVALID_CURSOR'],
  handle: async (call) => {
    const { limit, cursor, programmeId, ...filters } = call.query;
    const ids = call.principal.programmes
      .filter((one) => programmeId === undefined || one.publicId === programmeId)
      .map((one) => one.programmeId);
    const body = await call.atomically((trx) =>
      readPage(
        call.services.vault,
        {
          principal: call.principal.partnerPublicId,
          operation: 'listPartnerBalances',
          filters: { ids, ...filters },
        },
        { limit, cursor },
        call.services.nowMs(),
        (before, most) => listPartnerBalances(trx, { programmeIds: ids, ...filters, before, limit: most }),
        (balance) => balance.partner_balance_id,
        (balance) => toPartnerBalance(balance, nowOf(trx)),
      ),
    );
    return { status: 200, body };
  },
});

const read = partnerRoute({
  ...shared,
  operation: 'readPartnerBalance',
  path: '/partner-balances/{partnerBalanceId}',
  summary: 'Read one partner balance',
  params: z.strictObject({ partnerBalanceId: uuid() }),
  answers: { 200: { description: 'the partner balance', schema: partnerBalanceSchema } },
  refusals: ['BALANCE_NOT_FOUND'],
  handle: async (call) => {
    const body = await call.atomically(async (trx) => {
      const found = await findPartnerBalance(trx, call.params.partnerBalanceId, programmeIds(call.principal));
      if (found === undefined) throw new Refusal('BALANCE_NOT_FOUND', 'There is no such balance.');
      return toPartnerBalance(found, nowOf(trx));
    });
    return { status: 200, body };
  },
});

const listPostings = partnerRoute({
  ...shared,
  operation: 'listPartnerBalanceTransactions',
  path: '/partner-balances/{partnerBalanceId}/transactions',
  summary: 'List what was booked on a partner balance',
  params: z.strictObject({ partnerBalanceId: uuid() }),
  query: withinSpan(z.strictObject({ ...page, ...timeSpan })),
  answers: { 200: { description: 'transactions, newest first', schema: listOf(transactionSchema) } },
  refusals: ['BALANCE_NOT_FOUND', 'INVALID_CURSOR'],
  handle: async (call) => {
    const { partnerBalanceId } = call.params;
    const { limit, cursor, from, to } = call.query;
    const ids = programmeIds(call.principal);
    const body = await call.atomically(async (trx) => {
      const found = await findPartnerBalance(trx, partnerBalanceId, ids);
      if (found === undefined) throw new Refusal('BALANCE_NOT_FOUND', 'There is no such balance.');
      return await readPage(
        call.services.vault,
        {
          principal: call.principal.partnerPublicId,
          operation: 'listPartnerBalanceTransactions',
          filters: { partnerBalanceId, from, to },
        },
        { limit, cursor },
        call.services.nowMs(),
        (before, most) =>
          listTransactions(trx, { programmeIds: ids, partnerBalanceId, from, to, before, limit: most }),
        (transaction) => transaction.id,
        (transaction) => toTransaction(transaction, null),
      );
    });
    return { status: 200, body };
  },
});

export const partnerBalances = [list, read, listPostings];
