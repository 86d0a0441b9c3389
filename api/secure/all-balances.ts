import { nowOf } from '../../db/atomically.ts';
import { listBalances, openBalance, requireBalanceOwner } from '../../db/balances.ts';
import { requireCorporateOwner } from '../../db/corporate-balances.ts';
import { readCorporation } from '../../db/corporations.ts';
import { readCustomer } from '../../db/customers.ts';
import { invalid } from '../../domain/errors.ts';
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
    'CORPORATION_NOT_ACTIVE',
    'KYB_REQUIRED',
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
    return await call.once(async (trx) => {
      const ids = programmeIds(call.principal);
      const programmeBy = (programmeId: number) => programmeOf(call.principal, programmeId);
      const owner = { customerId, corporationId: dcCorporationId };
      const programme =
        dcCorporationId === null
          ? programmeBy((await readCustomer(trx, ids, customerId ?? 0)).programmeId)
          : await requireCorporateOwner(trx, ids, dcCorporationId, programmeBy, currency);
      if (customerId !== null) await requireBalanceOwner(trx, customerId, programme, currency);
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
    const ids = programmeIds(call.principal);
    const body = await call.atomically(async (trx) => {
      if (dcCorporationId !== undefined) await readCorporation(trx, ids, dcCorporationId);
      return await readPage(
        call.services.vault,
        {
          principal: call.principal.partnerPublicId,
          operation: 'listAllBalances',
          filters: { ids, dcCorporationId, ...filters },
        },
        { limit, cursor },
        call.services.nowMs(),
        (before, most) =>
          listBalances(trx, {
            programmeIds: ids,
            corporationId: dcCorporationId,
            ...filters,
            before,
            limit: most,
          }),
        (balance) => balance.balance_id,
        (balance) => toBalance(balance, nowOf(trx)),
      );
    });
    return { status: 200, body };
  },
});

export const allBalances = [create, list];
