import { cancelImport, listRows, readImport } from '../../db/user-imports.ts';
import { IMPORT_FILE_BYTES, IMPORT_MODES, ROW_STATUSES } from '../../domain/user-import.ts';
import { readPage } from '../pagination.ts';
import { partnerRoute, programmeIds, soleProgramme } from '../partner-principal.ts';
import { date, file, listOf, page, uuid, word, z } from '../schemas/shared.ts';
import {
  FILE_REFUSALS,
  presentImport,
  presentRow,
  receiveImport,
  refuseFile,
  reportOf,
} from '../user-imports.ts';

const shared = { role: { scopes: ['partner'] }, owner: 'programme' } as const;

const ofImport = z.strictObject({ importId: uuid() });
const state = z.enum(['RECEIVED', 'VALIDATING', 'RUNNING', 'DONE', 'FAILED', 'CANCELLED']);
const received = z.strictObject({ importId: z.string(), state });

const importSchema = z
  .strictObject({
    importId: z.string(),
    state,
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

const create = partnerRoute({
  ...shared,
  operation: 'importUsers',
  method: 'POST',
  path: '/imports/users',
  summary: 'Import users from a CSV file',
  jwe: 'open',
  idempotency: 'accepted',
  contentType: 'multipart/form-data',
  maxBodyBytes: IMPORT_FILE_BYTES + 64_000,
  body: z.strictObject({
    file: file(),
    mode: word(IMPORT_MODES).optional(),
    dryRun: word(['true', 'false']).optional(),
  }),
  answers: { 202: { description: 'received', schema: received } },
  refusals: FILE_REFUSALS,
  handle: async (call) => {
    const { file: sent, mode = 'CREATE', dryRun = 'false' } = call.body;
    refuseFile(sent, mode);
    return await call.once(async (trx) => {
      const programme = soleProgramme(call.principal);
      const wanted = { file: sent, mode, dryRun: dryRun === 'true' };
      const made = await receiveImport(trx, call.services, programme, wanted);
      return {
        status: 202,
        body: { importId: made.import_id, state: made.state },
        location: `/lifecycle/v1/imports/users/${made.import_id}`,
      };
    });
  },
});

const read = partnerRoute({
  ...shared,
  operation: 'readUserImport',
  method: 'GET',
  path: '/imports/users/{importId}',
  summary: 'Read how far an import has come',
  jwe: 'open',
  idempotency: 'ignored',
  params: ofImport,
  answers: { 200: { description: 'the import', schema: importSchema } },
  refusals: ['IMPORT_NOT_FOUND'],
  handle: async (call) => ({
    status: 200,
    body: await call.atomically(async (trx) =>
      presentImport(trx, await readImport(trx, programmeIds(call.principal), call.params.importId)),
    ),
  }),
});

const rows = partnerRoute({
  ...shared,
  operation: 'listImportedRows',
  method: 'GET',
  path: '/imports/users/{importId}/rows',
  summary: 'List the rows that have their result, in the order of the file',
  jwe: 'open',
  idempotency: 'ignored',
  params: ofImport,
  query: z.strictObject({ ...page, status: word(ROW_STATUSES).optional() }),
  answers: { 200: { description: 'rows', schema: listOf(rowSchema) } },
  refusals: ['IMPORT_NOT_FOUND', 'INVALID_CURSOR'],
  handle: async (call) => {
    const { importId } = call.params;
    const { limit, cursor, status } = call.query;
    const body = await call.atomically(async (trx) => {
      await readImport(trx, programmeIds(call.principal), importId);
      return await readPage(
        call.services.vault,
        {
          principal: call.principal.partnerPublicId,
          operation: 'listImportedRows',
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

const report = partnerRoute({
  ...shared,
  operation: 'readImportReport',
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
      reportOf(trx, await readImport(trx, programmeIds(call.principal), call.params.importId)),
    ),
  }),
});

const cancel = partnerRoute({
  ...shared,
  operation: 'cancelUserImport',
  method: 'POST',
  path: '/imports/users/{importId}/cancel',
  summary: 'Keep an import from going on; rows that are done stay',
  jwe: 'open',
  idempotency: 'accepted',
  params: ofImport,
  answers: { 202: { description: 'it ends with the rows that are being worked on', schema: received } },
  refusals: ['IMPORT_NOT_FOUND', 'STATE_CONFLICT'],
  handle: (call) =>
    call.once(async (trx) => {
      const ids = programmeIds(call.principal);
      const { importId } = call.params;
      await cancelImport(trx, ids, importId);
      const { state: now } = await readImport(trx, ids, importId);
      return { status: 202, body: { importId, state: now } };
    }),
});

export const userImports = [create, read, rows, report, cancel];
