import { type Selectable, sql } from 'kysely';
import { Refusal, tooManyRequests } from '../domain/errors.ts';
import {
  KYB_SECTIONS,
  type KybChannel,
  type KybSection,
  type KybStatus,
  type SectionMark,
} from '../domain/kyb-application.ts';
import { refuseClosed } from '../domain/programme.ts';
import { audit } from './audit-log.ts';
import { nowOf, type Trx } from './atomically.ts';
import type { ProgrammeScope, StoredSubjectKey } from './customers.ts';
import type { KybApplicationsTable } from './tables/kyb.ts';
import { startWorkflow } from './outbox.ts';
import type { Programme } from './partners.ts';

/** A company's application, with the wrapped key that its texts are sealed under. */
export interface KybApplication {
  readonly applicationId: string;
  readonly partnerId: number;
  readonly programmeId: number;
  readonly subjectKey: StoredSubjectKey;
  readonly status: KybStatus;
  readonly channel: KybChannel;
  /** How often it was submitted. */
  readonly round: number;
  readonly companyName: string | null;
  readonly country: string | null;
  readonly taxId: string | null;
  readonly flags: readonly string[];
  /** Of a hold or a rejection, sealed for `kybTextPlace`. */
  readonly reason: Buffer | null;
  /** Of the acceptance, sealed for `kybTextPlace`. */
  readonly note: Buffer | null;
  readonly decidedBy: string | null;
  readonly claimedBy: string | null;
  readonly claimedUntil: Date | null;
  readonly touchedAt: Date;
  readonly submittedAt: Date | null;
  readonly decidedAt: Date | null;
  readonly createdAt: Date;
}

/** Where a section's fields are sealed. */
export const sectionPlace = (applicationId: string, section: KybSection) =>
  ({ table: 'kyb_sections', rowId: `${applicationId}:${section}`, field: 'content' }) as const;

/** Where a person of an application is sealed. */
export const kybPersonPlace = (personId: string) =>
  ({ table: 'kyb_persons', rowId: personId, field: 'personal' }) as const;

/** Where a text about an application is sealed. */
export const kybTextPlace = (applicationId: string, field: 'reason' | 'note') =>
  ({ table: 'kyb_applications', rowId: applicationId, field }) as const;

/** Where a comment is sealed. */
export const commentPlace = (commentId: string) =>
  ({ table: 'kyb_comments', rowId: commentId, field: 'text' }) as const;

/** Id of the workflow of an application. */
export const onboardingId = (applicationId: string): string => `corporation-onboarding:${applicationId}`;

export interface NewKybApplication {
  readonly applicationId: string;
  readonly subjectKey: StoredSubjectKey;
  readonly channel: KybChannel;
  readonly emailIndex: Buffer;
  readonly ipIndex: Buffer | null;
  /** CONTACT, sealed for `sectionPlace`. */
  readonly contact: Buffer;
}

const DAY_MS = 86_400_000;
const APPLICATIONS_A_DAY = 10;

/**
 * Stores step 1 of the form in one commit (onboarding 8.4): application, key, sections, workflow start, audit;
 * the workflow sends mail 1. Throws `STATE_CONFLICT` in a closed programme, `TOO_MANY_REQUESTS` (ten a day from one address).
 */
export async function createKybApplication(
  trx: Trx,
  programme: Programme,
  application: NewKybApplication,
): Promise<KybApplication> {
  const { applicationId, subjectKey, ipIndex } = application;
  refuseClosed(programme);
  const { partnerId, programmeId } = programme;
  if (ipIndex !== null) await refuseTooMany(trx, ipIndex);
  await trx
    .insertInto('subject_keys')
    .values({
      subject_id: subjectKey.subjectId,
      partner_id: partnerId,
      wrapped: subjectKey.wrapped,
      kek_version: subjectKey.kekVersion,
    })
    .execute();
  await trx
    .insertInto('kyb_applications')
    .values({
      application_id: applicationId,
      subject_id: subjectKey.subjectId,
      partner_id: partnerId,
      programme_id: programmeId,
      channel: application.channel,
      email_index: application.emailIndex,
      ip_index: ipIndex,
      touched_at: nowOf(trx),
      created_at: nowOf(trx),
    })
    .execute();
  await trx
    .insertInto('kyb_sections')
    .values(
      KYB_SECTIONS.map((section) => ({
        application_id: applicationId,
        section,
        partner_id: partnerId,
        content: section === 'CONTACT' ? application.contact : null,
      })),
    )
    .execute();
  await audit(trx, {
    action: 'kyb.created',
    objectType: 'kyb_application',
    objectId: applicationId,
    partnerId,
    after: { channel: application.channel },
  });
  await startWorkflow(trx, programme, {
    workflow: 'corporation-onboarding',
    id: onboardingId(applicationId),
    input: { applicationId },
  });
  return await readKybApplication(trx, 'every', applicationId);
}

async function refuseTooMany(trx: Trx, ipIndex: Buffer): Promise<void> {
  // Two requests of one address must not count each other out.
  await sql`select pg_advisory_xact_lock(hashtextextended(${ipIndex.toString('hex')}, 18))`.execute(trx);
  const now = nowOf(trx);
  const today = await trx
    .selectFrom('kyb_applications')
    .select('created_at')
    .where('ip_index', '=', ipIndex)
    .where('created_at', '>', new Date(now.getTime() - DAY_MS))
    .orderBy('created_at')
    .execute();
  const oldest = today[0];
  if (today.length < APPLICATIONS_A_DAY || oldest === undefined) return;
  throw tooManyRequests(
    'Ten applications a day may come from one address.',
    { row: 'applications', limit: APPLICATIONS_A_DAY },
    (oldest.created_at.getTime() + DAY_MS - now.getTime()) / 1_000,
  );
}

/** The application. Throws `APPLICATION_NOT_FOUND` when missing or outside `scope`. */
export async function readKybApplication(
  trx: Trx,
  scope: ProgrammeScope,
  applicationId: string,
): Promise<KybApplication> {
  const row = await select(trx, scope).where('application_id', '=', applicationId).executeTakeFirst();
  if (row === undefined) throw applicationNotFound();
  return toApplication(row);
}

/** As `readKybApplication`, with the row held until the transaction ends. */
export async function lockKybApplication(
  trx: Trx,
  scope: ProgrammeScope,
  applicationId: string,
): Promise<KybApplication> {
  const row = await trx
    .selectFrom('kyb_applications')
    .select('application_id')
    .where('application_id', '=', applicationId)
    .forNoKeyUpdate()
    .executeTakeFirst();
  if (row === undefined) throw applicationNotFound();
  // Read after the lock is there, so that what another transaction did before us is seen.
  return await readKybApplication(trx, scope, applicationId);
}

const applicationNotFound = () => new Refusal('APPLICATION_NOT_FOUND', 'There is no such application.');

export interface KybFilter {
  readonly scope: ProgrammeScope;
  readonly status?: KybStatus | undefined;
  readonly claimedBy?: string | undefined;
  /** An application id, a tax id, or how a company's name begins. */
  readonly q?: string | undefined;
  readonly limit: number;
  readonly beforeId: string | null;
}

/** One page of applications, newest first. */
export async function listKybApplications(trx: Trx, filter: KybFilter): Promise<KybApplication[]> {
  const { q } = filter;
  let query = select(trx, filter.scope).orderBy('application_id', 'desc').limit(filter.limit);
  if (filter.beforeId !== null) query = query.where('application_id', '<', filter.beforeId);
  if (filter.status !== undefined) query = query.where('status', '=', filter.status);
  if (filter.claimedBy !== undefined) {
    query = query.where('claimed_by', '=', filter.claimedBy).where('claimed_until', '>', nowOf(trx));
  }
  if (q !== undefined) {
    query = query.where((where) =>
      where.or([
        where(sql`application_id::text`, '=', q.toLowerCase()),
        where('tax_id', '=', q),
        where(sql<boolean>`starts_with(lower(company_name), ${q.toLowerCase()})`, '=', true),
      ]),
    );
  }
  return (await query.execute()).map(toApplication);
}

/** What a list shows of an application beside its row. */
export interface KybProgress {
  readonly verifiedSections: number;
  readonly comments: number;
}

/** How far reviewers have come with applications. */
export async function kybProgress(
  trx: Trx,
  applicationIds: readonly string[],
): Promise<ReadonlyMap<string, KybProgress>> {
  if (applicationIds.length === 0) return new Map();
  const rows = await trx
    .selectFrom('kyb_applications')
    .select('application_id')
    .select((select) => [
      select
        .selectFrom('kyb_sections')
        .select((count) => count.fn.countAll<number>().as('verified'))
        .whereRef('kyb_sections.application_id', '=', 'kyb_applications.application_id')
        .where('kyb_sections.state', '=', 'VERIFIED')
        .as('verified'),
      select
        .selectFrom('kyb_comments')
        .select((count) => count.fn.countAll<number>().as('comments'))
        .whereRef('kyb_comments.application_id', '=', 'kyb_applications.application_id')
        .as('comments'),
    ])
    .where('application_id', 'in', applicationIds)
    .execute();
  return new Map(
    rows.map((row) => [
      row.application_id,
      { verifiedSections: row.verified ?? 0, comments: row.comments ?? 0 },
    ]),
  );
}

/** State of the five sections, in the order of the form. */
export async function sectionMarks(trx: Trx, applicationId: string): Promise<SectionMark[]> {
  return (await sectionRows(trx, applicationId)).map(({ section, state, changed }) => ({
    section,
    state,
    changed,
  }));
}

export interface StoredSection extends SectionMark {
  /** Sealed for `sectionPlace`; null until filled. */
  readonly content: Buffer | null;
}

/** The five sections, in the order of the form. */
export async function sectionRows(trx: Trx, applicationId: string): Promise<StoredSection[]> {
  const rows = await trx
    .selectFrom('kyb_sections')
    .select(['section', 'state', 'changed', 'content'])
    .where('application_id', '=', applicationId)
    .execute();
  return rows.toSorted(
    (left, right) => KYB_SECTIONS.indexOf(left.section) - KYB_SECTIONS.indexOf(right.section),
  );
}

const select = (trx: Trx, scope: ProgrammeScope) => {
  const query = trx
    .selectFrom('kyb_applications')
    .innerJoin('subject_keys', 'subject_keys.subject_id', 'kyb_applications.subject_id')
    .selectAll('kyb_applications')
    .select(['subject_keys.wrapped', 'subject_keys.kek_version']);
  return scope === 'every' ? query : query.where(sql<boolean>`programme_id = any(${[...scope]}::int[])`);
};

type Row = Selectable<KybApplicationsTable> & { readonly wrapped: Buffer; readonly kek_version: number };

const toApplication = (row: Row): KybApplication => ({
  applicationId: row.application_id,
  partnerId: row.partner_id,
  programmeId: row.programme_id,
  subjectKey: {
    subjectId: row.subject_id,
    partnerId: row.partner_id,
    wrapped: row.wrapped,
    kekVersion: row.kek_version,
  },
  status: row.status,
  channel: row.channel,
  round: row.round,
  companyName: row.company_name,
  country: row.country,
  taxId: row.tax_id,
  flags: row.flags,
  reason: row.reason,
  note: row.note,
  decidedBy: row.decided_by,
  claimedBy: row.claimed_by,
  claimedUntil: row.claimed_until,
  touchedAt: row.touched_at,
  submittedAt: row.submitted_at,
  decidedAt: row.decided_at,
  createdAt: row.created_at,
});
