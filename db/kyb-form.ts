import { sql } from 'kysely';
import { Refusal } from '../domain/errors.ts';
import { type KybFormSection, mayChange, maySubmit, type SectionState } from '../domain/kyb-application.ts';
import { MOST_KYB_DOCUMENTS } from '../domain/kyb-document.ts';
import type { KybPersonRole } from '../domain/kyb-form.ts';
import { audit } from './audit-log.ts';
import { nowOf, type Trx } from './atomically.ts';
import { type KybApplication, onboardingId, sectionMarks } from './kyb-applications.ts';
import { startWorkflow } from './outbox.ts';

/** What lists show of a company. */
export interface CompanyColumns {
  readonly companyName: string | null;
  readonly country: string | null;
  readonly taxId: string | null;
}

/** A person of the form, sealed for `kybPersonPlace`, with what rules and screening read of them. */
export interface StoredPerson {
  readonly personId: string;
  readonly roles: readonly KybPersonRole[];
  readonly ownership: number | null;
  readonly controlByOtherMeans: boolean;
  readonly pep: boolean;
  readonly sanctioned: boolean;
  readonly personal: Buffer;
}

export interface SectionChange {
  readonly section: KybFormSection;
  readonly content: Buffer;
  /** With CONTACT: by which a resume link is asked for. */
  readonly emailIndex?: Buffer;
  /** With ENTITY. */
  readonly company?: CompanyColumns;
  /** With PERSONS: all of them, in order; `changed` are screened again. */
  readonly persons?: readonly (StoredPerson & { readonly changed: boolean })[];
}

// A change is told to the workflow at most so often; it looks at the exact time before it acts on a time-out.
const TELL_TOUCHED_MS = 3_600_000;

/**
 * Stores one section of an application held by `lockKybApplication` (onboarding 8.4); gives the documents of
 * removed persons, which the store is to forget once this has committed. Throws `STATE_CONFLICT` unless the
 * applicant may change it now.
 */
export async function changeKybSection(
  trx: Trx,
  application: KybApplication,
  change: SectionChange,
): Promise<string[]> {
  const { applicationId } = application;
  await refuseUnlessOpen(trx, application, change.section);
  await trx
    .updateTable('kyb_sections')
    .set({ content: change.content, changed: true })
    .where('application_id', '=', applicationId)
    .where('section', '=', change.section)
    .execute();
  const orphans = change.persons === undefined ? [] : await replacePersons(trx, application, change.persons);
  await touch(trx, application, {
    ...(change.emailIndex === undefined ? {} : { email_index: change.emailIndex }),
    ...(change.company === undefined
      ? {}
      : {
          company_name: change.company.companyName,
          country: change.company.country,
          tax_id: change.company.taxId,
        }),
  });
  await audit(trx, {
    action: 'kyb.section_changed',
    objectType: 'kyb_application',
    objectId: applicationId,
    partnerId: application.partnerId,
    after: { section: change.section },
  });
  return orphans;
}

async function replacePersons(
  trx: Trx,
  application: KybApplication,
  persons: readonly (StoredPerson & { readonly changed: boolean })[],
): Promise<string[]> {
  const { applicationId, partnerId } = application;
  const kept = persons.map((one) => one.personId);
  const gone = trx
    .selectFrom('kyb_persons')
    .select('person_id')
    .where('application_id', '=', applicationId)
    .where(sql<boolean>`person_id <> all(${kept}::uuid[])`);
  const documents = await trx
    .deleteFrom('kyb_documents')
    .where('person_id', 'in', gone)
    .returning('store_key')
    .execute();
  if (documents.length > 0) await reopenDocuments(trx, application);
  await trx.deleteFrom('kyb_persons').where('person_id', 'in', gone).execute();
  for (const [position, person] of persons.entries()) {
    const columns = {
      position,
      roles: [...person.roles],
      ownership: person.ownership,
      control_by_other_means: person.controlByOtherMeans,
      pep: person.pep,
      sanctioned: person.sanctioned,
      personal: person.personal,
    };
    await trx
      .insertInto('kyb_persons')
      .values({
        person_id: person.personId,
        application_id: applicationId,
        partner_id: partnerId,
        screened_round: null,
        ...columns,
      })
      .onConflict((conflict) =>
        conflict
          .column('person_id')
          .doUpdateSet({ ...columns, ...(person.changed ? { screened_round: null } : {}) })
          .where('kyb_persons.application_id', '=', applicationId),
      )
      .execute();
  }
  return documents.map((one) => one.store_key);
}

/** The persons of an application, in the order of the form. */
export async function kybPersons(
  trx: Trx,
  applicationId: string,
): Promise<(StoredPerson & { readonly screenedRound: number | null })[]> {
  const rows = await trx
    .selectFrom('kyb_persons')
    .selectAll()
    .where('application_id', '=', applicationId)
    .orderBy('position')
    .execute();
  return rows.map((row) => ({
    personId: row.person_id,
    roles: row.roles,
    ownership: row.ownership,
    controlByOtherMeans: row.control_by_other_means,
    pep: row.pep,
    sanctioned: row.sanctioned,
    personal: row.personal,
    screenedRound: row.screened_round,
  }));
}

/** Refuses a change that the applicant may not make now. Throws `STATE_CONFLICT`. */
export async function refuseUnlessOpen(
  trx: Trx,
  application: KybApplication,
  section: KybFormSection,
): Promise<void> {
  const marks = await sectionMarks(trx, application.applicationId);
  const mark = marks.find((one) => one.section === section);
  if (mark !== undefined && mayChange(application.status, mark.state)) return;
  throw cannotChange();
}

/** The refusal of a change to a part that is not open. */
export const cannotChange = (): Refusal =>
  new Refusal('STATE_CONFLICT', 'This part of the application cannot be changed now.');

/** Notes that the documents changed; what an operator had found right is to be looked at again. */
export async function reopenDocuments(trx: Trx, { applicationId }: KybApplication): Promise<void> {
  await trx
    .updateTable('kyb_sections')
    .set({
      changed: true,
      state: sql<SectionState>`case state when 'VERIFIED' then 'PENDING' else state end`,
    })
    .where('application_id', '=', applicationId)
    .where('section', '=', 'DOCUMENTS')
    .execute();
}

/** Notes that the applicant was at work, and lets the time-outs of the workflow begin anew. */
export async function touch(
  trx: Trx,
  application: KybApplication,
  columns: Readonly<Record<string, Buffer | string | null>> = {},
): Promise<void> {
  const { applicationId, touchedAt } = application;
  const now = nowOf(trx);
  await trx
    .updateTable('kyb_applications')
    .set((set) => ({ ...columns, touched_at: now, version: set('version', '+', 1) }))
    .where('application_id', '=', applicationId)
    .execute();
  if (now.getTime() - touchedAt.getTime() < TELL_TOUCHED_MS) return;
  await startWorkflow(trx, application, {
    workflow: 'kyb-touched',
    id: onboardingId(applicationId),
    input: { applicationId },
  });
}

/** Refuses a submission in the wrong state, before anything else is looked at. Throws `STATE_CONFLICT`. */
export async function refuseKybSubmission(trx: Trx, application: KybApplication): Promise<void> {
  const marks = await sectionMarks(trx, application.applicationId);
  if (maySubmit(application.status, marks)) return;
  throw new Refusal('STATE_CONFLICT', 'This application cannot be submitted now.');
}

/**
 * Submits an application held by `lockKybApplication` whose form is complete: state, marked sections to
 * PENDING, signal to its workflow, audit. Throws `STATE_CONFLICT`.
 */
export async function submitKybApplication(
  trx: Trx,
  application: KybApplication,
  flags: readonly string[],
): Promise<void> {
  const { applicationId, status } = application;
  await refuseKybSubmission(trx, application);
  const round = application.round + 1;
  await trx
    .updateTable('kyb_applications')
    .set((set) => ({
      status: 'SUBMITTED' as const,
      round,
      flags: [...flags],
      submitted_at: nowOf(trx),
      touched_at: nowOf(trx),
      version: set('version', '+', 1),
    }))
    .where('application_id', '=', applicationId)
    .execute();
  await trx
    .updateTable('kyb_sections')
    .set({ state: 'PENDING', changed: false })
    .where('application_id', '=', applicationId)
    .where('state', '=', 'NEEDS_CORRECTION')
    .execute();
  await audit(trx, {
    action: 'kyb.submitted',
    objectType: 'kyb_application',
    objectId: applicationId,
    partnerId: application.partnerId,
    before: { status },
    after: { status: 'SUBMITTED', round },
  });
  await startWorkflow(trx, application, {
    workflow: 'kyb-submitted',
    id: onboardingId(applicationId),
    input: { round },
  });
}

/** Refuses one document more than an application may have. Throws `TOO_MANY_DOCUMENTS`. */
export function refuseOneMore(documents: number): void {
  if (documents < MOST_KYB_DOCUMENTS) return;
  throw new Refusal('TOO_MANY_DOCUMENTS', `An application may have ${MOST_KYB_DOCUMENTS} documents.`);
}
