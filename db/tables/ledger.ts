import type { ColumnType, Generated } from 'kysely';
import type { CreatedAt } from './columns.ts';

/** The chart of accounts, its transfers and the balances cached over it. */
export interface LedgerTables {
  ledger_accounts: LedgerAccountsTable;
  balances: BalancesTable;
  partner_balances: PartnerBalancesTable;
  partner_balance_alerts: PartnerBalanceAlertsTable;
  ledger_transfers: LedgerTransfersTable;
  ledger_seals: LedgerSealsTable;
}

export interface LedgerAccountsTable {
  account_id: Generated<number>;
  partner_id: number;
  programme_id: number;
  code: string;
  currency: string;
  off_balance: ColumnType<boolean, never, never>;
}

export interface BalancesTable {
  balance_id: string;
  account_id: number;
  partner_id: number;
  programme_id: number;
  customer_id: number | null;
  corporation_id: string | null;
  currency: string;
  holder: 'platform' | 'external';
  state: 'LINKING' | 'ACTIVE' | 'BLOCKED' | 'UNLINKING' | 'CLOSED';
  close_reason: string | null;
  automatic: Generated<boolean>;
  posted: Generated<number>;
  held: Generated<number>;
  version: Generated<number>;
  forced_since: Date | null;
  created_at: CreatedAt;
}

export interface PartnerBalancesTable {
  partner_balance_id: string;
  account_id: number;
  partner_id: number;
  programme_id: number;
  kind: 'credit' | 'deposit' | 'company' | 'ibanTechnical';
  currency: string;
  enforced: boolean;
  posted: Generated<number>;
  held: Generated<number>;
  version: Generated<number>;
  forced_since: Date | null;
  created_at: CreatedAt;
}

export interface PartnerBalanceAlertsTable {
  partner_balance_id: string;
  partner_id: number;
  threshold: number;
  rearm_level: number;
  emails: string[];
  enabled: boolean;
  state: Generated<'ARMED' | 'FIRED'>;
  fired_at: Date | null;
  told_at: Date | null;
  version: Generated<number>;
}

export interface LedgerTransfersTable {
  transaction_id: string;
  event_seq: number;
  seq: number;
  partner_id: number;
  debit_account: number;
  credit_account: number;
  amount: number;
  currency: string;
  state: 'PENDING' | 'POSTED' | 'VOIDED';
  of_event_seq: number | null;
  of_seq: number | null;
  debit_after: number | null;
  credit_after: number | null;
  created_at: CreatedAt;
}

export interface LedgerSealsTable {
  seal_no: number;
  from_at: Date;
  to_at: Date;
  shifted: boolean;
  rows: number;
  rows_hash: Buffer;
  hash: Buffer;
  created_at: CreatedAt;
}
