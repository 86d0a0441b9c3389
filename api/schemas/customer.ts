import type { Customer } from '../../db/customers.ts';
import * as members from '../../db/person-schema.ts';
import { KYC_STATES, type PersonalData, RISK_LEVELS, SETTABLE_STATES } from '../../domain/customer.ts';
import { date, day, integerId, page, text, word, z } from './shared.ts';

/** E.164 digits; one leading plus is cut. */
export const phone = () => members.phone().openapi({ type: 'string', example: '48123456789' });

/** An e-mail address in lower case. */
export const email = () => members.email().openapi({ type: 'string', format: 'email' });

/** ISO 3166-1 alpha-2, any case in, capitals out. */
export const country = () => members.country().openapi({ type: 'string', example: 'PL' });

/** ISO 639-1, any case in, lower case out. */
export const language = () => members.language().openapi({ type: 'string', example: 'pl' });

export const { personName, birthDate, nationality } = members;

const person = {
  firstName: personName(),
  lastName: personName(),
  phone: phone(),
  email: email(),
  birthDate: birthDate(),
};

/** Body of `POST /wallet` (onboarding 1, 2); null means absent. */
export const newCustomerBody = z
  .strictObject({
    ...person,
    state: word(SETTABLE_STATES).nullish(),
    kyc: word(KYC_STATES).nullish(),
    externalId: text(1, 64).nullish(),
    nationality: nationality().nullish(),
    language: language().nullish(),
    riskLvl: word(RISK_LEVELS).nullish(),
    documentExpirationDate: day().nullish(),
  })
  .openapi('NewUser');

/** Body of `PUT /users/{userId}`: absent = unchanged, null clears what may be empty. */
export const customerChangeBody = z
  .strictObject({
    userId: integerId().optional(),
    ...z.object(person).partial().shape,
    state: word(SETTABLE_STATES).optional(),
    kyc: word(KYC_STATES).optional(),
    externalId: text(1, 64).nullable().optional(),
    nationality: nationality().nullable().optional(),
    language: language().nullable().optional(),
    riskLvl: word(RISK_LEVELS).optional(),
    documentExpirationDate: day().nullable().optional(),
  })
  .openapi('UserChange');

/** Query of `GET /users`. */
export const customerQuery = z.strictObject({
  ...page,
  phone: phone().optional(),
  email: email().optional(),
  externalId: text(1, 64).optional(),
  state: word(['UNVERIFIED', 'VERIFIED', 'LOCKED', 'DELETED']).optional(),
  kyc: word(KYC_STATES).optional(),
});

/** Of a user who is not deleted. */
export const customerMembers = {
  id: z.int(),
  firstName: z.string(),
  lastName: z.string(),
  phone: z.string(),
  email: z.string(),
  birthDate: z.string(),
  state: z.enum(['UNVERIFIED', 'VERIFIED', 'LOCKED']),
  kyc: z.enum(KYC_STATES),
  externalId: z.string().nullable(),
  nationality: z.string().nullable(),
  language: z.string().nullable(),
  riskLvl: z.enum(RISK_LEVELS),
  documentExpirationDate: z.string().nullable(),
  pep: z.boolean(),
  transactionalLocks: z.array(z.string()),
  createdAt: date(),
  updatedAt: date(),
};

export const deletedCustomerMembers = {
  id: z.int(),
  state: z.literal('DELETED'),
  externalId: z.string().nullable(),
};

export const customerSchema = z
  .union([z.strictObject(customerMembers), z.strictObject(deletedCustomerMembers)])
  .openapi('User');

/** The wire's user (onboarding 2); of a deleted one only that it was there. */
export function toCustomerAnswer(
  customer: Customer,
  personal: PersonalData,
  transactionalLocks: readonly string[],
): z.input<typeof customerSchema> {
  const { customerId: id, state, externalId } = customer;
  if (state === 'DELETED') return { id, state, externalId };
  return {
    id,
    firstName: personal.firstName,
    lastName: personal.lastName,
    phone: personal.phone,
    email: personal.email,
    birthDate: personal.birthDate,
    state,
    kyc: customer.kyc,
    externalId,
    nationality: personal.nationality,
    language: personal.language,
    riskLvl: customer.riskLevel,
    documentExpirationDate: customer.documentExpirationDate,
    pep: customer.pep,
    transactionalLocks: [...transactionalLocks],
    createdAt: customer.createdAt.toISOString(),
    updatedAt: customer.updatedAt.toISOString(),
  };
}
