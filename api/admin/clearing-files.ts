import { type ClearingFile, listClearingFiles, readClearingFile } from '../../db/clearing-files.ts';
import { Refusal } from '../../domain/errors.ts';
import { adminRoute } from '../operator-principal.ts';
import { date, listOf, page, text, z } from '../schemas/shared.ts';
import { operatorPage } from './lists.ts';

const reading = {
  permission: 'transactions.read',
  jwe: 'open',
  idempotency: 'ignored',
  method: 'GET',
} as const;

const fileSchema = z
  .strictObject({
    fileId: z.string(),
    source: z.enum(['PROCESSOR', 'OPERATOR']),
    businessDate: z.string(),
    records: z.int(),
    size: z.int(),
    sha256: z.string(),
    status: z.enum(['QUEUED', 'LOADING', 'POSTED', 'REJECTED']),
    reason: z.string().nullable(),
    duplicateOf: z.string().nullable(),
    posted: z.int(),
    duplicates: z.int(),
    quarantined: z.int(),
    createdAt: date(),
    finishedAt: date().nullable(),
  })
  .openapi('ClearingFile');

const toWire = (file: ClearingFile): z.input<typeof fileSchema> => ({
  fileId: file.file_id,
  source: file.source,
  businessDate: file.business_date,
  records: file.records,
  size: file.size,
  sha256: file.sha256,
  status: file.status,
  reason: file.reason,
  duplicateOf: file.duplicate_of,
  posted: file.posted,
  duplicates: file.duplicates,
  quarantined: file.quarantined,
  createdAt: file.created_at.toISOString(),
  finishedAt: file.finished_at?.toISOString() ?? null,
});

// A file holds records of cards of all partners, so that none of them sees it.

const list = adminRoute({
  ...reading,
  operation: 'listClearingFiles',
  path: '/clearing-files',
  summary: 'List clearing files with the counts of their records; none for operators of a partner',
  query: z.strictObject(page),
  answers: { 200: { description: 'files, newest first', schema: listOf(fileSchema) } },
  refusals: ['INVALID_CURSOR'],
  handle: async (call) => {
    if (call.principal.scope !== 'PLATFORM') return { status: 200, body: { items: [], nextCursor: null } };
    const body = await call.atomically((trx) =>
      operatorPage(call, {
        operation: 'listClearingFiles',
        filters: {},
        page: call.query,
        read: (after, most) => listClearingFiles(trx, most, after),
        positionOf: (file) => file.file_id,
        toItem: toWire,
      }),
    );
    return { status: 200, body };
  },
});

const read = adminRoute({
  ...reading,
  operation: 'readClearingFile',
  path: '/clearing-files/{fileId}',
  summary: 'Read a clearing file with the counts of its records',
  params: z.strictObject({ fileId: text(1, 64) }),
  answers: { 200: { description: 'the file', schema: fileSchema } },
  refusals: ['CLEARING_FILE_NOT_FOUND'],
  handle: async (call) => {
    if (call.principal.scope !== 'PLATFORM') {
      throw new Refusal('CLEARING_FILE_NOT_FOUND', 'There is no such clearing file.');
    }
    const file = await call.atomically((trx) => readClearingFile(trx, call.params.fileId));
    return { status: 200, body: toWire(file) };
  },
});

export const clearingFiles = [list, read];
