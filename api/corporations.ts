import type { Trx } from '../db/atomically.ts';
import { changeCorporationAddress, listCorporationAddresses } from '../db/corporation-addresses.ts';
import { contactPlace, type Corporation, createCorporation, updateCorporation } from '../db/corporations.ts';
import { newSubjectId } from '../db/customers.ts';
import type { Programme } from '../db/partners.ts';
import { corporationLockReasons } from '../db/corporation-states.ts';
import type { CorporationContact } from '../domain/corporation.ts';
import { invalid } from '../domain/errors.ts';
import { newSubjectKey, openPersonal, sealPersonal } from '../vault/personal-data.ts';
import type { Vault } from '../vault/vault.ts';
import { ofCorporation, presentAddress, sealAddress } from './addresses.ts';
import { type AcceptedCompany, acceptedCompany } from './accepted-company.ts';
import { toAddress } from './schemas/address.ts';
import {
  type corporationChangeBody,
  type newCorporationBody,
  toCorporationAnswer,
} from './schemas/corporation.ts';
import type { z } from './schemas/shared.ts';

/** What the calls about corporations do on every channel that has them (onboarding 4). */

/** Refusals of `addCorporation` and `changeCorporation`, for the routes that call them. */
export const CORPORATION_REFUSALS = [
  'TAX_ID_ALREADY_REGISTERED',
  'EXTERNAL_ID_ALREADY_USED',
  'KYB_APPLICATION_USED',
  'APPLICATION_NOT_FOUND',
  'KYB_NOT_ACCEPTED',
  'EXTERNAL_KYB_NOT_ALLOWED',
] as const;

/** Creates a corporation with its addresses. Throws `CORPORATION_REFUSALS`, `VALIDATION_ERROR`. */
export async function addCorporation(
  trx: Trx,
  vault: Vault,
  programme: Programme,
  body: z.output<typeof newCorporationBody>,
): Promise<Corporation> {
  const applicationId = body.kybApplicationId ?? null;
  const company = applicationId === null ? null : await acceptedCompany(trx, vault, programme, applicationId);
  const { name, country, taxId, email, phone } = completed(body, company);
  const subjectKey = newSubjectKey(vault, {
    subjectId: newSubjectId(trx),
    partnerId: programme.partnerId,
  });
  const contact: CorporationContact = { email, phone };
  const corporation = await createCorporation(trx, programme, {
    subjectKey,
    name,
    country,
    taxId,
    contact: sealPersonal(vault, subjectKey, contactPlace(subjectKey.subjectId), contact),
    legalForm: body.legalForm ?? company?.legalForm ?? null,
    registryNumber: body.registryNumber ?? company?.registryNumber ?? null,
    website: body.website ?? company?.website ?? null,
    externalId: body.externalId ?? null,
    kybApplicationId: applicationId,
    kyb: kybOf(body, company) ?? 'NOT_STARTED',
  });
  await storeAddresses(trx, vault, corporation, body.addresses ?? [], company);
  return corporation;
}

/** Changes a corporation held by `holdCorporation`. Throws `CORPORATION_REFUSALS`, `STATE_CONFLICT`. */
export async function changeCorporation(
  trx: Trx,
  vault: Vault,
  programme: Programme,
  corporation: Corporation,
  body: z.output<typeof corporationChangeBody>,
): Promise<Corporation> {
  const { email, phone, addresses, kyb: _kyb, kybApplicationId: application, ...plain } = body;
  // Who puts back what they were told changes nothing with it.
  const kybApplicationId = application === corporation.kybApplicationId ? undefined : application;
  const company =
    kybApplicationId === undefined ? null : await acceptedCompany(trx, vault, programme, kybApplicationId);
  const kyb = kybOf(body, company);
  const sent = Object.fromEntries(Object.entries(plain).filter(([, value]) => value !== undefined));
  const contact: CorporationContact = {
    ...openContact(vault, corporation),
    ...(email === undefined ? {} : { email }),
    ...(phone === undefined ? {} : { phone }),
  };
  const { subjectKey } = corporation;
  const changed = await updateCorporation(trx, programme, corporation, {
    ...emptyOnes(corporation, company),
    ...sent,
    ...(email === undefined && phone === undefined
      ? {}
      : { contact: sealPersonal(vault, subjectKey, contactPlace(subjectKey.subjectId), contact) }),
    ...(kyb === null ? {} : { kyb }),
    ...(kybApplicationId === undefined ? {} : { kybApplicationId }),
  });
  await storeAddresses(trx, vault, changed, addresses ?? [], company);
  return changed;
}

/** Stores the addresses sent, and those of the application whose type is missing. */
async function storeAddresses(
  trx: Trx,
  vault: Vault,
  corporation: Corporation,
  sent: NonNullable<z.output<typeof newCorporationBody>['addresses']>,
  company: AcceptedCompany | null,
): Promise<void> {
  const known = [...(await listCorporationAddresses(trx, corporation)), ...sent].map(({ type }) => type);
  const stored = [
    ...sent.map(({ type, ...address }) => ({ type, address: toAddress(address) })),
    ...(company?.addresses ?? []).filter(({ type }) => !known.includes(type)),
  ];
  for (const { type, address } of stored) {
    const sealed = sealAddress(vault, corporation.subjectKey, ofCorporation, type, address);
    await changeCorporationAddress(trx, corporation, { type, address: sealed });
  }
}

/** The wire's corporation with everything sealed opened. */
export async function presentCorporation(trx: Trx, vault: Vault, corporation: Corporation) {
  const addresses = await listCorporationAddresses(trx, corporation);
  return toCorporationAnswer(corporation, {
    contact: openContact(vault, corporation),
    addresses: addresses.map((one) => presentAddress(vault, corporation.subjectKey, ofCorporation, one)),
    transactionalLocks: await corporationLockReasons(trx, corporation.corporationId),
  });
}

const openContact = (vault: Vault, { subjectKey, contact }: Corporation): CorporationContact =>
  openPersonal<CorporationContact>(vault, subjectKey, contactPlace(subjectKey.subjectId), contact);

const REQUIRED = ['name', 'country', 'taxId', 'email', 'phone'] as const;

/** What has to be there, as sent or as the application has it. Throws `VALIDATION_ERROR`. */
function completed(
  body: z.output<typeof newCorporationBody>,
  company: AcceptedCompany | null,
): Record<(typeof REQUIRED)[number], string> {
  const found = REQUIRED.map((field) => [field, body[field] ?? company?.[field]] as const);
  const missing = found.filter(([, value]) => value === undefined || value === null);
  if (missing.length > 0) throw invalid(missing.map(([field]) => ({ field, message: 'is required' })));
  return Object.fromEntries(found) as Record<(typeof REQUIRED)[number], string>;
}

/** An accepted application is kyb SUCCESS; null = nothing is said. */
function kybOf(body: Pick<z.output<typeof newCorporationBody>, 'kyb'>, company: AcceptedCompany | null) {
  const sent = body.kyb ?? null;
  if (company === null) return sent;
  if (sent !== null && sent !== 'SUCCESS') {
    throw invalid([{ field: 'kyb', message: 'follows from the application' }]);
  }
  return 'SUCCESS' as const;
}

/** Fields that a corporation does not have yet and its application does. */
const emptyOnes = (corporation: Corporation, company: AcceptedCompany | null) => ({
  ...(corporation.legalForm === null && company?.legalForm ? { legalForm: company.legalForm } : {}),
  ...(corporation.registryNumber === null && company?.registryNumber
    ? { registryNumber: company.registryNumber }
    : {}),
  ...(corporation.website === null && company?.website ? { website: company.website } : {}),
});
