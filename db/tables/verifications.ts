import type { ColumnType, Generated } from 'kysely';
import type { CreatedAt } from './columns.ts';

/** Verifications of users, and screening. */
export interface VerificationTables {
  verifications: VerificationsTable;
  verification_documents: VerificationDocumentsTable;
  provider_events: ProviderEventsTable;
  screening_entries: ScreeningEntriesTable;
  screening_hits: ScreeningHitsTable;
  screening_lists: ScreeningListsTable;
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
