import { cancelImport, listRows, readImport } from '../db/user-imports.ts';
import { IMPORT_MODES, ROW_STATUSES } from '../domain/user-import.ts';
import { readPage } from './pagination.ts';
import { type Door, doorOf, operationAt } from './door.ts';
import type { Route } from './route.ts';
import { date, listOf, page, uuid, word, z } from './schemas/shared.ts';
import { IMPORT_STATE, presentImport, presentRow, receivedSchema, reportOf } from './user-imports.ts';

const ofImport = z.strictObject({ importId: uuid() });

const importSchema = z
  .strictObject({
    importId: z.string(),
    state: IMPORT_STATE,
    mode: z.enum(IMPORT_MODES),
    dryRun: z.boolean(),
    rows: z.int().nullable(),
    created: z.int(),
    updated: z.int(),
    skipped: z.int(),
    failed: z.int(),
    createdAt: date(),
    finishedAt: date().nullable(),
  })
  .openapi('UserImport');

const rowSchema = z
  .strictObject({
    row: z.int(),
    status: z.enum(ROW_STATUSES),
    userId: z.int().nullable(),
    title: z.string().nullable(),
    field: z.string().nullable(),
  })
  .openapi('ImportedRow');

/** The calls about imports of users that are under way (onboarding 3). */
export function userImportRoutes<Principal>(door: Door<Principal>): Route[] {
  const read = door.route({
    ...doorOf(door, 'imports'),
    operation: operationAt(door, 'readUserImport'),
    method: 'GET',
    path: '/imports/users/{importId}',
    summary: 'Read how far an import has come',
    idempotency: 'ignored',
    params: ofImport,
    answers: { 200: { description: 'the import', schema: importSchema } },
    refusals: ['IMPORT_NOT_FOUND'],
    handle: async (call) => ({
      status: 200,
      body: await call.atomically(async (trx) =>
        presentImport(trx, await readImport(trx, door.scope(call.principal), call.params.importId)),
      ),
    }),
  });

  const rows = door.route({
    ...doorOf(door, 'imports'),
    operation: operationAt(door, 'listImportedRows'),
    method: 'GET',
    path: '/imports/users/{importId}/rows',
    summary: 'List the rows that have their result, in the order of the file',
    idempotency: 'ignored',
    params: ofImport,
    query: z.strictObject({ ...page, status: word(ROW_STATUSES).optional() }),
    answers: { 200: { description: 'rows', schema: listOf(rowSchema) } },
    refusals: ['IMPORT_NOT_FOUND', 'INVALID_CURSOR'],
    handle: async (call) => {
      const { importId } = call.params;
      const { limit, cursor, status } = call.query;
      const body = await call.atomically(async (trx) => {
        await readImport(trx, door.scope(call.principal), importId);
        return await readPage(
          call.services.vault,
          {
            principal: door.reader(call.principal),
            operation: operationAt(door, 'listImportedRows'),
            filters: { importId, status },
          },
          { limit, cursor },
          call.services.nowMs(),
          (after, most) =>
            listRows(trx, importId, {
              status,
              after: after === undefined ? undefined : Number(after),
              limit: most,
            }),
          (one) => one.row,
          presentRow,
        );
      });
      return { status: 200, body };
    },
  });

  const report = door.route({
    ...doorOf(door, 'imports'),
    operation: operationAt(door, 'readImportReport'),
    method: 'GET',
    path: '/imports/users/{importId}/report',
    summary: 'Get every row of an import that has ended, as CSV',
    jwe: 'none',
    idempotency: 'ignored',
    params: ofImport,
    answers: { 200: { description: 'text/csv: row, status, userId, title, field' } },
    refusals: ['IMPORT_NOT_FOUND', 'STATE_CONFLICT'],
    handle: async (call) => ({
      status: 200,
      csv: await call.atomically(async (trx) =>
        reportOf(trx, await readImport(trx, door.scope(call.principal), call.params.importId)),
      ),
    }),
  });

  const cancel = door.route({
    ...doorOf(door, 'imports'),
    operation: operationAt(door, 'cancelUserImport'),
    method: 'POST',
    path: '/imports/users/{importId}/cancel',
    summary: 'Keep an import from going on; rows that are done stay',
    idempotency: 'accepted',
    params: ofImport,
    answers: {
      202: { description: 'it ends with the rows that are being worked on', schema: receivedSchema },
    },
    refusals: ['IMPORT_NOT_FOUND', 'STATE_CONFLICT'],
    handle: (call) =>
      call.once(async (trx) => {
        const ids = door.scope(call.principal);
        const { importId } = call.params;
        await cancelImport(trx, ids, importId);
        const { state: now } = await readImport(trx, ids, importId);
        return { status: 202, body: { importId, state: now } };
      }),
  });

  return [read, rows, report, cancel];
}
