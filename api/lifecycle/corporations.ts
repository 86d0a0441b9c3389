import { listCorporations } from '../../db/corporations.ts';
import { addCorporation, CORPORATION_REFUSALS, presentCorporation } from '../corporations.ts';
import { readPage } from '../pagination.ts';
import { partnerRoute, soleProgramme } from '../partner-principal.ts';
import { corporationQuery, corporationSchema, newCorporationBody } from '../schemas/corporation.ts';
import { listOf } from '../schemas/shared.ts';

const shared = { role: { scopes: ['partner'] }, owner: 'programme', jwe: 'open' } as const;

const create = partnerRoute({
  ...shared,
  operation: 'createCorporation',
  method: 'POST',
  path: '/corporations',
  summary: 'Add a corporation; an accepted application fills what is left out',
  idempotency: 'accepted',
  body: newCorporationBody,
  answers: { 201: { description: 'the corporation', schema: corporationSchema } },
  refusals: CORPORATION_REFUSALS,
  handle: (call) =>
    call.once(async (trx) => {
      const { vault } = call.services;
      const corporation = await addCorporation(trx, vault, soleProgramme(call.principal), call.body);
      return {
        status: 201,
        body: await presentCorporation(trx, vault, corporation),
        location: `/lifecycle/v1/corporations/${corporation.corporationId}`,
      };
    }),
});

const list = partnerRoute({
  ...shared,
  operation: 'listCorporations',
  method: 'GET',
  path: '/corporations',
  summary: 'List corporations',
  idempotency: 'ignored',
  query: corporationQuery,
  answers: { 200: { description: 'corporations, newest first', schema: listOf(corporationSchema) } },
  refusals: ['INVALID_CURSOR'],
  handle: async (call) => {
    const { limit, cursor, ...filters } = call.query;
    const { vault, nowMs } = call.services;
    const { programmeId } = soleProgramme(call.principal);
    const body = await call.atomically(async (trx) => {
      const { items, nextCursor } = await readPage(
        vault,
        {
          principal: call.principal.partnerPublicId,
          operation: 'listCorporations',
          filters: { programmeId, ...filters },
        },
        { limit, cursor },
        nowMs(),
        (before, most) =>
          listCorporations(trx, [programmeId], filters, { limit: most, beforeId: before ?? null }),
        (one) => one.corporationId,
        (one) => one,
      );
      const shown = [];
      for (const one of items) shown.push(await presentCorporation(trx, vault, one));
      return { items: shown, nextCursor };
    });
    return { status: 200, body };
  },
});

export const corporations = [create, list];
