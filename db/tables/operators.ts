import type { ColumnType, Generated } from 'kysely';
import type { OperatorRole, OperatorScope, StoredOperatorState } from '../../domain/operator.ts';
import type { CreatedAt } from './columns.ts';

/** Operators, approvals and the audit trail. */
export interface OperatorTables {
  operators: OperatorsTable;
  operator_passwords: OperatorPasswordsTable;
  operator_sign_ins: OperatorSignInsTable;
  operator_logins: OperatorLoginsTable;
  operator_links: OperatorLinksTable;
  operator_sessions: OperatorSessionsTable;
  approvals: ApprovalsTable;
  audit_log: AuditLogTable;
  audit_seals: AuditSealsTable;
  audit_verifications: AuditVerificationsTable;
}

export interface OperatorsTable {
  operator_id: string;
  partner_id: number | null;
  email: string;
  first_name: string;
  last_name: string;
  role: OperatorRole;
  scope: OperatorScope;
  state: Generated<StoredOperatorState>;
  locked_until: Date | null;
  totp_secret: Buffer | null;
  totp_offered: Buffer | null;
  totp_step: number | null;
  demo: Generated<boolean>;
  last_login_at: Date | null;
  version: Generated<number>;
  created_at: CreatedAt;
}

export interface OperatorPasswordsTable {
  password_id: Generated<number>;
  operator_id: string;
  partner_id: number | null;
  hash: string;
  created_at: CreatedAt;
}

export interface OperatorSignInsTable {
  email_hash: Buffer;
  failures: Generated<number>;
  locked_until: Date | null;
  window_started_at: Generated<Date>;
  sign_ins: Generated<number>;
  codes_started_at: Generated<Date>;
  codes: Generated<number>;
  links_started_at: Generated<Date>;
  links: Generated<number>;
}

export interface OperatorLoginsTable {
  login_id: string;
  operator_id: string;
  partner_id: number | null;
  second_factor: 'EMAIL_CODE' | 'TOTP';
  code_hash: Buffer | null;
  wrong: Generated<number>;
  expires_at: Date;
  ended_at: Date | null;
}

export interface OperatorLinksTable {
  token_hash: Buffer;
  operator_id: string;
  partner_id: number | null;
  purpose: 'INVITATION' | 'PASSWORD_RESET';
  expires_at: Date;
  used_at: Date | null;
  created_at: CreatedAt;
}

export interface OperatorSessionsTable {
  token_hash: Buffer;
  session_id: string;
  operator_id: string;
  partner_id: number | null;
  created_at: CreatedAt;
  last_used_at: Generated<Date>;
  absolute_expires_at: Date;
  stepped_up_at: Generated<Date>;
  code_hash: Buffer | null;
  code_expires_at: Date | null;
  code_wrong: Generated<number>;
  ended_at: Date | null;
  ip: string | null;
}

export interface ApprovalsTable {
  approval_id: string;
  partner_id: number | null;
  kind: string;
  operation: string;
  subject_type: string;
  subject_id: string;
  summary: string;
  request: Buffer;
  request_sha256: Buffer;
  requested_by: string;
  state: Generated<'PENDING' | 'APPROVED' | 'FAILED' | 'REJECTED' | 'CANCELLED' | 'EXPIRED'>;
  expires_at: Date;
  decided_by: string | null;
  decided_at: Date | null;
  comment: string | null;
  result_title: string | null;
  created_at: CreatedAt;
}

export interface AuditLogTable {
  id: string;
  partner_id: number | null;
  actor_type: string;
  actor_id: string;
  action: string;
  object_type: string;
  object_id: string;
  result: 'OK' | 'DENIED' | 'FAILED';
  request_id: string;
  ip: string | null;
  before: ColumnType<Record<string, unknown> | null, string | null, never>;
  after: ColumnType<Record<string, unknown> | null, string | null, never>;
  created_at: CreatedAt;
}

export interface AuditSealsTable {
  chain: string;
  seq: number;
  audit_id: string;
  hash: Buffer;
  sealed_at: CreatedAt;
}

/** The last proof of a chain. */
export interface AuditVerificationsTable {
  chain: string;
  checked_at: Date;
  rows: number;
  ok: boolean;
  first_bad_seq: number | null;
  problem: 'HASH' | 'GAP' | 'ORDER' | 'ANCHOR' | null;
  anchors_checked: number;
  anchors_forged: number;
  last_anchor_at: Date | null;
}
