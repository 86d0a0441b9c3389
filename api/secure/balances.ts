import { nowOf } from '../../db/atomically.ts';
import { findBalance, listBalances, openBalance, requireBalanceOwner } from '../../db/balances.ts';
import { deleteBalance } from '../../db/balance-states.ts';
import { listCards } from '../../db/cards.ts';
import { readCustomer } from '../../db/customers.ts';
import { wireState } from '../../domain/card.ts';
import { Refusal } from '../../domain/errors.ts';
import { todayOf } from '../cards.ts';
import { readPage } from '../pagination.ts';
import { partnerRoute, programmeIds, programmeOf } from '../partner-principal.ts';
import { balanceSchema, toBalance, toBalanceCard } from '../schemas/balance.ts';
import { currencyCode, listOf, page, pathIntegerId, uuid, word, z } from '../schemas/shared.ts';

const shared = { role: { scopes: ['partner'] }, owner: 'programme', jwe: 'open' } as const;

const MOST_CARDS_SHOWN = 100;

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
  handle: (call) =>
    call.once(async (trx) => {
      const { customerId } = call.params;
      const customer = await readCustomer(trx, programmeIds(call.principal), customerId);
      const programme = programmeOf(call.principal, customer.programmeId);
      await requireBalanceOwner(trx, customerId, programme, call.body.currency);
      const balance = await openBalance(trx, {
        programme,
        customerId,
        corporationId: null,
        currency: call.body.currency,
        automatic: false,
      });
      return { status: 201, body: toBalance(balance, nowOf(trx)) };
    }),
});

const listCustomerBalances = partnerRoute({
  ...shared,
  operation: 'listBalances',
  method: 'GET',
  path: '/customers/{customerId}/balances',
  summary: 'List the balances of a user',
  idempotency: 'ignored',
  params: z.strictObject({ customerId: pathIntegerId() }),
  query: z.strictObject({
    ...page,
    currency: currencyCode().optional(),
    state: word(['LINKING', 'ACTIVE', 'BLOCKED', 'UNLINKING', 'CLOSED']).optional(),
  }),
  answers: { 200: { description: 'balances, newest first', schema: listOf(balanceSchema) } },
  refusals: ['USER_NOT_FOUND', 'INVALID_CURSOR'],
  handle: async (call) => {
    const { customerId } = call.params;
    const { limit, cursor, ...filters } = call.query;
    const ids = programmeIds(call.principal);
    const body = await call.atomically(async (trx) => {
      await readCustomer(trx, ids, customerId);
      return await readPage(
        call.services.vault,
        {
          principal: call.principal.partnerPublicId,
          operation: 'listBalances',
          filters: { customerId, ...filters },
        },
        { limit, cursor },
        call.services.nowMs(),
        (before, most) =>
          listBalances(trx, { programmeIds: ids, customerId, ...filters, before, limit: most }),
        (balance) => balance.balance_id,
        (balance) => toBalance(balance, nowOf(trx)),
      );
    });
    return { status: 200, body };
  },
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
  handle: async (call) => {
    const { customerId, balanceId } = call.params;
    const ids = programmeIds(call.principal);
    const body = await call.atomically(async (trx) => {
      const balance = await findBalance(trx, balanceId, {
        programmeIds: ids,
        ...(customerId === undefined ? {} : { customerId }),
      });
      if (balance === undefined) throw new Refusal('BALANCE_NOT_FOUND', 'There is no such balance.');
      const cards = await listCards(trx, { programmeIds: ids, balanceId, limit: MOST_CARDS_SHOWN });
      const today = todayOf(trx);
      return {
        ...toBalance(balance, nowOf(trx)),
        cards: cards.map((card) =>
          toBalanceCard(card, wireState(card.base_state, card.expiry_date, card.locks, today)),
        ),
      };
    });
    return { status: 200, body };
  },
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
