import type { ColumnType, Generated, JSONColumnType } from 'kysely';
import type { PostingCeilings } from '../domain/internal-posting.ts';
import type { LimitDocument } from '../domain/limit.ts';
import type { KybTimings } from '../domain/kyb-application.ts';
import type { OperatorRole, OperatorScope, StoredOperatorState } from '../domain/operator.ts';
import type { LifecycleState } from '../domain/transaction.ts';
import type { KybTables } from './kyb-tables.ts';

/** The map from table name to row type; columns are described in the migrations that make them. */
export interface Database extends KybTables {
  partners: PartnersTable;
  certificates: CertificatesTable;
  connections: ConnectionsTable;
  programmes: ProgrammesTable;
  card_products: CardProductsTable;
  ledger_accounts: LedgerAccountsTable;
  balances: BalancesTable;
  partner_balances: PartnerBalancesTable;
  partner_balance_alerts: PartnerBalanceAlertsTable;
  ledger_transfers: LedgerTransfersTable;
  subject_keys: SubjectKeysTable;
  customers: CustomersTable;
  customer_addresses: CustomerAddressesTable;
  corporations: CorporationsTable;
  corporation_addresses: CorporationAddressesTable;
  employees: EmployeesTable;
  user_imports: UserImportsTable;
  user_import_chunks: UserImportChunksTable;
  user_import_rows: UserImportRowsTable;
  transactional_locks: TransactionalLocksTable;
  customer_credentials: CustomerCredentialsTable;
  device_installations: DeviceInstallationsTable;
  customer_sessions: CustomerSessionsTable;
  sign_in_challenges: SignInChallengesTable;
  pairing_tokens: PairingTokensTable;
  one_time_codes: OneTimeCodesTable;
  address_guards: AddressGuardsTable;
  guess_guards: GuessGuardsTable;
  verifications: VerificationsTable;
  verification_documents: VerificationDocumentsTable;
  provider_events: ProviderEventsTable;
  screening_entries: ScreeningEntriesTable;
  screening_hits: ScreeningHitsTable;
  screening_lists: ScreeningListsTable;
  document_notices: DocumentNoticesTable;
  cards: CardsTable;
  card_locks: CardLocksTable;
  card_states: CardStatesTable;
  customer_limits: CustomerLimitsTable;
  processor_instructions: ProcessorInstructionsTable;
  transactions: TransactionsTable;
  transaction_events: TransactionEventsTable;
  network_keys: NetworkKeysTable;
  reversal_tombstones: ReversalTombstonesTable;
  unasked_transactions: UnaskedTransactionsTable;
  exceptions: ExceptionsTable;
  clearing_files: ClearingFilesTable;
  clearing_chunks: ClearingChunksTable;
  clearing_blocks: ClearingBlocksTable;
  recon_runs: ReconRunsTable;
  ledger_seals: LedgerSealsTable;
  outbox: OutboxTable;
  delivery_batches: DeliveryBatchesTable;
  deliveries: DeliveriesTable;
  notification_attempts: NotificationAttemptsTable;
  idempotency_keys: IdempotencyKeysTable;
  audit_log: AuditLogTable;
  operators: OperatorsTable;
  operator_passwords: OperatorPasswordsTable;
  operator_sign_ins: OperatorSignInsTable;
  operator_logins: OperatorLoginsTable;
  operator_links: OperatorLinksTable;
  operator_sessions: OperatorSessionsTable;
  approvals: ApprovalsTable;
  audit_seals: AuditSealsTable;
}

type CreatedAt = ColumnType<Date, Date | undefined, never>;
type Json<T extends object> = JSONColumnType<T, string, string>;
/** A document that need not be there. */
type OptionalJson<T extends object> = ColumnType<T | null, string | null | undefined, string | null>;

export interface PartnersTable {
  partner_id: Generated<number>;
  public_id: string;
  code: string;
  name: string;
  state: Generated<'ACTIVE' | 'SUSPENDED'>;
  pinned_public_keys: Generated<string[]>;
  ip_allow_list: Generated<string[]>;
  legacy_integrations: Generated<boolean>;
  legal_name: Generated<string>;
  contacts: ColumnType<readonly PartnerContact[], string | undefined, string>;
  partner_rate: Generated<number>;
  version: Generated<number>;
  created_at: CreatedAt;
}

/** Somebody at a partner to write to. */
export interface PartnerContact {
  readonly name: string;
  readonly email: string;
}

export type CertificateScope = 'partner' | 'processor' | 'ims' | 'bin_sponsor' | 'internal';

/** Until it is approved a certificate has no serial, fingerprint, subject and dates. */
export interface CertificatesTable {
  certificate_id: string;
  partner_id: number | null;
  label: string;
  scopes: CertificateScope[];
  programmes: Generated<string[]>;
  subject: string | null;
  requested_subject: Generated<string | null>;
  contact_email: string | null;
  key_type: Generated<string | null>;
  key_sha256: string;
  csr_pem: Generated<string | null>;
  certificate_pem: Generated<string | null>;
  validity_days: Generated<number | null>;
  serial: string | null;
  fingerprint_sha256: string | null;
  not_before: Date | null;
  not_after: Date | null;
  state: 'PENDING' | 'ACTIVE' | 'REJECTED' | 'REVOKED' | 'EXPIRED';
  requested_by: Generated<string | null>;
  approved_by: Generated<string | null>;
  revoked_at: Date | null;
  revocation_reason: string | null;
  last_used_at: Date | null;
  created_at: CreatedAt;
}

export interface WireStyle {
  readonly dateStyle: 'ISO_MS_Z' | 'ISO_OFFSET';
  readonly numberStyle: 'STRING' | 'INTEGER';
  readonly captureModeStyle: 'TABLE' | 'SAMPLE';
}

export interface ConnectionsTable {
  connection_id: Generated<number>;
  public_id: string;
  partner_id: number;
  name: string;
  environment: 'TEST' | 'LIVE';
  base_url: string;
  auth_kind: 'MTLS' | 'BASIC' | 'MTLS_AND_BASIC';
  client_certificate_pem: string | null;
  client_key_ct: Buffer | null;
  basic_ct: Buffer | null;
  server_ca_pem: string | null;
  signing_secret_ct: Buffer | null;
  wire_style: Json<WireStyle>;
  encryption: Json<{ readonly otp: 'JWE' | 'NONE'; readonly verification: 'JWE' | 'NONE' }>;
  resends: Generated<number>;
  max_concurrency: Generated<number>;
  paused_operations: Generated<string[]>;
  version: Generated<number>;
  created_at: CreatedAt;
}

/** Which connection (by connection_id) is told what; an absent member is switched off. */
export interface NotificationSwitches {
  readonly otp?: number;
  readonly kyc?: number;
  readonly cardLock?: number;
  readonly transactionalLock?: number;
  readonly transactionEvent?: number;
  readonly legacyTransaction?: number;
}

/** Durations of a programme; absent members take the default of their chapter. */
export interface ProgrammeTimings {
  readonly kyc?: Partial<Record<'providerPollMs' | 'providerLimitMs' | 'reviewReminderMs', number>>;
  /** Delays before resend n of a notice (partner-integrations 7.2), for demos and tests. */
  readonly resendDelaysMs?: readonly number[];
  readonly holdDays?: number;
  readonly kyb?: Partial<KybTimings>;
}

export interface ProgrammesTable {
  programme_id: Generated<number>;
  public_id: string;
  partner_id: number;
  issuer_code: string;
  name: string;
  state: Generated<'ACTIVE' | 'SUSPENDED'>;
  sandbox: Generated<boolean>;
  balance_holder: 'platform' | 'external';
  funding: 'credit' | 'deposit';
  enforce_partner_balance: Generated<boolean>;
  shared_authorization: Generated<boolean>;
  fx_mode: Generated<'network' | 'platform'>;
  default_currency: string;
  currencies: string[];
  auto_create_balance: Generated<boolean>;
  kyc_mode: 'MANUAL' | 'AUTOMATIC' | 'EXTERNAL';
  external_kyc: boolean;
  external_kyb: Generated<boolean>;
  corporate_holder_kyc: Generated<'required' | 'waived'>;
  kyc_provider: string | null;
  min_age: Generated<number>;
  timezone: Generated<string>;
  country: string;
  timings: ColumnType<ProgrammeTimings, string | undefined, string>;
  notifications: ColumnType<NotificationSwitches, string | undefined, string>;
  include_partner_balances: Generated<boolean>;
  allow_partial_approval: Generated<boolean>;
  auto_corporation: Generated<boolean>;
  limits: OptionalJson<LimitDocument>;
  posting_ceilings: ColumnType<PostingCeilings, string | undefined, string>;
  enrolment: Generated<'OPEN' | 'CLOSED' | 'BOTH'>;
  session_minutes: Generated<number>;
  app_pin_length: Generated<number>;
  step_up: Generated<'REQUIRED' | 'APP'>;
  screening_threshold: Generated<number>;
  kyc_review_roles: Generated<OperatorRole[]>;
  many_cards_threshold: number | null;
  extra_lock_reasons: Generated<string[]>;
  version: Generated<number>;
  created_at: CreatedAt;
}

export interface CardProductsTable {
  product_id: Generated<number>;
  partner_id: number;
  programme_id: number;
  config_id: string;
  name: string;
  kind: 'VIRTUAL' | 'PHYSICAL';
  digital_first: Generated<boolean>;
  print_config_id: string | null;
  currency: string;
  bin_prefix: string;
  range_low: string;
  range_high: string;
  network: 'MASTERCARD' | 'VISA';
  category: 'credit' | 'debit' | 'prepaid';
  holder: Generated<'user' | 'corporation' | 'both'>;
  expiry_months: Generated<number>;
  max_cards_per_balance: Generated<number>;
  pin_length: Generated<number>;
  pin_tries: Generated<number>;
  activation_proof: Generated<string>;
  renewal: Generated<string>;
  customer_lock_codes: Generated<number[]>;
  processor_product_id: string;
  anonymous: Generated<boolean>;
  state: Generated<'ACTIVE' | 'CLOSED'>;
  limits: OptionalJson<LimitDocument>;
  version: Generated<number>;
  created_at: CreatedAt;
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
  file_key: string;
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

export interface CustomerCredentialsTable {
  customer_id: number;
  partner_id: number;
  password_hash: string | null;
  terms_version: string | null;
  updated_at: ColumnType<Date, Date | undefined, Date>;
}

export interface DeviceInstallationsTable {
  installation_id: string;
  partner_id: number;
  programme_id: number;
  customer_id: number;
  device_id: string;
  platform: 'IOS' | 'ANDROID' | 'WEB' | 'OTHER';
  name: string | null;
  model: string | null;
  os_version: string | null;
  app_version: string | null;
  public_key_thumbprint: string;
  signing_key: Buffer | null;
  push_token: Buffer | null;
  app_pin_hash: string;
  state: Generated<'ACTIVE' | 'LOCKED' | 'REPLACED' | 'UNPAIRED'>;
  paired_at: CreatedAt;
  last_seen_at: ColumnType<Date, Date | undefined, Date>;
  ended_at: Date | null;
}

export interface CustomerSessionsTable {
  session_id: string;
  family_id: string;
  partner_id: number;
  programme_id: number;
  customer_id: number;
  installation_id: string;
  token_hash: Buffer;
  created_at: CreatedAt;
  last_used_at: ColumnType<Date, Date | undefined, Date>;
  absolute_expires_at: Date;
  step_up_until: Date | null;
  replaced_at: Date | null;
  ended_at: Date | null;
  end_reason: string | null;
}

export interface SignInChallengesTable {
  challenge_id: string;
  partner_id: number;
  installation_id: string;
  challenge: Buffer;
  expires_at: Date;
  used_at: Date | null;
}

export interface PairingTokensTable {
  token_hash: Buffer;
  partner_id: number;
  customer_id: number;
  expires_at: Date;
  used_at: Date | null;
}

export interface OneTimeCodesTable {
  code_id: string;
  partner_id: number;
  programme_id: number;
  purpose: 'REGISTRATION' | 'ACTIVATION' | 'PASSWORD_RESET' | 'CONTACT_CHANGE';
  customer_id: number | null;
  address_index: Buffer;
  code_hash: Buffer;
  second_code_hash: Buffer | null;
  data: Buffer | null;
  tries: Generated<number>;
  resends: Generated<number>;
  created_at: CreatedAt;
  sent_at: Date;
  code_expires_at: Date;
  expires_at: Date;
  used_at: Date | null;
  killed_at: Date | null;
}

export interface AddressGuardsTable {
  programme_id: number;
  address_index: Buffer;
  partner_id: number;
  sent_at: Generated<Date[]>;
  killed_at: Generated<Date[]>;
  blocked_until: Date | null;
}

export interface GuessGuardsTable {
  programme_id: number;
  guarded: string;
  partner_id: number;
  in_a_row: Generated<number>;
  wrong_at: Generated<Date[]>;
  blocked_until: Date | null;
  closed: Generated<boolean>;
  updated_at: ColumnType<Date, Date | undefined, Date>;
}

export interface VerificationsTable {
  verification_id: string;
  partner_id: number;
  programme_id: number;
  customer_id: number;
  status: 'IN_PROGRESS' | 'ACCEPTED' | 'REJECTED';
  reason: string | null;
  stage: 'RECEIVED' | 'PROVIDER' | 'REVIEW' | 'CLOSED';
  mode: 'MANUAL' | 'AUTOMATIC' | 'EXTERNAL';
  source: 'INTERNAL' | 'EXTERNAL';
  channel: 'CUSTOMER' | 'SERVER' | 'ADMIN';
  form: Buffer;
  flags: Generated<string[]>;
  risk_level: 'LOW' | 'MEDIUM' | 'HIGH';
  pep: Generated<boolean>;
  document_expiration_date: string;
  provider_code: string | null;
  applicant_id: string | null;
  check_id: string | null;
  provider_outcome: string | null;
  provider_reasons: Generated<string[]>;
  decided_by: string | null;
  note: string | null;
  version: Generated<number>;
  created_at: CreatedAt;
  decided_at: Date | null;
  claimed_by: string | null;
  claimed_until: Date | null;
}

export interface VerificationDocumentsTable {
  document_id: string;
  verification_id: string;
  partner_id: number;
  kind: 'FACE' | 'FRONT' | 'BACK';
  media_type: string;
  bytes: number;
  sha256: string;
  store_key: string;
  created_at: CreatedAt;
}

export interface ProviderEventsTable {
  provider_code: string;
  event_id: string;
  partner_id: number;
  verification_id: string;
  received_at: CreatedAt;
}

export interface ScreeningEntriesTable {
  entry_id: string;
  list_code: 'OFAC_SDN' | 'UN' | 'EU' | 'PEP' | 'CUSTOM';
  kind: 'PERSON' | 'ENTITY';
  normalized_names: string[];
  birth_years: Generated<number[]>;
  fingerprint: Generated<string>;
}

export interface ScreeningHitsTable {
  hit_id: string;
  partner_id: number;
  subject_type: 'CUSTOMER' | 'CORPORATION' | 'PERSON';
  subject_ref: string;
  verification_id: string | null;
  list_code: string;
  entry_id: string;
  score: number;
  state: Generated<'OPEN' | 'FALSE_POSITIVE' | 'CONFIRMED'>;
  note: string | null;
  decided_by: string | null;
  kyb_application_id: string | null;
  created_at: CreatedAt;
  entry_fingerprint: Generated<string>;
  decided_at: Date | null;
}

export interface ScreeningListsTable {
  list_code: ScreeningEntriesTable['list_code'];
  list_version_id: string;
  entries: number;
  loaded_by: string;
  loaded_at: ColumnType<Date, Date | undefined, Date>;
}

export interface DocumentNoticesTable {
  customer_id: number;
  expires_on: string;
  days_before: number;
  partner_id: number;
  sent_at: CreatedAt;
}

export interface CardsTable {
  card_id: Generated<number>;
  resource_id: string;
  partner_id: number;
  programme_id: number;
  product_id: number;
  balance_id: string;
  customer_id: number | null;
  corporation_id: string | null;
  kind: 'VIRTUAL' | 'PHYSICAL' | 'DIGITAL_FIRST';
  base_state: 'PENDING' | 'INACTIVE' | 'ACTIVE' | 'REMOVED' | 'FAILED';
  reference: string;
  processor_card_id: string | null;
  holder_name: Buffer | null;
  label: string | null;
  last_four_digits: string | null;
  bin: string | null;
  expiry_date: string | null;
  cvc_version: Generated<number>;
  pin_set: Generated<boolean>;
  failure_reason: string | null;
  replaces_card_id: number | null;
  replaced_by_card_id: number | null;
  claimed: Generated<boolean>;
  created_at: CreatedAt;
  activated_at: Date | null;
  removed_at: Date | null;
}

export type LockPlacer = 'customer' | 'partner' | 'operator' | 'processor' | 'system';

export interface CardLocksTable {
  lock_id: string;
  card_id: number;
  partner_id: number;
  code: number;
  placed_by: LockPlacer;
  placed_at: CreatedAt;
  lifted_at: Date | null;
  lifted_by: string | null;
}

export interface CardStatesTable {
  processor_card_id: string;
  card_id: number;
  partner_id: number;
  programme_id: number;
  product_id: number;
  balance_id: string;
  customer_id: number | null;
  corporation_id: string | null;
  base_state: string;
  locks: Generated<number[]>;
  expiry_date: string;
  last_four_digits: string;
  pin_tries_left: number;
  cvc_tries_left: Generated<number>;
  limits: OptionalJson<LimitDocument>;
  limits_version: Generated<number>;
  consumed: Generated<number[]>;
  consumed_on: string | null;
  budget_since: Date | null;
  newest_fingerprint: number | null;
  newest_at: Date | null;
}

export interface CustomerLimitsTable {
  customer_id: number;
  partner_id: number;
  limits: Json<LimitDocument>;
  limits_version: Generated<number>;
  consumed: Generated<number[]>;
  consumed_on: string | null;
  budget_since: Date | null;
  created_at: CreatedAt;
}

export interface ProcessorInstructionsTable {
  instruction_id: Generated<number>;
  card_id: number;
  partner_id: number;
  kind: 'LOCK' | 'UNLOCK';
  codes: number[];
  status: Generated<'WAITING' | 'DONE' | 'REFUSED'>;
  attempts: Generated<number>;
  last_outcome: string | null;
  created_at: CreatedAt;
  finished_at: Date | null;
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

export interface AuditSealsTable {
  chain: string;
  seq: number;
  audit_id: string;
  hash: Buffer;
  sealed_at: CreatedAt;
}
