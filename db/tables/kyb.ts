import type { ColumnType, Generated } from 'kysely';
import type { KybChannel, KybSection, KybStatus, SectionState } from '../../domain/kyb-application.ts';
import type { KybDocumentType } from '../../domain/kyb-document.ts';
import type { KybPersonRole } from '../../domain/kyb-form.ts';
import type { DocumentType, ProviderOutcome } from '../../domain/verification.ts';
import type { CreatedAt } from './columns.ts';

/** Tables of company applications (migrations 0018, 0020). */
export interface KybTables {
  kyb_applications: KybApplicationsTable;
  kyb_sections: KybSectionsTable;
  kyb_persons: KybPersonsTable;
  kyb_documents: KybDocumentsTable;
  kyb_comments: KybCommentsTable;
  kyb_reviews: KybReviewsTable;
  kyb_tokens: KybTokensTable;
  kyb_mails: KybMailsTable;
  kyb_person_checks: KybPersonChecksTable;
}

export interface KybApplicationsTable {
  application_id: string;
  subject_id: string;
  partner_id: number;
  programme_id: number;
  status: Generated<KybStatus>;
  channel: KybChannel;
  round: Generated<number>;
  email_index: Buffer;
  ip_index: Buffer | null;
  company_name: string | null;
  country: string | null;
  tax_id: string | null;
  flags: Generated<string[]>;
  reason: Buffer | null;
  note: Buffer | null;
  decided_by: string | null;
  claimed_by: string | null;
  claimed_until: Date | null;
  version: Generated<number>;
  touched_at: ColumnType<Date, Date | undefined, Date>;
  submitted_at: Date | null;
  decided_at: Date | null;
  shredded_at: ColumnType<Date | null, Date | null | undefined, Date>;
  created_at: CreatedAt;
}

export interface KybSectionsTable {
  application_id: string;
  section: KybSection;
  partner_id: number;
  state: Generated<SectionState>;
  content: Buffer | null;
  changed: Generated<boolean>;
  reviewed_by: string | null;
  reviewed_at: Date | null;
}

export interface KybPersonsTable {
  person_id: string;
  application_id: string;
  partner_id: number;
  position: number;
  roles: KybPersonRole[];
  ownership: number | null;
  control_by_other_means: Generated<boolean>;
  pep: Generated<boolean>;
  sanctioned: Generated<boolean>;
  personal: Buffer;
  screened_round: number | null;
}

export interface KybDocumentsTable {
  document_id: string;
  application_id: string;
  partner_id: number;
  type: KybDocumentType;
  person_id: string | null;
  document_type: DocumentType | null;
  media_type: string;
  bytes: number;
  sha256: string;
  store_key: string;
  created_at: CreatedAt;
}

export interface KybCommentsTable {
  comment_id: string;
  application_id: string;
  partner_id: number;
  section: KybSection | null;
  text: Buffer;
  operator: string;
  created_at: CreatedAt;
}

export interface KybReviewsTable {
  review_id: string;
  application_id: string;
  partner_id: number;
  action: string;
  section: KybSection | null;
  result: string | null;
  operator: string;
  command_key: string | null;
  created_at: CreatedAt;
}

export interface KybTokensTable {
  token_hash: Buffer;
  application_id: string;
  partner_id: number;
  expires_at: Date;
  created_at: CreatedAt;
}

export interface KybMailsTable {
  mail_key: string;
  application_id: string;
  partner_id: number;
  created_at: CreatedAt;
}

export interface KybPersonChecksTable {
  person_id: string;
  round: number;
  application_id: string;
  partner_id: number;
  provider_code: string | null;
  applicant_id: string | null;
  check_id: string | null;
  state: Generated<'RUNNING' | 'COMPLETED' | 'MISSING'>;
  outcome: ProviderOutcome | null;
  reasons: Generated<string[]>;
  created_at: CreatedAt;
  ended_at: Date | null;
}
