import type { ColumnType, Generated } from 'kysely';
import type { PostingCeilings } from '../../domain/internal-posting.ts';
import type { LimitDocument } from '../../domain/limit.ts';
import type { KybTimings } from '../../domain/kyb-application.ts';
import type { OperatorRole } from '../../domain/operator.ts';
import type { CreatedAt, OptionalJson } from './columns.ts';

/** Programmes of partners and their card products. */
export interface ProgrammeTables {
  programmes: ProgrammesTable;
  card_products: CardProductsTable;
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
  state: Generated<'ACTIVE' | 'CLOSED'>;
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
  retention_years: Generated<number>;
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
