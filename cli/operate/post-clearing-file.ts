import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import type { Kysely } from 'kysely';
import { atomically } from '../../db/atomically.ts';
import { CHUNK_BYTES } from '../../db/clearing-blocks.ts';
import { soleProcessor, storeClearingFile } from '../../db/clearing-files.ts';
import type { Database } from '../../db/database.ts';
import {
  announcedBy,
  type ClearingAnnouncement,
  MAX_FILE_BYTES,
  MAX_LINE_BYTES,
} from '../../domain/clearing-file.ts';
import { Refusal } from '../../domain/errors.ts';
import type { Command } from '../command.ts';
import { CommandFailed, exitCode, wrongUsage } from '../exit-code.ts';
import { commandCaller, withDatabase } from './connection.ts';
import { onlyValue, readOptions } from './options.ts';

const NAME = 'post-clearing-file';

/** `cardloom post-clearing-file`: a file that came by another way takes the same one from here (processor 4.2). */
export const postClearingFileCommand: Command = {
  name: NAME,
  usage: 'FILE [--processor LABEL] [--operator NAME]',
  summary: 'post a clearing file by hand, with the same workflow as an announced one',
  async run(args, io) {
    const { given, values } = readOptions(NAME, args, ['processor', 'operator']);
    const [path, ...more] = given;
    if (path === undefined || more.length > 0) throw wrongUsage(`cardloom ${NAME}: name one file`);
    const caller = commandCaller(onlyValue(NAME, 'operator', values.operator));
    const named = onlyValue(NAME, 'processor', values.processor);
    const announced = await describeFile(path);
    const isNew = await withDatabase(io, 'engine', async (db) => {
      const processor = named ?? (await onlyProcessor(db));
      return await atomically(db, caller, async (trx) => {
        const origin = { processor, source: 'OPERATOR' } as const;
        return await storeClearingFile(trx, announced, origin, chunksOf(path));
      });
    }).catch((error: unknown) => {
      if (!(error instanceof Refusal)) throw error;
      throw new CommandFailed(exitCode.failed, `${error.code}: ${error.detail}`);
    });
    const { fileId, records } = announced;
    if (io.json) io.out(JSON.stringify({ fileId, status: 'QUEUED', known: !isNew }));
    else if (isNew) io.out(`${fileId} is queued with ${records} records: cardloom clearing-files ${fileId}`);
    else io.out(`${fileId} is known: cardloom clearing-files ${fileId}`);
    return exitCode.ok;
  },
};

const chunksOf = (path: string): AsyncIterable<Buffer> =>
  createReadStream(path, { highWaterMark: CHUNK_BYTES });

/** What the processor would announce, as the file itself says it; its workflow checks every line. */
async function describeFile(path: string): Promise<ClearingAnnouncement> {
  const hash = createHash('sha256');
  let size = 0;
  let head = Buffer.alloc(0);
  let tail = Buffer.alloc(0);
  try {
    for await (const bytes of chunksOf(path)) {
      hash.update(bytes);
      size += bytes.length;
      if (head.length < MAX_LINE_BYTES) head = Buffer.concat([head, bytes]).subarray(0, MAX_LINE_BYTES);
      tail = Buffer.concat([tail, bytes]).subarray(-MAX_LINE_BYTES);
    }
  } catch {
    throw new CommandFailed(exitCode.failed, `cannot read ${path}`);
  }
  if (size > MAX_FILE_BYTES) throw new CommandFailed(exitCode.failed, 'the file has more than 256 MB');
  const [header = ''] = head.toString('utf8').split('\n');
  const announced = announcedBy(header, tail.toString('utf8').trimEnd().split('\n').at(-1) ?? '');
  if (announced === null)
    throw new CommandFailed(exitCode.failed, 'this is no clearing file: header or trailer is wrong');
  return { ...announced, size, sha256: hash.digest('hex') };
}

/** The processor whose file it is, where nobody says it. */
async function onlyProcessor(db: Kysely<Database>): Promise<string> {
  const label = await soleProcessor(db);
  if (label !== null) return label;
  throw new CommandFailed(exitCode.usage, `cardloom ${NAME}: --processor names whose file it is`);
}
