import { nowOf } from '../../db/atomically.ts';
import { listBalances, openBalance, requireBalanceOwner } from '../../db/balances.ts';
import { readCustomer } from '../../db/customers.ts';
import { invalid, Refusal } from '../../domain/errors.ts';
import { readPage } from '../pagination.ts';
import { partnerRoute, programmeIds, programmeOf } from '../partner-principal.ts';
import { balanceSchema, toBalance } from '../schemas/balance.ts';
import { currencyCode, integerId, listOf, page, uuid, word, z } from '../schemas/shared.ts';

// Balances by a path without a user: the owner is named by a member, or may be anybody.

const shared = {
  role: { scopes: ['partner'] },
  owner: 'programme',
  jwe: 'open',
  path: '/balances',
} as const;

const create = partnerRoute({
  ...shared,
  operation: 'createBalanceOf',
  method: 'POST',
  summary: 'Open a balance for the user or corporation that the body names',
  idempotency: 'accepted',
  body: z.strictObject({
    currency: currencyCode(),
    dcUserId: integerId().nullish(),
    dcCorporationId: uuid().nullish(),
  }),
  answers: { 201: { description: 'the balance, at zero', schema: balanceSchema } },
  refusals: [
    'USER_NOT_FOUND',
    'CORPORATION_NOT_FOUND',
    'USER_NOT_ACTIVE',
    'KYC_REQUIRED',
    'TRANSACTIONAL_LOCK',
    'CURRENCY_NOT_SUPPORTED',
  ],
  handle: async (call) => {
    const { currency, dcUserId: customerId = null, dcCorporationId = null } = call.body;
    if ((customerId === null) === (dcCorporationId === null)) {
      throw invalid([{ field: 'dcUserId', message: 'send exactly one of dcUserId and dcCorporationId' }]);
    }
    // No corporation can be made yet, so that none is found.
    if (customerId === null) throw noCorporation();
    return await call.once(async (trx) => {
      const customer = await readCustomer(trx, programmeIds(call.principal), customerId);
      const programme = programmeOf(call.principal, customer.programmeId);
      await requireBalanceOwner(trx, customerId, programme, currency);
      const owner = { customerId, corporationId: null };
      const balance = await openBalance(trx, { programme, ...owner, currency, automatic: false });
      return { status: 201, body: toBalance(balance, nowOf(trx)) };
    });
  },
});

const list = partnerRoute({
  ...shared,
  operation: 'listAllBalances',
  method: 'GET',
  summary: 'List the balances of your programmes',
  idempotency: 'ignored',
  query: z.strictObject({
    ...page,
    dcCorporationId: uuid().optional(),
    currency: currencyCode().optional(),
    state: word(['LINKING', 'ACTIVE', 'BLOCKED', 'UNLINKING', 'CLOSED']).optional(),
  }),
  answers: { 200: { description: 'balances, newest first', schema: listOf(balanceSchema) } },
  refusals: ['CORPORATION_NOT_FOUND', 'INVALID_CURSOR'],
  handle: async (call) => {
    const { limit, cursor, dcCorporationId, ...filters } = call.query;
    if (dcCorporationId !== undefined) throw noCorporation();
    const ids = programmeIds(call.principal);
    const body = await call.atomically((trx) =>
      readPage(
        call.services.vault,
        {
          principal: call.principal.partnerPublicId,
          operation: 'listAllBalances',
          filters: { ids, ...filters },
        },
        { limit, cursor },
        call.services.nowMs(),
        (before, most) => listBalances(trx, { programmeIds: ids, ...filters, before, limit: most }),
        (balance) => balance.balance_id,
        (balance) => toBalance(balance, nowOf(trx)),
      ),
    );
    return { status: 200, body };
  },
});

const noCorporation = () => new Refusal('CORPORATION_NOT_FOUND', 'There is no such corporation.');

export const allBalances = [create, list];
