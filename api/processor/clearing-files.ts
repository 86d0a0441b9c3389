import { announceClearingFile } from '../../db/clearing-files.ts';
import { processorRoute } from '../partner-principal.ts';
import { clearingFileAnswer, clearingFileSchema } from './schemas.ts';

const announce = processorRoute({
  operation: 'announceClearingFile',
  method: 'POST',
  path: '/clearing-files',
  summary: 'Say that a clearing file can be fetched; it is checked and posted in the background',
  role: { scopes: ['processor'] },
  owner: 'none',
  jwe: 'open',
  // The same announcement again gets the same answer by its file id.
  idempotency: 'ignored',
  body: clearingFileSchema,
  answers: { 202: { description: 'noted', schema: clearingFileAnswer } },
  refusals: ['FILE_CHANGED'],
  handle: async (call) => {
    const { processor } = call.principal;
    await call.atomically((trx) => announceClearingFile(trx, call.body, { processor, source: 'PROCESSOR' }));
    return { status: 202, body: { fileId: call.body.fileId, status: 'QUEUED' } };
  },
});

export const clearingFiles = [announce];
