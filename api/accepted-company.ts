import type { Trx } from '../db/atomically.ts';
import { lockKybApplication, sectionPlace, sectionRows } from '../db/kyb-applications.ts';
import type { Programme } from '../db/partners.ts';
import type { CorporationAddressType, LegalForm } from '../domain/corporation.ts';
import type { Address } from '../domain/customer.ts';
import { Refusal } from '../domain/errors.ts';
import type { BusinessSection, ContactSection, EntitySection } from '../domain/kyb-form.ts';
import { openPersonal } from '../vault/personal-data.ts';
import type { Vault } from '../vault/vault.ts';

/** What an accepted application says about its company; null = nothing. */
export interface AcceptedCompany {
  readonly name: string | null;
  readonly country: string | null;
  readonly taxId: string | null;
  readonly email: string | null;
  readonly phone: string | null;
  readonly legalForm: LegalForm | null;
  readonly registryNumber: string | null;
  readonly website: string | null;
  readonly addresses: readonly { readonly type: CorporationAddressType; readonly address: Address }[];
}

/**
 * The company of an accepted application of the programme, whose row is held until the transaction ends. Throws
 * `APPLICATION_NOT_FOUND`, `KYB_NOT_ACCEPTED`.
 */
export async function acceptedCompany(
  trx: Trx,
  vault: Vault,
  programme: Programme,
  applicationId: string,
): Promise<AcceptedCompany> {
  const application = await lockKybApplication(trx, [programme.programmeId], applicationId);
  if (application.status !== 'ACCEPTED') {
    throw new Refusal('KYB_NOT_ACCEPTED', 'The application is not accepted.');
  }
  const sections = await sectionRows(trx, applicationId);
  const opened = <T>(section: 'CONTACT' | 'ENTITY' | 'BUSINESS'): T | null => {
    const content = sections.find((one) => one.section === section)?.content ?? null;
    if (content === null) return null;
    return openPersonal<T>(vault, application.subjectKey, sectionPlace(applicationId, section), content);
  };
  const contact = opened<ContactSection>('CONTACT');
  const entity = opened<EntitySection>('ENTITY');
  const business = opened<BusinessSection>('BUSINESS');
  const addresses = [
    { type: 'REGISTERED', address: entity?.registeredAddress ?? null },
    { type: 'CORRESPONDENCE', address: entity?.correspondenceAddress ?? null },
  ] as const;
  return {
    name: entity?.name ?? null,
    country: entity?.country ?? null,
    taxId: entity?.taxId ?? null,
    email: contact?.contactEmail ?? null,
    phone: contact?.contactPhone ?? null,
    legalForm: entity?.legalForm ?? null,
    registryNumber: entity?.registryNumber ?? null,
    website: business?.website ?? null,
    addresses: addresses.flatMap(({ type, address }) => (address === null ? [] : [{ type, address }])),
  };
}
