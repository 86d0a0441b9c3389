import { newId, type Trx } from '../../db/atomically.ts';
import { type KybApplication, kybPersonPlace, sectionPlace } from '../../db/kyb-applications.ts';
import { changeKybSection, refuseUnlessOpen } from '../../db/kyb-form.ts';
import { invalid } from '../../domain/errors.ts';
import type { KybFormSection } from '../../domain/kyb-application.ts';
import {
  type BusinessSection,
  type ContactSection,
  entityFormatFaults,
  type EntitySection,
  type KybPerson,
} from '../../domain/kyb-form.ts';
import { sealPersonal } from '../../vault/personal-data.ts';
import type { Vault } from '../../vault/vault.ts';
import { emailIndex } from '../personal-data.ts';
import type { SentPerson } from '../schemas/kyb-sections.ts';
import { openPersons } from './open-form.ts';

/** What a section is changed to. */
export type SentSection =
  | { readonly section: 'CONTACT'; readonly fields: ContactSection }
  | { readonly section: 'ENTITY'; readonly fields: EntitySection }
  | { readonly section: 'BUSINESS'; readonly fields: BusinessSection }
  | {
      readonly section: 'PERSONS';
      readonly fields: { readonly persons: readonly SentPerson[]; readonly noOwnerAbove25: boolean };
    };

/**
 * Stores a section of an application that is held, sealed under its key; gives the documents that the store is
 * to forget after the commit. Throws `STATE_CONFLICT`, `VALIDATION_ERROR`.
 */
export async function changeSection(
  trx: Trx,
  vault: Vault,
  application: KybApplication,
  sent: SentSection,
): Promise<string[]> {
  const { applicationId, subjectKey } = application;
  const { section } = sent;
  const seal = (value: unknown, of: KybFormSection = section) =>
    sealPersonal(vault, subjectKey, sectionPlace(applicationId, of), value);
  switch (sent.section) {
    case 'CONTACT': {
      const index = emailIndex(vault, sent.fields.contactEmail);
      return await changeKybSection(trx, application, {
        section: 'CONTACT',
        content: seal(sent.fields),
        emailIndex: index,
      });
    }
    case 'ENTITY': {
      const faults = entityFormatFaults(sent.fields);
      if (faults.length > 0) throw invalid(faults);
      const { name: companyName, country, taxId } = sent.fields;
      return await changeKybSection(trx, application, {
        section: 'ENTITY',
        content: seal(sent.fields),
        company: { companyName, country, taxId },
      });
    }
    case 'BUSINESS':
      return await changeKybSection(trx, application, { section: 'BUSINESS', content: seal(sent.fields) });
    case 'PERSONS':
      await refuseUnlessOpen(trx, application, 'PERSONS');
      return await changeKybSection(trx, application, {
        section: 'PERSONS',
        content: seal({ noOwnerAbove25: sent.fields.noOwnerAbove25 }),
        persons: await sealPersons(trx, vault, application, sent.fields.persons),
      });
  }
}

/** Persons keep the id under which their documents were sent; others get one. */
async function sealPersons(trx: Trx, vault: Vault, application: KybApplication, sent: readonly SentPerson[]) {
  const known = new Map((await openPersons(trx, vault, application)).map((one) => [one.personId, one]));
  const named = sent.map((one) => one.personId).filter((id) => id !== null);
  const faults = sent.flatMap(({ personId }, at) =>
    personId !== null && (!known.has(personId) || named.indexOf(personId) !== named.lastIndexOf(personId))
      ? [{ field: `persons.${at}.personId`, message: 'must be a person of this application, named once' }]
      : [],
  );
  if (faults.length > 0) throw invalid(faults);
  return sent.map((one) => {
    const person: KybPerson = { ...one, personId: one.personId ?? newId(trx) };
    const { personId, roles, ownership, controlByOtherMeans, pep, sanctioned } = person;
    return {
      personId,
      roles,
      ownership,
      controlByOtherMeans,
      pep,
      sanctioned,
      personal: sealPersonal(vault, application.subjectKey, kybPersonPlace(personId), person),
      changed: isSomebodyElse(known.get(personId), person),
    };
  });
}

/** True when lists must be asked again about a person. */
const isSomebodyElse = (before: KybPerson | undefined, now: KybPerson): boolean =>
  before?.firstName !== now.firstName ||
  before.lastName !== now.lastName ||
  before.birthDate !== now.birthDate;
