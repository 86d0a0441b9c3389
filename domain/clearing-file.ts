import { add, sumFits } from './money.ts';
import type { RecordType } from './presentment-record.ts';

/** What the processor says of a file before anybody has read it (processor 4.2). */
export interface ClearingAnnouncement {
  /** Up to 64 characters. */
  readonly fileId: string;
  /** `YYYY-MM-DD`. */
  readonly businessDate: string;
  readonly records: number;
  /** Bytes. */
  readonly size: number;
  /** 64 lower-case hexadecimal digits. */
  readonly sha256: string;
}

/** What became of the records of a file. */
export interface FileReport {
  readonly posted: number;
  readonly duplicates: number;
  readonly quarantined: number;
}

/** Files are taken up to this size (processor 2). */
export const MAX_FILE_BYTES = 256 * 1024 * 1024;
/** Longest line of a file, in bytes. */
export const MAX_LINE_BYTES = 64 * 1024;
/** Records that are posted in one database transaction. */
export const RECORDS_A_BLOCK = 500;

/**
 * What the processor would announce of a file, as its header and trailer say it; null where they do not. Its workflow
 * checks every line.
 */
export function announcedBy(
  header: string,
  trailer: string,
): Pick<ClearingAnnouncement, 'fileId' | 'businessDate' | 'records'> | null {
  const { fileId, businessDate } = objectIn(header);
  const { records } = objectIn(trailer);
  const right =
    typeof fileId === 'string' &&
    /^.{1,64}$/.test(fileId) &&
    typeof businessDate === 'string' &&
    /^[0-9]{4}-[0-9]{2}-[0-9]{2}$/.test(businessDate) &&
    Number.isSafeInteger(records) &&
    (records as number) >= 0;
  return right ? { fileId, businessDate, records: records as number } : null;
}

function objectIn(line: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}

/** Why nothing of a file is posted; a closed word, told in exception FILE_TOTALS. */
export type FileFault =
  | 'FILE_NOT_FOUND'
  | 'SIZE'
  | 'SHA256'
  | 'LINE_UNREADABLE'
  | 'HEADER'
  | 'RECORD_NUMBER'
  | 'AFTER_TRAILER'
  | 'NO_TRAILER'
  | 'RECORD_COUNT'
  | 'TOTALS';

/** Which way the money of a record goes, as the trailer counts it. */
const SIDES = {
  PURCHASE: 'debit',
  CASH: 'debit',
  REFUND_REVERSAL: 'debit',
  SECOND_PRESENTMENT: 'debit',
  REFUND: 'credit',
  CREDIT: 'credit',
  CHARGEBACK: 'credit',
} as const satisfies Record<RecordType, 'debit' | 'credit'>;

export type FileLine =
  | { readonly kind: 'HEADER' | 'TRAILER' }
  | { readonly kind: 'RECORD'; readonly recordNo: number }
  | { readonly kind: 'FAULT'; readonly fault: FileFault };

export interface FileCheck {
  /** Takes the next line, parsed; after a fault the file is not read on. */
  line(value: unknown): FileLine;
  /** What is missing when no line comes any more; null when the file is whole. */
  end(): FileFault | null;
}

/**
 * Holds the lines of a file against its announcement and its own trailer: H first, records numbered 1 to n, T
 * last, counts and totals equal (authorization 13). Keeps counts and sums only, so any size of file will do.
 */
export function checkClearingFile(announced: ClearingAnnouncement): FileCheck {
  const totals = { debit: new Map<string, number>(), credit: new Map<string, number>() };
  let stage: 'HEADER' | 'RECORDS' | 'ENDED' = 'HEADER';
  let records = 0;
  let summable = true;

  function header(line: Line): FileLine {
    const right =
      line['recordType'] === 'H' &&
      line['version'] === 1 &&
      line['fileId'] === announced.fileId &&
      line['businessDate'] === announced.businessDate;
    if (!right) return faulty('HEADER');
    stage = 'RECORDS';
    return { kind: 'HEADER' };
  }

  function record(line: Line): FileLine {
    records += 1;
    if (line['recordNo'] !== records) return faulty('RECORD_NUMBER');
    count(line);
    return { kind: 'RECORD', recordNo: records };
  }

  /** A record that cannot be posted still stands in the sums of its sender, where it can be counted at all. */
  function count({ recordType, amount, currency }: Line): void {
    if (typeof currency !== 'string' || !Number.isSafeInteger(amount) || !isRecordType(recordType)) return;
    const side = totals[SIDES[recordType]];
    const before = side.get(currency) ?? 0;
    if (sumFits(before, amount as number)) side.set(currency, add(before, amount as number));
    else summable = false;
  }

  function trailer(line: Line): FileLine {
    stage = 'ENDED';
    if (line['records'] !== records || announced.records !== records) return faulty('RECORD_COUNT');
    const right =
      summable && isEqual(totals.debit, line['debitTotals']) && isEqual(totals.credit, line['creditTotals']);
    return right ? { kind: 'TRAILER' } : faulty('TOTALS');
  }

  return {
    line(value) {
      if (typeof value !== 'object' || value === null || Array.isArray(value))
        return faulty('LINE_UNREADABLE');
      const line = value as Line;
      if (stage === 'ENDED') return faulty('AFTER_TRAILER');
      if (stage === 'HEADER') return header(line);
      return line['recordType'] === 'T' ? trailer(line) : record(line);
    },
    end: () => (stage === 'ENDED' ? null : 'NO_TRAILER'),
  };
}

type Line = Readonly<Record<string, unknown>>;

const faulty = (fault: FileFault): FileLine => ({ kind: 'FAULT', fault });

const isRecordType = (value: unknown): value is RecordType =>
  typeof value === 'string' && Object.hasOwn(SIDES, value);

/** Totals by currency; a currency without records may be told as 0 or not at all. */
function isEqual(counted: ReadonlyMap<string, number>, told: unknown): boolean {
  if (typeof told !== 'object' || told === null || Array.isArray(told)) return false;
  const said = new Map(Object.entries(told));
  const currencies = new Set([...counted.keys(), ...said.keys()]);
  return [...currencies].every((one) => (counted.get(one) ?? 0) === (said.get(one) ?? 0));
}
