import type { ColumnType, Generated } from 'kysely';
import type { LifecycleState } from '../../domain/transaction.ts';
import type { CreatedAt } from './columns.ts';

/** Transactions and their events. */
export interface TransactionTables {
  transactions: TransactionsTable;
  transaction_events: TransactionEventsTable;
  network_keys: NetworkKeysTable;
  unasked_transactions: UnaskedTransactionsTable;
  reversal_tombstones: ReversalTombstonesTable;
}

export interface TransactionsTable {
  id: string;
  history_id: Generated<number>;
  partner_id: number;
  programme_id: number;
  state: LifecycleState;
  type: string;
  category: 'DEBIT' | 'CREDIT';
  adjustment_kind: string | null;
  resource: Generated<string>;
  card_id: number | null;
  customer_id: number | null;
  corporation_id: string | null;
  balance_id: string | null;
  partner_balance_id: string | null;
  external_id: string;
  reference_external_id: string | null;
  network_reference: string | null;
  rrn: string | null;
  stan: string | null;
  local_at: string | null;
  approval_code: string | null;
  amount: number;
  currency: string;
  original_amount: number | null;
  original_currency: string | null;
  authorized: Generated<number>;
  cleared: Generated<number>;
  reversed: Generated<number>;
  refunded: Generated<number>;
  held: Generated<number>;
  expires_at: Date | null;
  result: string;
  reason: string | null;
  decided_by: string | null;
  description: string;
  occurred_at: Date;
  flags: string[] | null;
  transaction_data: ColumnType<Record<string, unknown>, string | undefined, string>;
  last_four_digits: string | null;
  balance_before: number | null;
  balance_after: number | null;
  event_count: Generated<number>;
  cleared_at: Date | null;
  related_id: string | null;
  interchange_amount: number | null;
  interchange_currency: string | null;
  arn: string | null;
  created_at: CreatedAt;
  updated_at: ColumnType<Date, Date | undefined, Date>;
}

export interface TransactionEventsTable {
  transaction_id: string;
  seq: number;
  partner_id: number;
  kind: string;
  status: 'AUTHORIZED' | 'CLEARED' | 'REVERSED';
  result: string;
  reason: string | null;
  amount: number | null;
  external_id: string | null;
  occurred_at: Date | null;
  request_id: string;
  actor: string;
  answer: string | null;
  trace: string | null;
  created_at: CreatedAt;
}

export interface NetworkKeysTable {
  nk: string;
  transaction_id: string | null;
  seq: number | null;
  fingerprint: number;
}

export interface UnaskedTransactionsTable {
  network_reference: string;
  transaction_id: string;
  partner_id: number;
  created_at: CreatedAt;
}

export interface ReversalTombstonesTable {
  tombstone_id: string;
  partner_id: number;
  card_id: number;
  original_stan: string | null;
  original_local_at: string | null;
  network_reference: string | null;
  external_id: string | null;
  amount: number | null;
  remaining_amount: number | null;
  used_by: string | null;
  created_at: CreatedAt;
}
