import { createHash } from 'node:crypto';
import type { Kysely } from 'kysely';
import { deleteBlocks, readChunks, storeBlock } from '../../db/clearing-blocks.ts';
import type { Database } from '../../db/database.ts';
import {
  checkClearingFile,
  type ClearingAnnouncement,
  type FileFault,
  RECORDS_A_BLOCK,
} from '../../domain/clearing-file.ts';
import { linesOf } from './lines.ts';
import type { ClearingRecord } from './messages.ts';
import { fileRecordSchema } from './wire-schemas.ts';

/** A record as a block keeps it: right in every member, or named without its content. */
export type StoredRecord = (ClearingRecord & { readonly recordNo: number }) | InvalidRecord;

export interface InvalidRecord {
  readonly recordNo: number;
  /** Null where the id itself is not right. */
  readonly recordId: string | null;
  /** Names of the members that are not right. */
  readonly invalid: readonly string[];
}

export const isInvalid = (record: StoredRecord): record is InvalidRecord => 'invalid' in record;

/**
 * Reads a fetched file once, from first to last byte, and stores its records in blocks; memory holds one block.
 * Answers what is wrong with the file as a whole, or null: only then may its blocks be posted.
 */
export async function checkAndStore(
  db: Kysely<Database>,
  announced: ClearingAnnouncement,
  onBlock: (records: number) => void,
): Promise<FileFault | null> {
  const { fileId } = announced;
  // Blocks of an attempt that was cut off.
  await deleteBlocks(db, fileId);
  const check = checkClearingFile(announced);
  const hash = createHash('sha256');
  let size = 0;
  let fault: FileFault | null = null;
  let blockNo = 0;
  let block: StoredRecord[] = [];

  async function* hashed(): AsyncGenerator<Uint8Array> {
    for await (const bytes of readChunks(db, fileId)) {
      hash.update(bytes);
      size += bytes.length;
      yield bytes;
    }
  }
  async function flush(): Promise<void> {
    const [first] = block;
    if (first === undefined) return;
    await storeBlock(db, fileId, { blockNo, firstRecord: first.recordNo, records: block });
    onBlock(first.recordNo + block.length - 1);
    blockNo += 1;
    block = [];
  }

  for await (const text of linesOf(hashed())) {
    const value = parse(text);
    const line = check.line(value);
    if (line.kind === 'FAULT') {
      fault = line.fault;
      break;
    }
    if (line.kind === 'RECORD') block.push(storedRecord(value as Record<string, unknown>, line.recordNo));
    if (block.length === RECORDS_A_BLOCK) await flush();
  }
  if (fault === null) await flush();
  return fault ?? check.end() ?? differenceOf(announced, { size, sha256: hash.digest('hex') });
}

/** Undefined is no JSON value, so the check refuses what could not be read. */
function parse(text: string | null): unknown {
  try {
    return text === null ? undefined : JSON.parse(text);
  } catch {
    return undefined;
  }
}

function differenceOf(
  announced: ClearingAnnouncement,
  found: { readonly size: number; readonly sha256: string },
): FileFault | null {
  if (found.size !== announced.size) return 'SIZE';
  return found.sha256 === announced.sha256 ? null : 'SHA256';
}

function storedRecord(line: Readonly<Record<string, unknown>>, recordNo: number): StoredRecord {
  const parsed = fileRecordSchema.safeParse(line);
  if (parsed.success) return parsed.data;
  const recordId = fileRecordSchema.shape.recordId.safeParse(line['recordId']);
  return {
    recordNo,
    recordId: recordId.success ? recordId.data : null,
    // Unknown members are counted, not named: a name may be a secret in the wrong place.
    invalid: [
      ...new Set(parsed.error.issues.map(({ path }) => path.map(String).join('.') || 'unknown member')),
    ],
  };
}
