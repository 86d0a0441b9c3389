import { deleteBalance } from '../../db/balance-states.ts';
import { listBalancesOf, openBalanceOf, showBalance } from '../balances.ts';
import { partnerRoute, programmeIds } from '../partner-principal.ts';
import { balanceListQuery, balanceSchema } from '../schemas/balance.ts';
import { currencyCode, listOf, pathIntegerId, uuid, z } from '../schemas/shared.ts';

const shared = { role: { scopes: ['partner'] }, owner: 'programme', jwe: 'open' } as const;

const createBalance = partnerRoute({
  ...shared,
  operation: 'createBalance',
  method: 'POST',
  path: '/customers/{customerId}/balances',
  summary: 'Open a balance for a verified user',
  idempotency: 'accepted',
  params: z.strictObject({ customerId: pathIntegerId() }),
  body: z.strictObject({ currency: currencyCode() }),
  answers: { 201: { description: 'the balance, at zero', schema: balanceSchema } },
  refusals: [
    'USER_NOT_FOUND',
    'USER_NOT_ACTIVE',
    'KYC_REQUIRED',
    'TRANSACTIONAL_LOCK',
    'CURRENCY_NOT_SUPPORTED',
  ],
  handle: (call) => openBalanceOf(call, call.params.customerId, call.body.currency),
});

const listCustomerBalances = partnerRoute({
  ...shared,
  operation: 'listBalances',
  method: 'GET',
  path: '/customers/{customerId}/balances',
  summary: 'List the balances of a user',
  idempotency: 'ignored',
  params: z.strictObject({ customerId: pathIntegerId() }),
  query: balanceListQuery,
  answers: { 200: { description: 'balances, newest first', schema: listOf(balanceSchema) } },
  refusals: ['USER_NOT_FOUND', 'INVALID_CURSOR'],
  handle: (call) => listBalancesOf(call, call.params.customerId, call.query),
});

const readBalance = partnerRoute({
  ...shared,
  operation: 'readBalance',
  method: 'GET',
  path: '/customers/{customerId}/balances/{balanceId}',
  aliases: [{ path: '/balances/{balanceId}' }],
  summary: 'Read a balance with its cards',
  idempotency: 'ignored',
  params: z.strictObject({ customerId: pathIntegerId().optional(), balanceId: uuid() }),
  answers: { 200: { description: 'the balance', schema: balanceSchema } },
  refusals: ['BALANCE_NOT_FOUND'],
  handle: (call) => showBalance(call, call.params),
});

const removeBalance = partnerRoute({
  ...shared,
  operation: 'deleteBalance',
  method: 'DELETE',
  path: '/customers/{customerId}/balances/{balanceId}',
  aliases: [{ path: '/balances/{balanceId}' }],
  summary: 'Close an empty balance without live cards for good',
  idempotency: 'accepted',
  params: z.strictObject({ customerId: pathIntegerId().optional(), balanceId: uuid() }),
  answers: { 204: { description: 'closed' } },
  refusals: [
    'BALANCE_NOT_FOUND',
    'STATE_CONFLICT',
    'BALANCE_NOT_EMPTY',
    'BALANCE_HAS_HOLDS',
    'BALANCE_HAS_CARDS',
  ],
  handle: (call) =>
    call.once(async (trx) => {
      await deleteBalance(trx, { ...call.params, programmeIds: programmeIds(call.principal) });
      return { status: 204 };
    }),
});

export const balances = [createBalance, listCustomerBalances, readBalance, removeBalance];
