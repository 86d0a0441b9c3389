import { blockProgress } from '../../db/clearing-blocks.ts';
import { type ClearingFile, listClearingFiles, readClearingFile } from '../../db/clearing-files.ts';
import { Refusal } from '../../domain/errors.ts';
import type { Command } from '../command.ts';
import { CommandFailed, exitCode, wrongUsage } from '../exit-code.ts';
import { withDatabase } from './connection.ts';
import { tableLines } from './table.ts';

const NAME = 'clearing-files';
const MOST_SHOWN = 100;

/** `cardloom clearing-files`: the newest files and what became of their records, or one of them. */
export const clearingFilesCommand: Command = {
  name: NAME,
  usage: '[FILE_ID]',
  summary: 'list clearing files and what became of their records',
  async run(args, io) {
    const [fileId, ...more] = args;
    if (more.length > 0 || fileId?.startsWith('--') === true)
      throw wrongUsage(`cardloom ${NAME}: name one file or none`);
    const files = await withDatabase(io, 'engine', async (db) => {
      const found =
        fileId === undefined
          ? await listClearingFiles(db, MOST_SHOWN)
          : [await readClearingFile(db, fileId).catch(notFound)];
      return await Promise.all(
        found.map(async (file) => ({ ...shown(file), done: (await blockProgress(db, file.file_id)).done })),
      );
    });
    if (io.json) {
      io.out(JSON.stringify(fileId === undefined ? { items: files } : files[0]));
      return exitCode.ok;
    }
    if (files.length === 0) io.out('no clearing file');
    else {
      const head = [
        'file',
        'day',
        'status',
        'records',
        'done',
        'posted',
        'duplicates',
        'quarantined',
        'reason',
      ];
      const rows = files.map((one) => [
        one.fileId,
        one.businessDate,
        one.status,
        ...[one.records, one.done, one.posted, one.duplicates, one.quarantined].map(String),
        one.reason ?? (one.duplicateOf === null ? '-' : `same bytes as ${one.duplicateOf}`),
      ]);
      for (const line of tableLines(head, rows)) io.out(line);
    }
    return exitCode.ok;
  },
};

const shown = (file: ClearingFile) => ({
  fileId: file.file_id,
  businessDate: file.business_date,
  source: file.source,
  status: file.status,
  reason: file.reason,
  duplicateOf: file.duplicate_of,
  records: file.records,
  posted: file.posted,
  duplicates: file.duplicates,
  quarantined: file.quarantined,
  createdAt: file.created_at.toISOString(),
  finishedAt: file.finished_at?.toISOString() ?? null,
});

function notFound(error: unknown): never {
  if (!(error instanceof Refusal)) throw error;
  throw new CommandFailed(exitCode.failed, `${error.code}: ${error.detail}`);
}
