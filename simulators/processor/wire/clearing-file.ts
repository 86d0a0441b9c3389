import { createHash } from 'node:crypto';
import { closeSync, ftruncateSync, openSync, writeSync } from 'node:fs';
import type { NetworkMessage } from './message.ts';

export const FILE_DEFECTS = ['truncate', 'badTotal', 'duplicate', 'reorder', 'unknownCard'] as const;
export type FileDefect = (typeof FILE_DEFECTS)[number];

/** What the announcement of a file tells; of a truncated one, what it was before. */
export interface WrittenFile {
  readonly records: number;
  readonly size: number;
  readonly sha256: string;
}

const CHUNK_BYTES = 256 * 1024;
const CREDITS = new Set(['REFUND', 'CREDIT', 'CHARGEBACK']);
const UNKNOWN_CARD_ID = 'pc_0000000000000000';

/**
 * Writes a clearing file (NDJSON: H, records, T; spec 4.2) to `path`, record by record, so that its size needs no
 * memory. `defect` makes it wrong in one way; a file without records cannot have one but `badTotal`.
 */
export function writeClearingFile(
  path: string,
  head: { readonly fileId: string; readonly businessDate: string },
  records: Iterable<NetworkMessage>,
  defect: FileDefect | null,
): WrittenFile {
  const out = openFile(path);
  try {
    out.line({ recordType: 'H', version: 1, ...head });
    const totals = { debit: new Map<string, number>(), credit: new Map<string, number>() };
    let count = 0;
    for (const record of disturbedRecords(records, defect)) {
      count += 1;
      const side = CREDITS.has(String(record['recordType'])) ? totals.credit : totals.debit;
      side.set(record.currency, (side.get(record.currency) ?? 0) + record.amount);
      out.line({ recordNo: defect === 'reorder' ? swapped(count) : count, ...record });
    }
    if (defect === 'badTotal') totals.debit.set('EUR', (totals.debit.get('EUR') ?? 0) + 1);
    out.line({
      recordType: 'T',
      records: count,
      debitTotals: Object.fromEntries(totals.debit),
      creditTotals: Object.fromEntries(totals.credit),
    });
    return { records: count, ...out.end(defect === 'truncate') };
  } catch (error) {
    out.abandon();
    throw error;
  }
}

/** The first two records change places: the second number comes first. */
const swapped = (number: number): number => (number <= 2 ? 3 - number : number);

/** `duplicate` presents the first record twice; `unknownCard` gives it to a card that nobody has. */
function* disturbedRecords(
  records: Iterable<NetworkMessage>,
  defect: FileDefect | null,
): Generator<NetworkMessage> {
  let first = true;
  for (const record of records) {
    yield first && defect === 'unknownCard' ? { ...record, processorCardId: UNKNOWN_CARD_ID } : record;
    if (first && defect === 'duplicate') yield record;
    first = false;
  }
}

/** A file that is written in large pieces and hashed on the way. */
function openFile(path: string) {
  const file = openSync(path, 'w', 0o600);
  const hash = createHash('sha256');
  let pieces: string[] = [];
  let waitingBytes = 0;
  let size = 0;
  const flush = (): void => {
    const bytes = Buffer.from(pieces.join(''));
    hash.update(bytes);
    writeSync(file, bytes);
    size += bytes.length;
    pieces = [];
    waitingBytes = 0;
  };
  return {
    line: (content: object): void => {
      const text = `${JSON.stringify(content)}\n`;
      pieces.push(text);
      waitingBytes += text.length;
      if (waitingBytes >= CHUNK_BYTES) flush();
    },
    end: (truncated: boolean): { size: number; sha256: string } => {
      flush();
      if (truncated) ftruncateSync(file, Math.floor(size / 2));
      closeSync(file);
      return { size, sha256: hash.digest('hex') };
    },
    abandon: (): void => closeSync(file),
  };
}
