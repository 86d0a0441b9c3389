import type { ColumnType, Generated } from 'kysely';
import type { CreatedAt } from './columns.ts';

/** How users of the app are recognised. */
export interface CustomerAccessTables {
  customer_credentials: CustomerCredentialsTable;
  device_installations: DeviceInstallationsTable;
  customer_sessions: CustomerSessionsTable;
  sign_in_challenges: SignInChallengesTable;
  pairing_tokens: PairingTokensTable;
  one_time_codes: OneTimeCodesTable;
  address_guards: AddressGuardsTable;
  guess_guards: GuessGuardsTable;
  rate_buckets: RateBucketsTable;
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

export interface RateBucketsTable {
  partner_id: number;
  bucket: string;
  full_at: Date;
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
