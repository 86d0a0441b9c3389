import type { Trx } from '../../db/atomically.ts';
import { type KybApplication, kybPersonPlace, sectionPlace, sectionRows } from '../../db/kyb-applications.ts';
import { kybPersons } from '../../db/kyb-form.ts';
import type { KybFormSection, SectionMark } from '../../domain/kyb-application.ts';
import type {
  BusinessSection,
  ContactSection,
  EntitySection,
  KybPerson,
  PersonsSection,
} from '../../domain/kyb-form.ts';
import { openPersonal } from '../../vault/personal-data.ts';
import type { Vault } from '../../vault/vault.ts';

/** A form in clear; null = never filled. */
export interface OpenedForm {
  readonly marks: readonly SectionMark[];
  readonly contact: ContactSection | null;
  readonly entity: EntitySection | null;
  readonly business: BusinessSection | null;
  readonly persons: PersonsSection | null;
}

/** Opens all sections of an application. */
export async function openForm(trx: Trx, vault: Vault, application: KybApplication): Promise<OpenedForm> {
  const { applicationId, subjectKey } = application;
  const rows = await sectionRows(trx, applicationId);
  const open = <T>(section: KybFormSection): T | null => {
    const content = rows.find((one) => one.section === section)?.content ?? null;
    if (content === null) return null;
    return openPersonal<T>(vault, subjectKey, sectionPlace(applicationId, section), content);
  };
  const persons = open<Omit<PersonsSection, 'persons'>>('PERSONS');
  return {
    marks: rows.map(({ section, state, changed }) => ({ section, state, changed })),
    contact: open<ContactSection>('CONTACT'),
    entity: open<EntitySection>('ENTITY'),
    business: open<BusinessSection>('BUSINESS'),
    persons: persons === null ? null : { ...persons, persons: await openPersons(trx, vault, application) },
  };
}

/** The persons of an application in clear, in the order of the form. */
export async function openPersons(
  trx: Trx,
  vault: Vault,
  { applicationId, subjectKey }: KybApplication,
): Promise<KybPerson[]> {
  const rows = await kybPersons(trx, applicationId);
  return rows.map(({ personId, personal }) =>
    openPersonal<KybPerson>(vault, subjectKey, kybPersonPlace(personId), personal),
  );
}
