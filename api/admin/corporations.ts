import { listCorporations } from '../../db/corporations.ts';
import { CORPORATION_STATES, KYB_STATES } from '../../domain/corporation.ts';
import { corporationAddressRoutes } from '../corporation-address-routes.ts';
import { corporationRoutes } from '../corporation-routes.ts';
import { corporationStateRoutes } from '../corporation-state-routes.ts';
import { addCorporation, CORPORATION_REFUSALS, presentCorporation } from '../corporations.ts';
import type { Door } from '../door.ts';
import { employeeRoutes } from '../employee-routes.ts';
import {
  adminRoute,
  type OperatorPrincipal,
  operatorProgrammeIds,
  programmeOfCode,
  programmeOfResource,
} from '../operator-principal.ts';
import { routesOf } from '../route.ts';
import { corporationSchema, newCorporationBody } from '../schemas/corporation.ts';
import { country } from '../schemas/customer.ts';
import { issuerCode, listOf, page, text, uuid, word, z } from '../schemas/shared.ts';
import { userImportRoutes } from '../user-import-routes.ts';
import { operatorPage, programmesNamed } from './lists.ts';
import { importUsers } from './user-imports.ts';

const door: Door<OperatorPrincipal> = {
  route: routesOf<OperatorPrincipal>(),
  prefix: 'admin',
  home: '/admin',
  owner: 'operator',
  role: (permission) => ({ permission, stepUp: false, fourEyes: null }),
  scope: operatorProgrammeIds,
  programmeOf: programmeOfResource,
  reader: (principal) => principal.operatorId,
};

const list = adminRoute({
  operation: 'adminListCorporations',
  method: 'GET',
  path: '/corporations',
  summary: 'List corporations',
  permission: 'corporations.read',
  jwe: 'open',
  idempotency: 'ignored',
  query: z.strictObject({
    ...page,
    programme: uuid().optional(),
    q: text(1, 140).optional().openapi({ description: 'id, tax id, or how the name begins' }),
    taxId: text(1, 32).optional(),
    externalId: text(1, 64).optional(),
    state: word(CORPORATION_STATES).optional(),
    kyb: word(KYB_STATES).optional(),
    country: country().optional(),
  }),
  answers: { 200: { description: 'corporations, newest first', schema: listOf(corporationSchema) } },
  refusals: ['INVALID_CURSOR'],
  handle: async (call) => {
    const { limit, cursor, ...filters } = call.query;
    const { programme, ...named } = filters;
    const scope = programmesNamed(call.principal, programme);
    const body = await call.atomically(async (trx) => {
      const found = await operatorPage(call, {
        operation: 'adminListCorporations',
        filters,
        page: { limit, cursor },
        read: (before, most) =>
          listCorporations(trx, scope, named, { limit: most, beforeId: before ?? null }),
        positionOf: (one) => one.corporationId,
        toItem: (one) => one,
      });
      const items = [];
      for (const one of found.items) items.push(await presentCorporation(trx, call.services.vault, one));
      return { ...found, items };
    });
    return { status: 200, body };
  },
});

const create = adminRoute({
  operation: 'adminCreateCorporation',
  method: 'POST',
  path: '/corporations',
  summary: 'Add a corporation to a programme; an accepted application fills what is left out',
  permission: 'corporations.write',
  jwe: 'open',
  idempotency: 'accepted',
  body: newCorporationBody.extend({ issuerCode: issuerCode() }).openapi('NewCorporationOfProgramme'),
  answers: { 201: { description: 'the corporation', schema: corporationSchema } },
  refusals: ['PROGRAMME_NOT_FOUND', ...CORPORATION_REFUSALS],
  handle: (call) =>
    call.once(async (trx) => {
      const { vault } = call.services;
      const { issuerCode: code, ...company } = call.body;
      const programme = programmeOfCode(call.principal, code);
      const corporation = await addCorporation(trx, vault, programme, company);
      return {
        status: 201,
        body: await presentCorporation(trx, vault, corporation),
        location: `/admin/corporations/${corporation.corporationId}`,
      };
    }),
});

export const corporations = [
  list,
  create,
  ...corporationRoutes(door),
  ...corporationStateRoutes(door),
  ...corporationAddressRoutes(door),
  ...employeeRoutes(door),
];

export const userImports = [importUsers, ...userImportRoutes(door)];
