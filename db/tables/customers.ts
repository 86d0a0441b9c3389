import type { ColumnType, Generated } from 'kysely';
import type { CreatedAt } from './columns.ts';

/** Users, corporations, employees, and what is kept about them. */
export interface CustomerTables {
  subject_keys: SubjectKeysTable;
  customers: CustomersTable;
  customer_addresses: CustomerAddressesTable;
  corporations: CorporationsTable;
  corporation_addresses: CorporationAddressesTable;
  employees: EmployeesTable;
  user_imports: UserImportsTable;
  user_import_chunks: UserImportChunksTable;
  user_import_rows: UserImportRowsTable;
  user_import_keys: UserImportKeysTable;
  transactional_locks: TransactionalLocksTable;
  document_notices: DocumentNoticesTable;
}

export interface SubjectKeysTable {
  subject_id: string;
  partner_id: number;
  wrapped: Buffer;
  kek_version: number;
}

export interface CustomersTable {
  customer_id: Generated<number>;
  subject_id: string;
  partner_id: number;
  programme_id: number;
  personal: Buffer;
  phone_index: Buffer | null;
  email_index: Buffer | null;
  external_id: string | null;
  state: 'UNVERIFIED' | 'VERIFIED' | 'LOCKED' | 'DELETED';
  state_before_lock: 'UNVERIFIED' | 'VERIFIED' | null;
  kyc: 'NOT_STARTED' | 'IN_PROGRESS' | 'SUCCESS' | 'FAILED';
  kyc_successes: Generated<number>;
  risk_level: Generated<'LOW' | 'MEDIUM' | 'HIGH'>;
  document_expiration_date: string | null;
  pep: Generated<boolean>;
  transactional_locks: Generated<number>;
  /** When they were last compared with the screening lists. */
  screened_at: ColumnType<Date | null, Date | undefined, Date>;
  version: Generated<number>;
  created_at: CreatedAt;
  updated_at: ColumnType<Date, Date | undefined, Date>;
}

export interface CustomerAddressesTable {
  customer_id: number;
  type: 'RESIDENCE' | 'CORRESPONDENCE' | 'DELIVERY';
  partner_id: number;
  address: Buffer;
  updated_at: ColumnType<Date, Date | undefined, Date>;
}

export interface CorporationsTable {
  corporation_id: string;
  subject_id: string;
  partner_id: number;
  programme_id: number;
  name: string;
  country: string;
  tax_id: string;
  contact: Buffer;
  legal_form: string | null;
  registry_number: string | null;
  website: string | null;
  external_id: string | null;
  kyb_application_id: string | null;
  kyb: 'NOT_STARTED' | 'IN_PROGRESS' | 'SUCCESS' | 'FAILED';
  state: Generated<'ACTIVE' | 'LOCKED' | 'DELETED'>;
  transactional_locks: Generated<number>;
  version: Generated<number>;
  created_at: CreatedAt;
  updated_at: ColumnType<Date, Date | undefined, Date>;
}

export interface CorporationAddressesTable {
  corporation_id: string;
  type: 'REGISTERED' | 'CORRESPONDENCE';
  partner_id: number;
  address: Buffer;
  updated_at: ColumnType<Date, Date | undefined, Date>;
}

export interface EmployeesTable {
  employee_id: string;
  corporation_id: string;
  customer_id: number;
  partner_id: number;
  role: 'OWNER' | 'ADMIN' | 'EMPLOYEE';
  position: string | null;
  state: Generated<'ACTIVE' | 'SUSPENDED' | 'REMOVED'>;
  created_at: CreatedAt;
  updated_at: ColumnType<Date, Date | undefined, Date>;
}

export interface UserImportsTable {
  import_id: string;
  subject_id: string;
  partner_id: number;
  programme_id: number;
  mode: 'CREATE' | 'UPSERT';
  dry_run: boolean;
  state: Generated<'RECEIVED' | 'VALIDATING' | 'RUNNING' | 'DONE' | 'FAILED' | 'CANCELLED'>;
  cancelled: Generated<boolean>;
  /** Null once the file is deleted. */
  file_key: string | null;
  file_bytes: number;
  file_sha256: string;
  rows: Generated<number | null>;
  actor_type: string;
  actor_id: string;
  created_at: CreatedAt;
  finished_at: ColumnType<Date | null, Date | null | undefined, Date | null>;
}

export interface UserImportChunksTable {
  import_id: string;
  chunk_no: number;
  partner_id: number;
  rows: Buffer;
}

export interface UserImportRowsTable {
  import_id: string;
  row_no: number;
  partner_id: number;
  status: 'CREATED' | 'UPDATED' | 'SKIPPED' | 'FAILED';
  customer_id: number | null;
  title: string | null;
  field: string | null;
}

export interface UserImportKeysTable {
  import_id: string;
  kind: 'row' | 'phone' | 'email' | 'externalId';
  key: Buffer;
  partner_id: number;
  row_no: number;
}

export interface TransactionalLocksTable {
  resource_type: 'user' | 'corporation';
  resource_id: string;
  lock_reason: string;
  origin: 'SYSTEM' | 'OPERATOR' | 'PARTNER';
  partner_id: number;
  note: string | null;
  until: Date | null;
  added_at: CreatedAt;
}

export interface DocumentNoticesTable {
  customer_id: number;
  expires_on: string;
  days_before: number;
  partner_id: number;
  sent_at: CreatedAt;
}
