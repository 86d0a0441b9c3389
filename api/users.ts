import { nowOf, type Trx } from '../db/atomically.ts';
import {
  createCustomer,
  type Customer,
  type CustomerChange,
  type CustomerFilter,
  newSubjectId,
  updateCustomer,
} from '../db/customers.ts';
import type { Programme } from '../db/partners.ts';
import { lockReasonsOf } from '../db/transactional-locks.ts';
import type { PersonalData } from '../domain/customer.ts';
import { newSubjectKey } from '../vault/personal-data.ts';
import type { Vault } from '../vault/vault.ts';
import { emailIndex, openPerson, phoneIndex, refuseUnderage, sealPerson } from './personal-data.ts';
import { type customerChangeBody, type newCustomerBody, toCustomerAnswer } from './schemas/customer.ts';
import type { z } from './schemas/shared.ts';

/** Refusals of `createUser`, for the routes that call it. */
export const NEW_USER_REFUSALS = [
  'PHONE_ALREADY_REGISTERED',
  'EMAIL_ALREADY_REGISTERED',
  'EXTERNAL_ID_ALREADY_USED',
  'UNDERAGE',
  'EXTERNAL_KYC_NOT_ALLOWED',
] as const;

/** Refusals of a change of a user that `lockCustomer` has found. */
export const CHANGED_USER_REFUSALS = [
  'USER_NOT_FOUND',
  'STATE_CONFLICT',
  'VERIFICATION_IN_PROGRESS',
  ...NEW_USER_REFUSALS,
] as const;

/** Creates a user as a channel was asked to (onboarding 2). Throws `NEW_USER_REFUSALS`. */
export async function createUser(
  trx: Trx,
  vault: Vault,
  programme: Programme,
  body: z.output<typeof newCustomerBody>,
): Promise<{ readonly customer: Customer; readonly personal: PersonalData }> {
  refuseUnderage(body.birthDate, programme.minAge, nowOf(trx).toISOString().slice(0, 10));
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
  return { customer, personal };
}

type UserChange = Omit<z.output<typeof customerChangeBody>, 'userId'>;

/** Changes a user held by `lockCustomer`. Throws `CHANGED_USER_REFUSALS`. */
export async function changeUser(
  trx: Trx,
  vault: Vault,
  programme: Programme,
  customer: Customer,
  body: UserChange,
): Promise<Customer> {
  if (body.birthDate !== undefined) {
    refuseUnderage(body.birthDate, programme.minAge, nowOf(trx).toISOString().slice(0, 10));
  }
  return await updateCustomer(trx, programme, customer, toChange(vault, customer, body));
}

function toChange(vault: Vault, customer: Customer, body: UserChange): CustomerChange {
  const { state, kyc, externalId, riskLvl, documentExpirationDate, ...person } = body;
  const sent = Object.entries(person).filter(([, value]) => value !== undefined);
  return {
    ...(sent.length === 0 || customer.state === 'DELETED'
      ? {}
      : {
          person: sealPerson(vault, customer.subjectKey, {
            ...openPerson(vault, customer),
            ...Object.fromEntries(sent),
          }),
        }),
    ...(state === undefined ? {} : { state }),
    ...(kyc === undefined ? {} : { kyc }),
    ...(externalId === undefined ? {} : { externalId }),
    ...(riskLvl === undefined ? {} : { riskLevel: riskLvl }),
    ...(documentExpirationDate === undefined ? {} : { documentExpirationDate }),
  };
}

interface UserQuery {
  readonly phone?: string | undefined;
  readonly email?: string | undefined;
  readonly externalId?: string | undefined;
  readonly state?: CustomerFilter['state'] | undefined;
  readonly kyc?: CustomerFilter['kyc'] | undefined;
}

/** What a list of users is asked for, as the rows are found. */
export const userFilter = (
  vault: Vault,
  { phone, email, externalId, state, kyc }: UserQuery,
): CustomerFilter => ({
  ...(phone === undefined ? {} : { phoneIndex: phoneIndex(vault, phone) }),
  ...(email === undefined ? {} : { emailIndex: emailIndex(vault, email) }),
  ...(externalId === undefined ? {} : { externalId }),
  ...(state === undefined ? {} : { state }),
  ...(kyc === undefined ? {} : { kyc }),
});

/** The wire's users with what is sealed opened; `show` may hide some of it. */
export async function presentUsers(
  trx: Trx,
  vault: Vault,
  customers: readonly Customer[],
  show: (personal: PersonalData) => PersonalData = (personal) => personal,
) {
  const reasons = await lockReasonsOf(
    trx,
    customers.map((one) => one.customerId),
  );
  return customers.map((one) =>
    toCustomerAnswer(one, show(openPerson(vault, one)), reasons.get(one.customerId) ?? []),
  );
}

/** One of `presentUsers`. */
export async function presentUser(
  trx: Trx,
  vault: Vault,
  customer: Customer,
  show?: (personal: PersonalData) => PersonalData,
) {
  const [shown] = await presentUsers(trx, vault, [customer], show);
  if (shown === undefined) throw new Error('a user was not presented');
  return shown;
}
