import type { Kysely, Selectable } from 'kysely';
import type { LimitDocument } from '../domain/limit.ts';
import type { PostingCeilings } from '../domain/internal-posting.ts';
import type { OperatorRole } from '../domain/operator.ts';
import type {
  CertificateScope,
  Database,
  NotificationSwitches,
  ProgrammesTable,
  ProgrammeTimings,
} from './database.ts';

/** A programme's settings as rules and channels read them. */
export interface Programme {
  readonly programmeId: number;
  readonly publicId: string;
  readonly partnerId: number;
  readonly issuerCode: string;
  readonly state: 'ACTIVE' | 'CLOSED';
  readonly sandbox: boolean;
  readonly balanceHolder: 'platform' | 'external';
  readonly funding: 'credit' | 'deposit';
  readonly enforcePartnerBalance: boolean;
  readonly sharedAuthorization: boolean;
  readonly defaultCurrency: string;
  readonly currencies: readonly string[];
  readonly autoCreateBalance: boolean;
  /** An accepted company application makes its corporation by itself. */
  readonly autoCorporation: boolean;
  readonly kycMode: 'MANUAL' | 'AUTOMATIC' | 'EXTERNAL';
  readonly externalKyc: boolean;
  readonly externalKyb: boolean;
  readonly corporateHolderKyc: 'required' | 'waived';
  readonly kycProvider: string | null;
  readonly minAge: number;
  readonly timezone: string;
  readonly country: string;
  readonly timings: ProgrammeTimings;
  readonly notifications: NotificationSwitches;
  readonly includePartnerBalances: boolean;
  readonly allowPartialApproval: boolean;
  readonly limits: LimitDocument | null;
  readonly postingCeilings: PostingCeilings;
  /** Who makes users: they themselves (`OPEN`), the partner (`CLOSED`), either (`BOTH`). */
  readonly enrolment: 'OPEN' | 'CLOSED' | 'BOTH';
  /** Life of a user's session since its last use. */
  readonly sessionMinutes: number;
  readonly appPinLength: number;
  /** `APP`: the app alone asks its user again before sensitive calls. */
  readonly stepUp: 'REQUIRED' | 'APP';
  /** Roles of operators that decide on verifications. */
  readonly kycReviewRoles: readonly OperatorRole[];
  /** Score from which a name counts as that of a screening list's entry. */
  readonly screeningThreshold: number;
  /** Lock reasons beside those of the platform. */
  readonly extraLockReasons: readonly string[];
  readonly version: number;
}

/** A client certificate as the registry knows it, with the partner it speaks for. */
export interface RegisteredCertificate {
  readonly certificateId: string;
  readonly label: string;
  readonly scopes: readonly CertificateScope[];
  /** Issuer codes the certificate is limited to; empty = all of the partner. */
  readonly programmes: readonly string[];
  readonly state: string;
  readonly notBefore: Date;
  readonly notAfter: Date;
  readonly partner: {
    readonly partnerId: number;
    readonly publicId: string;
    readonly code: string;
    readonly state: 'ACTIVE' | 'SUSPENDED';
    readonly pinnedPublicKeys: readonly string[];
    readonly ipAllowList: readonly string[];
    /** Requests a second. */
    readonly rate: number;
  } | null;
}

/** The certificate of a SHA-256 fingerprint (lower-case hexadecimal, of the DER), or undefined. Engine only. */
export async function findCertificate(
  engine: Kysely<Database>,
  fingerprint: string,
): Promise<RegisteredCertificate | undefined> {
  const row = await engine
    .selectFrom('certificates')
    .leftJoin('partners', 'partners.partner_id', 'certificates.partner_id')
    .selectAll('certificates')
    .select([
      'partners.public_id as partnerPublicId',
      'partners.code as partnerCode',
      'partners.state as partnerState',
      'partners.pinned_public_keys as pinnedPublicKeys',
      'partners.ip_allow_list as ipAllowList',
      'partners.partner_rate as partnerRate',
    ])
    .where('fingerprint_sha256', '=', fingerprint)
    .executeTakeFirst();
  // A row with a fingerprint was issued, so that it has dates.
  if (row === undefined || row.not_before === null || row.not_after === null) return undefined;
  return {
    certificateId: row.certificate_id,
    label: row.label,
    scopes: row.scopes,
    programmes: row.programmes,
    state: row.state,
    notBefore: row.not_before,
    notAfter: row.not_after,
    partner:
      row.partner_id === null
        ? null
        : {
            partnerId: row.partner_id,
            publicId: row.partnerPublicId as string,
            code: row.partnerCode as string,
            state: row.partnerState ?? 'SUSPENDED',
            pinnedPublicKeys: row.pinnedPublicKeys ?? [],
            ipAllowList: row.ipAllowList ?? [],
            rate: row.partnerRate as number,
          },
  };
}

/** All programmes of a partner, by issuer code. */
export async function programmesOfPartner(
  db: Kysely<Database>,
  partnerId: number,
): Promise<readonly Programme[]> {
  const rows = await db
    .selectFrom('programmes')
    .selectAll()
    .where('partner_id', '=', partnerId)
    .orderBy('issuer_code')
    .execute();
  return rows.map(toProgramme);
}

/** All programmes of all partners, by issuer code. Engine only. */
export async function everyProgramme(engine: Kysely<Database>): Promise<readonly Programme[]> {
  const rows = await engine.selectFrom('programmes').selectAll().orderBy('issuer_code').execute();
  return rows.map(toProgramme);
}

/** One programme by its inner id, or undefined. */
export async function findProgramme(
  db: Kysely<Database>,
  programmeId: number,
): Promise<Programme | undefined> {
  const row = await db
    .selectFrom('programmes')
    .selectAll()
    .where('programme_id', '=', programmeId)
    .executeTakeFirst();
  return row === undefined ? undefined : toProgramme(row);
}

/** One programme by its issuer code, or undefined. */
export async function findProgrammeByCode(
  db: Kysely<Database>,
  issuerCode: string,
): Promise<Programme | undefined> {
  const row = await db
    .selectFrom('programmes')
    .selectAll()
    .where('issuer_code', '=', issuerCode)
    .executeTakeFirst();
  return row === undefined ? undefined : toProgramme(row);
}

function toProgramme(row: Selectable<ProgrammesTable>): Programme {
  return {
    programmeId: row.programme_id,
    publicId: row.public_id,
    partnerId: row.partner_id,
    issuerCode: row.issuer_code,
    state: row.state,
    sandbox: row.sandbox,
    balanceHolder: row.balance_holder,
    funding: row.funding,
    enforcePartnerBalance: row.enforce_partner_balance,
    sharedAuthorization: row.shared_authorization,
    defaultCurrency: row.default_currency,
    currencies: row.currencies,
    autoCreateBalance: row.auto_create_balance,
    autoCorporation: row.auto_corporation,
    kycMode: row.kyc_mode,
    externalKyc: row.external_kyc,
    externalKyb: row.external_kyb,
    corporateHolderKyc: row.corporate_holder_kyc,
    kycProvider: row.kyc_provider,
    minAge: row.min_age,
    timezone: row.timezone,
    country: row.country,
    timings: row.timings,
    notifications: row.notifications,
    includePartnerBalances: row.include_partner_balances,
    allowPartialApproval: row.allow_partial_approval,
    limits: row.limits,
    postingCeilings: row.posting_ceilings,
    enrolment: row.enrolment,
    sessionMinutes: row.session_minutes,
    appPinLength: row.app_pin_length,
    stepUp: row.step_up,
    kycReviewRoles: row.kyc_review_roles,
    screeningThreshold: row.screening_threshold,
    extraLockReasons: row.extra_lock_reasons,
    version: row.version,
  };
}

/** What a programme is called in mails. */
export async function programmeName(db: Kysely<Database>, programmeId: number): Promise<string> {
  const row = await db
    .selectFrom('programmes')
    .select('name')
    .where('programme_id', '=', programmeId)
    .executeTakeFirstOrThrow();
  return row.name;
}

/** True unless the partner is suspended. Engine only. */
export async function isPartnerActive(engine: Kysely<Database>, partnerId: number): Promise<boolean> {
  const row = await engine
    .selectFrom('partners')
    .select('state')
    .where('partner_id', '=', partnerId)
    .executeTakeFirst();
  return row?.state === 'ACTIVE';
}
