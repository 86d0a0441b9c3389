import { createHash } from 'node:crypto';
import { CHUNK_BYTES } from '../../db/clearing-blocks.ts';
import {
  type ClearingFile,
  listClearingFiles,
  readClearingFile,
  soleProcessor,
  storeClearingFile,
} from '../../db/clearing-files.ts';
import { announcedBy, type ClearingAnnouncement, MAX_LINE_BYTES } from '../../domain/clearing-file.ts';
import { invalid, Refusal } from '../../domain/errors.ts';
import { adminRoute } from '../operator-principal.ts';
import { date, file, listOf, page, text, z } from '../schemas/shared.ts';
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

const toWire = (row: ClearingFile): z.input<typeof fileSchema> => ({
  fileId: row.file_id,
  source: row.source,
  businessDate: row.business_date,
  records: row.records,
  size: row.size,
  sha256: row.sha256,
  status: row.status,
  reason: row.reason,
  duplicateOf: row.duplicate_of,
  posted: row.posted,
  duplicates: row.duplicates,
  quarantined: row.quarantined,
  createdAt: row.created_at.toISOString(),
  finishedAt: row.finished_at?.toISOString() ?? null,
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
        positionOf: (row) => row.file_id,
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
    const row = await call.atomically((trx) => readClearingFile(trx, call.params.fileId));
    return { status: 200, body: toWire(row) };
  },
});

const MOST_BYTES = 64 * 1024 * 1024;

const upload = adminRoute({
  permission: 'clearingFiles.upload',
  operation: 'uploadClearingFile',
  method: 'POST',
  path: '/clearing-files',
  summary:
    'Hand in a clearing file that did not come from the processor; it takes the same way as an announced one',
  description: 'A file of this id that is known is answered as it stands, and nothing is posted twice.',
  jwe: 'none',
  idempotency: 'accepted',
  contentType: 'multipart/form-data',
  maxBodyBytes: MOST_BYTES,
  body: z.strictObject({ file: file(), processor: text(1, 64).optional() }),
  answers: {
    201: { description: 'queued', schema: fileSchema },
    200: { description: 'a file that is known', schema: fileSchema },
  },
  refusals: ['FILE_CHANGED'],
  handle: async (call) => {
    const { bytes } = call.body.file;
    const announced = describe(bytes);
    return await call.once(async (trx) => {
      const processor = call.body.processor ?? (await soleProcessor(trx));
      if (processor === null) {
        throw invalid([{ field: 'processor', message: 'is needed: several processors have certificates' }]);
      }
      const isNew = await storeClearingFile(
        trx,
        announced,
        { processor, source: 'OPERATOR' },
        chunksOf(bytes),
      );
      const row = await readClearingFile(trx, announced.fileId);
      return {
        status: isNew ? 201 : 200,
        body: toWire(row),
        location: `/admin/clearing-files/${encodeURIComponent(announced.fileId)}`,
      };
    });
  },
});

/** What the processor would announce, as the file itself says it. Throws `VALIDATION_ERROR`. */
function describe(bytes: Buffer): ClearingAnnouncement {
  const head = bytes.subarray(0, MAX_LINE_BYTES).toString('utf8').split('\n')[0] ?? '';
  const tail = bytes.subarray(-MAX_LINE_BYTES).toString('utf8').trimEnd().split('\n').at(-1) ?? '';
  const announced = announcedBy(head, tail);
  if (announced === null) {
    throw invalid([{ field: 'file', message: 'must be a clearing file with header and trailer' }]);
  }
  return { ...announced, size: bytes.length, sha256: createHash('sha256').update(bytes).digest('hex') };
}

function* chunksOf(bytes: Buffer): Iterable<Buffer> {
  for (let at = 0; at < bytes.length; at += CHUNK_BYTES) yield bytes.subarray(at, at + CHUNK_BYTES);
}

export const clearingFiles = [list, read, upload];
