import { nowOf, type Trx } from '../../db/atomically.ts';
import { blockBalance, deleteBalance, unblockBalance } from '../../db/balance-states.ts';
import {
  type BalanceFilter,
  type BalanceOrder,
  type BalanceRow,
  findBalance,
  listBalances,
  openBalance,
  requireBalanceOwner,
} from '../../db/balances.ts';
import { listCards } from '../../db/cards.ts';
import { requireCorporateOwner } from '../../db/corporate-balances.ts';
import { readCustomer } from '../../db/customers.ts';
import { wireState } from '../../domain/card.ts';
import { Refusal } from '../../domain/errors.ts';
import { todayOf } from '../cards.ts';
import { adminRoute, operatorProgrammeIds, programmeOfResource } from '../operator-principal.ts';
import { balanceSchema, toBalance, toBalanceCard } from '../schemas/balance.ts';
import {
  currencyCode,
  flag,
  knownCurrency,
  listOf,
  pathIntegerId,
  text,
  uuid,
  word,
  z,
} from '../schemas/shared.ts';
import {
  LIST_REFUSALS,
  listAnswer,
  type ListCall,
  type ListOf,
  listQuery,
  programmesNamed,
} from './lists.ts';

const STATES = ['LINKING', 'ACTIVE', 'BLOCKED', 'UNLINKING', 'CLOSED'] as const;
const MOST_CARDS_SHOWN = 100;

const reading = { permission: 'balances.read', jwe: 'open', idempotency: 'ignored', method: 'GET' } as const;
const writing = { permission: 'balances.write', jwe: 'open', idempotency: 'accepted' } as const;

const list = adminRoute({
  ...reading,
  operation: 'adminListBalances',
  path: '/balances',
  summary: 'List balances',
  query: z.strictObject({
    ...listQuery('createdAt', 'currency', 'amount', 'available'),
    q: text(1, 64).optional().openapi({ description: 'id of a balance or of a user' }),
    programmeId: uuid().optional(),
    currency: currencyCode().optional(),
    dcCorporationId: uuid().optional(),
    ownerType: word(['USER', 'CORPORATION']).optional(),
    holder: word(['platform', 'external']).optional(),
    state: word(STATES).optional(),
    negative: flag().optional(),
  }),
  answers: { 200: { description: 'balances, newest first', schema: listOf(balanceSchema) } },
  refusals: LIST_REFUSALS,
  handle: async (call) => {
    const { limit, cursor, sort, format, ...filters } = call.query;
    const { programmeId, dcCorporationId: corporationId, ...wanted } = filters;
    const programmeIds = programmesNamed(call.principal, programmeId);
    return await call.atomically((trx) =>
      balancesAnswer(trx, call, {
        operation: 'adminListBalances',
        filters,
        asked: { limit, cursor, sort, format },
        wanted: { programmeIds, corporationId, ...wanted },
      }),
    );
  },
});

const listOfCustomer = adminRoute({
  ...reading,
  operation: 'adminListCustomerBalances',
  path: '/customers/{customerId}/balances',
  summary: 'List the balances of a user',
  params: z.strictObject({ customerId: pathIntegerId() }),
  query: z.strictObject({
    ...listQuery('createdAt', 'currency', 'amount', 'available'),
    currency: currencyCode().optional(),
    state: word(STATES).optional(),
  }),
  answers: { 200: { description: 'balances, newest first', schema: listOf(balanceSchema) } },
  refusals: ['USER_NOT_FOUND', ...LIST_REFUSALS],
  handle: async (call) => {
    const { customerId } = call.params;
    const { limit, cursor, sort, format, ...wanted } = call.query;
    const programmeIds = operatorProgrammeIds(call.principal);
    return await call.atomically(async (trx) => {
      await readCustomer(trx, programmeIds, customerId);
      return await balancesAnswer(trx, call, {
        operation: 'adminListCustomerBalances',
        filters: { customerId, ...wanted },
        asked: { limit, cursor, sort, format },
        wanted: { programmeIds, customerId, ...wanted },
      });
    });
  },
});

interface BalanceList extends Pick<ListOf<never, BalanceOrder>, 'operation' | 'filters' | 'asked'> {
  readonly wanted: Omit<BalanceFilter, 'limit'>;
}

/** A list of balances in the order asked for. */
const balancesAnswer = (trx: Trx, call: ListCall, { wanted, ...shared }: BalanceList) =>
  listAnswer<BalanceRow, BalanceOrder>(trx, call, {
    ...shared,
    orders: { createdAt: 'id', currency: 'currency', amount: 'amount', available: 'available' },
    read: (order, limit) => listBalances(trx, { ...wanted, order, limit }),
    idOf: (balance) => balance.balance_id,
    sortValue: (balance, by) => {
      if (by === 'currency') return balance.currency;
      return by === 'amount' ? balance.posted : balance.posted - balance.held;
    },
    present: (rows) => rows.map((balance) => toBalance(balance, nowOf(trx))),
    columns: [
      'id',
      'customerId',
      'dcCorporationId',
      'currency',
      'amount',
      'heldAmount',
      'availableAmount',
      'state',
      'createdAt',
    ],
  });

const named = z.strictObject({ customerId: pathIntegerId().optional(), balanceId: uuid() });
const alsoOfCustomer = [{ path: '/customers/{customerId}/balances/{balanceId}' }] as const;

const read = adminRoute({
  ...reading,
  operation: 'adminReadBalance',
  path: '/balances/{balanceId}',
  aliases: alsoOfCustomer,
  summary: 'Read a balance with its cards',
  params: named,
  answers: { 200: { description: 'the balance', schema: balanceSchema } },
  refusals: ['BALANCE_NOT_FOUND'],
  handle: async (call) => {
    const { customerId, balanceId } = call.params;
    const programmeIds = operatorProgrammeIds(call.principal);
    const body = await call.atomically(async (trx) => {
      const look = { programmeIds, ...(customerId === undefined ? {} : { customerId }) };
      const balance = await findBalance(trx, balanceId, look);
      if (balance === undefined) throw new Refusal('BALANCE_NOT_FOUND', 'There is no such balance.');
      const cards = await listCards(trx, { programmeIds, balanceId, limit: MOST_CARDS_SHOWN });
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

const create = adminRoute({
  ...writing,
  operation: 'adminCreateBalance',
  method: 'POST',
  path: '/customers/{customerId}/balances',
  summary: 'Open a balance for a verified user, in any currency',
  params: z.strictObject({ customerId: pathIntegerId() }),
  body: z.strictObject({ currency: knownCurrency() }),
  answers: { 201: { description: 'the balance, at zero', schema: balanceSchema } },
  refusals: ['USER_NOT_FOUND', 'USER_NOT_ACTIVE', 'KYC_REQUIRED', 'TRANSACTIONAL_LOCK'],
  handle: (call) =>
    call.once(async (trx) => {
      const { customerId } = call.params;
      const { currency } = call.body;
      const customer = await readCustomer(trx, operatorProgrammeIds(call.principal), customerId);
      const programme = programmeOfResource(call.principal, customer.programmeId);
      // Operators are not bound to the currencies that the programme offers (money 1.1).
      await requireBalanceOwner(trx, customerId, { currencies: [currency] }, currency);
      const owner = { customerId, corporationId: null };
      const balance = await openBalance(trx, { programme, ...owner, currency, automatic: false });
      return { status: 201, body: toBalance(balance, nowOf(trx)) };
    }),
});

const createOfCorporation = adminRoute({
  ...writing,
  operation: 'adminCreateCorporationBalance',
  method: 'POST',
  path: '/corporations/{dcCorporationId}/balances',
  summary: 'Open a balance for a verified corporation, in any currency',
  params: z.strictObject({ dcCorporationId: uuid() }),
  body: z.strictObject({ currency: knownCurrency() }),
  answers: { 201: { description: 'the balance, at zero', schema: balanceSchema } },
  refusals: ['CORPORATION_NOT_FOUND', 'CORPORATION_NOT_ACTIVE', 'KYB_REQUIRED', 'TRANSACTIONAL_LOCK'],
  handle: (call) =>
    call.once(async (trx) => {
      const { dcCorporationId: corporationId } = call.params;
      const { currency } = call.body;
      const scope = operatorProgrammeIds(call.principal);
      const inAnyCurrency = (programmeId: number) => ({
        ...programmeOfResource(call.principal, programmeId),
        currencies: [currency],
      });
      const programme = await requireCorporateOwner(trx, scope, corporationId, inAnyCurrency, currency);
      const owner = { customerId: null, corporationId };
      const balance = await openBalance(trx, { programme, ...owner, currency, automatic: false });
      return { status: 201, body: toBalance(balance, nowOf(trx)) };
    }),
});

const ofState = {
  ...writing,
  method: 'POST',
  params: z.strictObject({ balanceId: uuid() }),
  body: z.strictObject({ reason: text(3, 255) }),
  refusals: ['BALANCE_NOT_FOUND', 'STATE_CONFLICT'],
} as const;

const block = adminRoute({
  ...ofState,
  operation: 'blockBalance',
  path: '/balances/{balanceId}/block',
  summary: 'Refuse debits of a balance; credits and clearings still post',
  answers: { 204: { description: 'blocked' } },
  handle: (call) =>
    call.once(async (trx) => {
      const programmeIds = operatorProgrammeIds(call.principal);
      await blockBalance(trx, { ...call.params, programmeIds }, call.body.reason);
      return { status: 204 };
    }),
});

const unblock = adminRoute({
  ...ofState,
  operation: 'unblockBalance',
  path: '/balances/{balanceId}/unblock',
  summary: 'Let debits of a blocked balance through again',
  answers: { 204: { description: 'active' } },
  handle: (call) =>
    call.once(async (trx) => {
      const programmeIds = operatorProgrammeIds(call.principal);
      await unblockBalance(trx, { ...call.params, programmeIds }, call.body.reason);
      return { status: 204 };
    }),
});

const remove = adminRoute({
  ...writing,
  operation: 'adminDeleteBalance',
  method: 'DELETE',
  path: '/balances/{balanceId}',
  aliases: alsoOfCustomer,
  summary: 'Close an empty balance without live cards for good',
  params: named,
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
      await deleteBalance(trx, { ...call.params, programmeIds: operatorProgrammeIds(call.principal) });
      return { status: 204 };
    }),
});

export const balances = [list, listOfCustomer, read, create, createOfCorporation, block, unblock, remove];
