import type { Kysely } from 'kysely';
import type { Logger } from 'pino';
import type { Authorizer } from '../activities/authorization/authorizer.ts';
import type { MailClient, SmsClient } from '../activities/messaging/client.ts';
import type { ProcessorClient } from '../activities/processor/client.ts';
import type { Database } from '../db/database.ts';
import type { Programme, RegisteredCertificate } from '../db/partners.ts';
import type { Authority } from '../vault/certificate-authority.ts';
import type { AnchorSink } from '../vault/anchor-sink.ts';
import type { DocumentStore } from '../vault/document-store.ts';
import type { Vault } from '../vault/vault.ts';
import type { KycProviderSettings } from '../domain/kyc-provider.ts';

/** What handlers work with; put together once in `api/main.ts`, and in tests by the harness. */
export interface Services {
  readonly app: Kysely<Database>;
  readonly engine: Kysely<Database>;
  readonly vault: Vault;
  readonly documents: DocumentStore;
  readonly authorizer: Authorizer;
  readonly processor: ProcessorClient;
  readonly certificates: CertificateRegistry;
  readonly sms: SmsClient;
  readonly mail: MailClient;
  readonly kycProviders: readonly KycProviderSettings[];
  readonly operators: OperatorSettings;
  /** Issues client certificates; null where this process has no key for it. */
  readonly authority: Authority | null;
  /** Where signed heads of the audit chains are kept. */
  readonly anchors: AnchorSink;
  readonly logger: Logger;
  readonly health: HealthChecks;
  readonly metrics: RequestMetrics;
  /** Clock of this machine, for deadlines only. */
  readonly nowMs: () => number;
}

/** What the doors of `/admin` go by (operations 3). */
export interface OperatorSettings {
  /** Address of the public listener in links; writes with the cookie must come from its origin. */
  readonly publicUrl: string;
  /** Addresses and ranges that reach `/admin`; empty = all. */
  readonly allowedCidrs: readonly string[];
  /** IANA zone whose midnight ends a lock-out. */
  readonly timeZone: string;
  /** Outside development the session cookie travels on TLS only. */
  readonly secureCookie: boolean;
}

/** Certificates and programmes as the database has them, at most five seconds old. */
export interface CertificateRegistry {
  find(fingerprint: string): Promise<RegisteredCertificate | undefined>;
  programmes(partnerId: number): Promise<readonly Programme[]>;
  /** Those of every partner. */
  allProgrammes(): Promise<readonly Programme[]>;
  /** Remembers that a trusted certificate has called. */
  used(certificateId: string): void;
}

export type HealthState = 'ok' | 'degraded' | 'failed';

/** Counts and times of requests. */
export interface RequestMetrics {
  request(one: {
    readonly listener: string;
    /** Route template; `none` where no route matched. */
    readonly route: string;
    readonly method: string;
    readonly status: number;
    readonly durationMs: number;
  }): void;
}

export interface HealthChecks {
  /** False while the event loop is more than a second behind. */
  readonly live: () => boolean;
  /** True from the moment the process is asked to end. */
  readonly draining: () => boolean;
  readonly check: () => Promise<Readonly<Record<string, HealthState>>>;
}
