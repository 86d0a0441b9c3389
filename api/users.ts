import { nowOf, type Trx } from '../db/atomically.ts';
import { createCustomer, type Customer, newSubjectId } from '../db/customers.ts';
import type { Programme } from '../db/partners.ts';
import type { PersonalData } from '../domain/customer.ts';
import { newSubjectKey } from '../vault/personal-data.ts';
import type { Vault } from '../vault/vault.ts';
import { refuseUnderage, sealPerson } from './personal-data.ts';
import type { newCustomerBody } from './schemas/customer.ts';
import type { z } from './schemas/shared.ts';

/** Refusals of `createUser`, for the routes that call it. */
export const NEW_USER_REFUSALS = [
  'PHONE_ALREADY_REGISTERED',
  'EMAIL_ALREADY_REGISTERED',
  'EXTERNAL_ID_ALREADY_USED',
  'UNDERAGE',
  'EXTERNAL_KYC_NOT_ALLOWED',
] as const;

/** Creates a user as a channel was asked to (onboarding 2). Throws `NEW_USER_REFUSALS`. */
export async function createUser(
  trx: Trx,
  vault: Vault,
  programme: Programme,
  body: z.output<typeof newCustomerBody>,
): Promise<{ readonly customer: Customer; readonly personal: PersonalData }> {
  const { partnerId } = programme;
  const subjectKey = newSubjectKey(vault, { subjectId: newSubjectId(trx), partnerId });
  const personal: PersonalData = {
    firstName: body.firstName,
    lastName: body.lastName,
    phone: body.phone,
    email: body.email,
    birthDate: body.birthDate,
    nationality: body.nationality ?? null,
    language: body.language ?? null,
  };
  const customer = await createCustomer(trx, programme, {
    ...sealPerson(vault, subjectKey, personal),
    subjectKey,
    externalId: body.externalId ?? null,
    state: body.state ?? 'UNVERIFIED',
    kyc: body.kyc ?? 'NOT_STARTED',
    riskLevel: body.riskLvl ?? 'LOW',
    documentExpirationDate: body.documentExpirationDate ?? null,
  });
  // After the conflicts that storing the user shows (channels 2); what is refused is undone.
  refuseUnderage(body.birthDate, programme.minAge, nowOf(trx).toISOString().slice(0, 10));
  return { customer, personal };
}
