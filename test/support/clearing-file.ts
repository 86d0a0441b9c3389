import { createHash, randomUUID } from 'node:crypto';
import type { ClearingAnnouncement } from '../../domain/clearing-file.ts';

/** A clearing file as the processor would send it. */
export interface BuiltFile {
  readonly announced: ClearingAnnouncement;
  readonly bytes: Buffer;
}

const DEBITS = new Set(['PURCHASE', 'CASH', 'REFUND_REVERSAL', 'SECOND_PRESENTMENT']);

interface FileOptions {
  readonly fileId?: string;
  /** Changes the lines before they are joined, hashed and announced. */
  readonly spoil?: (lines: string[]) => string[];
  /** Changes what is announced. */
  readonly announce?: Partial<ClearingAnnouncement>;
}

/** A file of these records, numbered and with its totals (processor 4.2). */
export function aClearingFile(records: readonly object[], options: FileOptions = {}): BuiltFile {
  const fileId = options.fileId ?? `C-${randomUUID()}`;
  const businessDate = '2026-03-02';
  const totals = { debitTotals: {} as Record<string, number>, creditTotals: {} as Record<string, number> };
  for (const record of records) {
    const { recordType, amount, currency } = record as {
      recordType: string;
      amount: number;
      currency: string;
    };
    const side = DEBITS.has(recordType) ? totals.debitTotals : totals.creditTotals;
    side[currency] = (side[currency] ?? 0) + amount;
  }
  const lines = [
    { recordType: 'H', version: 1, fileId, businessDate },
    ...records.map((record, at) => ({ ...record, recordNo: at + 1 })),
    { recordType: 'T', records: records.length, ...totals },
  ].map((line) => JSON.stringify(line));
  const bytes = Buffer.from(`${(options.spoil?.(lines) ?? lines).join('\n')}\n`);
  return {
    bytes,
    announced: {
      fileId,
      businessDate,
      records: records.length,
      size: bytes.length,
      sha256: createHash('sha256').update(bytes).digest('hex'),
      ...options.announce,
    },
  };
}

/** The bytes in pieces that end in the middle of lines and characters. */
export async function* inPieces(bytes: Buffer, size = 777): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}
