import type { Trx } from '../../db/atomically.ts';
import { changeCorporationAddress, corporationAddressPlace } from '../../db/corporation-addresses.ts';
import { contactPlace, createCorporation } from '../../db/corporations.ts';
import { newSubjectId } from '../../db/customers.ts';
import { type KybApplication, sectionPlace, sectionRows } from '../../db/kyb-applications.ts';
import { flagKyb } from '../../db/kyb-screening.ts';
import { findProgramme } from '../../db/partners.ts';
import type { CorporationContact } from '../../domain/corporation.ts';
import type { KybFormSection } from '../../domain/kyb-application.ts';
import type { BusinessSection, ContactSection, EntitySection } from '../../domain/kyb-form.ts';
import { newSubjectKey, openPersonal, sealPersonal } from '../../vault/personal-data.ts';
import type { Vault } from '../../vault/vault.ts';

/**
 * Makes the corporation of an accepted application, in a programme with `autoCorporation` (onboarding 8.5, step 6),
 * under a key of its own. Where the company is registered already the application is flagged, and the partner joins
 * the two with `kybApplicationId`. Done once: an application that has its corporation gets no second.
 */
export async function makeCorporation(trx: Trx, vault: Vault, application: KybApplication): Promise<void> {
  const { applicationId, programmeId } = application;
  const programme = await findProgramme(trx, programmeId);
  if (programme?.autoCorporation !== true || programme.state === 'CLOSED') return;
  const opened = await openSections(trx, vault, application);
  const { contact, entity, business } = opened;
  const { name, country, taxId } = entity;
  if (name === null || country === null || taxId === null) throw new Error('an accepted form is incomplete');
  const there = await trx
    .selectFrom('corporations')
    .select('kyb_application_id')
    .where('programme_id', '=', programmeId)
    .where((where) =>
      where.or([
        where('kyb_application_id', '=', applicationId),
        where.and([
          where('country', '=', country),
          where('tax_id', '=', taxId),
          where('state', '<>', 'DELETED'),
        ]),
      ]),
    )
    .executeTakeFirst();
  if (there !== undefined) {
    if (there.kyb_application_id !== applicationId) await flagKyb(trx, applicationId, 'CORPORATION_EXISTS');
    return;
  }
  const subjectKey = newSubjectKey(vault, {
    subjectId: newSubjectId(trx),
    partnerId: programme.partnerId,
  });
  const { subjectId } = subjectKey;
  const reached: CorporationContact = { email: contact.contactEmail, phone: contact.contactPhone };
  const corporation = await createCorporation(trx, programme, {
    subjectKey,
    name,
    country,
    taxId,
    contact: sealPersonal(vault, subjectKey, contactPlace(subjectId), reached),
    legalForm: entity.legalForm,
    registryNumber: entity.registryNumber,
    website: business.website,
    externalId: null,
    kybApplicationId: applicationId,
    kyb: 'SUCCESS',
  });
  for (const [type, address] of [
    ['REGISTERED', entity.registeredAddress],
    ['CORRESPONDENCE', entity.correspondenceAddress],
  ] as const) {
    if (address === null) continue;
    const sealed = sealPersonal(vault, subjectKey, corporationAddressPlace(subjectId, type), address);
    await changeCorporationAddress(trx, corporation, { type, address: sealed });
  }
}

async function openSections(trx: Trx, vault: Vault, { applicationId, subjectKey }: KybApplication) {
  const rows = await sectionRows(trx, applicationId);
  const open = <T>(section: KybFormSection): T => {
    const content = rows.find((one) => one.section === section)?.content ?? null;
    if (content === null) throw new Error('an accepted form lacks a section');
    return openPersonal<T>(vault, subjectKey, sectionPlace(applicationId, section), content);
  };
  return {
    contact: open<ContactSection>('CONTACT'),
    entity: open<EntitySection>('ENTITY'),
    business: open<BusinessSection>('BUSINESS'),
  };
}
