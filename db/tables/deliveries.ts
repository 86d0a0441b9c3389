import type { ColumnType, Generated } from 'kysely';
import type { CreatedAt } from './columns.ts';

/** What is to be told to others, and what was answered to callers. */
export interface DeliveryTables {
  outbox: OutboxTable;
  delivery_batches: DeliveryBatchesTable;
  deliveries: DeliveriesTable;
  notification_attempts: NotificationAttemptsTable;
  idempotency_keys: IdempotencyKeysTable;
}

export interface OutboxTable {
  id: Generated<number>;
  partner_id: number | null;
  programme_id: number | null;
  destination: 'partner' | 'workflow' | 'message';
  connection_id: number | null;
  kind: string;
  transaction_id: string | null;
  event_seq: number | null;
  subject_id: string | null;
  order_key: string;
  not_before: Date | null;
  data: ColumnType<Record<string, unknown> | null, string | null, string | null>;
  failures: Generated<number>;
  created_at: CreatedAt;
}

export interface DeliveryBatchesTable {
  batch_id: string;
  partner_id: number;
  connection_id: number;
  class: 'NOTICE' | 'MONEY';
  rows: number;
  started_at: Date | null;
  ended_at: Date | null;
  bodies_purged: Generated<boolean>;
  created_at: CreatedAt;
}

export type DeliveryStatus = 'PENDING' | 'RETRYING' | 'HELD' | 'DELIVERED' | 'FAILED' | 'DEAD' | 'RESOLVED';

export interface DeliveriesTable {
  delivery_id: string;
  partner_id: number;
  programme_id: number;
  connection_id: number;
  class: 'NOTICE' | 'MONEY';
  operation: string;
  order_key: string;
  sequence: number;
  batch_id: string;
  status: DeliveryStatus;
  body: Buffer | null;
  encrypted_request: Generated<boolean>;
  transaction_id: string | null;
  event_seq: number | null;
  subject_id: string | null;
  attempts: Generated<number>;
  last_outcome: string | null;
  next_attempt_at: Date | null;
  created_at: CreatedAt;
  finished_at: Date | null;
}

export interface NotificationAttemptsTable {
  id: string;
  delivery_id: string;
  partner_id: number;
  attempt: number;
  outcome: string;
  http_status: number | null;
  response_title: string | null;
  duration_ms: number;
  body_sha256: string;
  manual: Generated<boolean>;
  created_at: CreatedAt;
}

export interface IdempotencyKeysTable {
  scope: string;
  key: string;
  /** Null where the caller speaks for no partner. */
  partner_id: number | null;
  fingerprint: Buffer;
  state: 'IN_PROGRESS' | 'DONE';
  deadline: Date | null;
  status: number | null;
  body: Buffer | null;
  location: string | null;
  card_id: number | null;
  subject_id: string | null;
  created_at: CreatedAt;
}
