import type { ColumnType, Generated } from 'kysely';
import type { CreatedAt, Json } from './columns.ts';

/** Partners, who may speak for them and where we reach them. */
export interface PartnerTables {
  partners: PartnersTable;
  certificates: CertificatesTable;
  connections: ConnectionsTable;
  connection_keys: ConnectionKeysTable;
}

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
  reminded_days: Generated<number | null>;
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
  client_not_after: Generated<Date | null>;
  reminded_days: Generated<number | null>;
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

/** A key pair of ours that waits for the partner's signature. */
export interface ConnectionKeysTable {
  key_id: string;
  partner_id: number;
  connection_id: number;
  csr_pem: string;
  key_sha256: string;
  private_key_ct: Buffer;
  used_at: Date | null;
  created_at: CreatedAt;
}
