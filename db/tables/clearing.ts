import type { ColumnType, Generated } from 'kysely';
import type { CreatedAt } from './columns.ts';

/** Clearing files, what they leave to decide, and reconciliation. */
export interface ClearingTables {
  exceptions: ExceptionsTable;
  clearing_files: ClearingFilesTable;
  clearing_chunks: ClearingChunksTable;
  clearing_blocks: ClearingBlocksTable;
  recon_runs: ReconRunsTable;
}

export interface ExceptionsTable {
  exception_id: string;
  partner_id: number | null;
  kind: string;
  severity: 'INFO' | 'WARN' | 'CRITICAL';
  state: Generated<'OPEN' | 'IN_REVIEW' | 'RESOLVED'>;
  transaction_id: string | null;
  record_id: string | null;
  values: ColumnType<Record<string, unknown>, string | undefined, string>;
  assignee: Generated<string | null>;
  resolution: Generated<string | null>;
  note: Generated<string | null>;
  resolved_by: Generated<string | null>;
  resolved_at: ColumnType<Date | null, Date | null | undefined, Date | null>;
  resolving_transaction_id: Generated<string | null>;
  created_at: CreatedAt;
}

export interface ClearingFilesTable {
  file_id: string;
  processor: string;
  source: 'PROCESSOR' | 'OPERATOR';
  business_date: string;
  records: number;
  size: number;
  sha256: string;
  status: Generated<'QUEUED' | 'LOADING' | 'POSTED' | 'REJECTED'>;
  reason: string | null;
  duplicate_of: string | null;
  posted: Generated<number>;
  duplicates: Generated<number>;
  quarantined: Generated<number>;
  created_at: CreatedAt;
  checked_at: Date | null;
  finished_at: Date | null;
}

export interface ClearingChunksTable {
  file_id: string;
  chunk_no: number;
  bytes: Buffer;
}

export interface ClearingBlocksTable {
  file_id: string;
  block_no: number;
  first_record: number;
  records: number;
  body: ColumnType<readonly unknown[], string, never>;
  results: ColumnType<readonly (readonly (string | null)[])[] | null, string | null | undefined, string>;
}

export interface ReconRunsTable {
  run_id: Generated<number>;
  job: string;
  subject: string | null;
  from_at: Date;
  to_at: Date;
  result: 'OK' | 'FAILED';
  evidence: ColumnType<Record<string, unknown>, string, never>;
  created_at: CreatedAt;
}
