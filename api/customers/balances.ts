import { deleteBalance } from '../../db/balance-states.ts';
import { listBalancesOf, openBalanceOf, showBalance } from '../balances.ts';
import { customerRoute } from '../customer-principal.ts';
import { programmeIds } from '../reach.ts';
import { balanceListQuery, balanceSchema } from '../schemas/balance.ts';
import { currencyCode, listOf, uuid, z } from '../schemas/shared.ts';

const ofBalance = z.strictObject({ balanceId: uuid() });

const create = customerRoute({
  operation: 'createOwnBalance',
  method: 'POST',
  path: '/me/balances',
  summary: 'Open a balance',
  jwe: 'open',
  idempotency: 'accepted',
  body: z.strictObject({ currency: currencyCode() }),
  answers: { 201: { description: 'the balance, at zero', schema: balanceSchema } },
  refusals: ['USER_NOT_ACTIVE', 'KYC_REQUIRED', 'TRANSACTIONAL_LOCK', 'CURRENCY_NOT_SUPPORTED'],
  handle: (call) => openBalanceOf(call, call.principal.customerId, call.body.currency),
});

const list = customerRoute({
  operation: 'listOwnBalances',
  method: 'GET',
  path: '/me/balances',
  summary: 'List your balances',
  jwe: 'open',
  idempotency: 'ignored',
  query: balanceListQuery,
  answers: { 200: { description: 'balances, newest first', schema: listOf(balanceSchema) } },
  refusals: ['INVALID_CURSOR'],
  handle: (call) => listBalancesOf(call, call.principal.customerId, call.query),
});

const read = customerRoute({
  operation: 'readOwnBalance',
  method: 'GET',
  path: '/me/balances/{balanceId}',
  summary: 'Read a balance with its cards',
  jwe: 'open',
  idempotency: 'ignored',
  params: ofBalance,
  answers: { 200: { description: 'the balance', schema: balanceSchema } },
  refusals: ['BALANCE_NOT_FOUND'],
  handle: (call) =>
    showBalance(call, { balanceId: call.params.balanceId, customerId: call.principal.customerId }),
});

const remove = customerRoute({
  operation: 'deleteOwnBalance',
  method: 'DELETE',
  path: '/me/balances/{balanceId}',
  summary: 'Close an empty balance without live cards for good',
  jwe: 'open',
  idempotency: 'accepted',
  params: ofBalance,
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
      const { customerId } = call.principal;
      const { balanceId } = call.params;
      await deleteBalance(trx, { balanceId, customerId, programmeIds: programmeIds(call.principal) });
      return { status: 204 };
    }),
});

export const balances = [create, list, read, remove];
