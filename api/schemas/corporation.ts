import type { Corporation } from '../../db/corporations.ts';
import type { Employee } from '../../db/employees.ts';
import {
  CORPORATION_ADDRESS_TYPES,
  CORPORATION_STATES,
  type CorporationContact,
  EMPLOYEE_ROLES,
  EMPLOYEE_STATES,
  KYB_STATES,
  LEGAL_FORMS,
} from '../../domain/corporation.ts';
import { addressSchema, typedAddress } from './address.ts';
import { country, email, newCustomerBody, phone } from './customer.ts';
import { date, integerId, page, text, unsaid, uuid, word, z } from './shared.ts';

const website = () =>
  text(9, 200).refine(
    (value) => URL.canParse(value) && new URL(value).protocol === 'https:',
    'must be an https URL of at most 200 characters',
  );

const required = {
  name: text(1, 140),
  country: country(),
  taxId: text(1, 32),
  email: email(),
  phone: phone(),
};

/** At most one address of each type. */
const addresses = () =>
  z
    .array(typedAddress(word(CORPORATION_ADDRESS_TYPES)), { error: 'must be a list' })
    .max(CORPORATION_ADDRESS_TYPES.length, 'must have one address of each type at most')
    .refine(
      (sent) => new Set(sent.map(({ type }) => type)).size === sent.length,
      'must have one address of each type at most',
    );

/** Body of `POST /corporations` (onboarding 4); an application fills what is left out. */
export const newCorporationBody = z
  .strictObject({
    ...z.object(required).partial().shape,
    legalForm: word(LEGAL_FORMS).nullish(),
    registryNumber: text(1, 32).nullish(),
    website: website().nullish(),
    externalId: text(1, 64).nullish(),
    addresses: addresses().nullish(),
    kybApplicationId: uuid().nullish(),
    kyb: word(KYB_STATES).nullish(),
  })
  .openapi('NewCorporation', { required: Object.keys(required) });

/** Body of `PUT /corporations/{dcCorporationId}`: absent = unchanged, null clears what may be empty. */
export const corporationChangeBody = z
  .strictObject({
    ...z.object(required).partial().shape,
    legalForm: word(LEGAL_FORMS).nullable().optional(),
    registryNumber: text(1, 32).nullable().optional(),
    website: website().nullable().optional(),
    externalId: text(1, 64).nullable().optional(),
    addresses: unsaid(addresses()),
    kybApplicationId: unsaid(uuid()),
    kyb: unsaid(word(KYB_STATES)),
  })
  .openapi('CorporationChange');

/** Query of `GET /corporations`. */
export const corporationQuery = z.strictObject({
  ...page,
  taxId: text(1, 32).optional(),
  externalId: text(1, 64).optional(),
  state: word(CORPORATION_STATES).optional(),
  kyb: word(KYB_STATES).optional(),
});

const livingCorporation = z.strictObject({
  dcCorporationId: z.string(),
  name: z.string(),
  country: z.string(),
  taxId: z.string(),
  email: z.string(),
  phone: z.string(),
  legalForm: z.enum(LEGAL_FORMS).nullable(),
  registryNumber: z.string().nullable(),
  website: z.string().nullable(),
  externalId: z.string().nullable(),
  addresses: z.array(addressSchema),
  kybApplicationId: z.string().nullable(),
  kyb: z.enum(KYB_STATES),
  state: z.enum(['ACTIVE', 'LOCKED']),
  transactionalLocks: z.array(z.string()),
  createdAt: date(),
  updatedAt: date(),
});

const deletedCorporation = z.strictObject({
  dcCorporationId: z.string(),
  state: z.literal('DELETED'),
  externalId: z.string().nullable(),
});

export const corporationSchema = z.union([livingCorporation, deletedCorporation]).openapi('Corporation');

interface Opened {
  readonly contact: CorporationContact;
  readonly addresses: readonly z.input<typeof addressSchema>[];
  readonly transactionalLocks: readonly string[];
}

/** The wire's corporation (onboarding 4); of a deleted one only that it was there, as of a user. */
export function toCorporationAnswer(
  corporation: Corporation,
  { contact, addresses, transactionalLocks }: Opened,
): z.input<typeof corporationSchema> {
  const { corporationId: dcCorporationId, state, externalId } = corporation;
  if (state === 'DELETED') return { dcCorporationId, state, externalId };
  return {
    dcCorporationId,
    name: corporation.name,
    country: corporation.country,
    taxId: corporation.taxId,
    email: contact.email,
    phone: contact.phone,
    legalForm: corporation.legalForm,
    registryNumber: corporation.registryNumber,
    website: corporation.website,
    externalId,
    addresses: [...addresses],
    kybApplicationId: corporation.kybApplicationId,
    kyb: corporation.kyb,
    state,
    transactionalLocks: [...transactionalLocks],
    createdAt: corporation.createdAt.toISOString(),
    updatedAt: corporation.updatedAt.toISOString(),
  };
}

/** Body of `POST .../employees`: a user who is there, or one to be made in the same commit. */
export const newEmployeeBody = z
  .strictObject({
    userId: integerId().nullish(),
    user: newCustomerBody.nullish(),
    role: word(EMPLOYEE_ROLES),
    position: text(1, 64).nullish(),
  })
  .openapi('NewEmployee');

export const employeeChangeBody = z
  .strictObject({
    role: unsaid(word(EMPLOYEE_ROLES)),
    position: text(1, 64).nullable().optional(),
    state: unsaid(word(['ACTIVE', 'SUSPENDED'])),
  })
  .openapi('EmployeeChange');

export const employeeSchema = z
  .strictObject({
    employeeId: z.string(),
    userId: z.int(),
    role: z.enum(EMPLOYEE_ROLES),
    state: z.enum(EMPLOYEE_STATES),
    position: z.string().nullable(),
  })
  .openapi('Employee');

/** The wire's employee. */
export const toEmployeeAnswer = ({
  employeeId,
  customerId,
  role,
  state,
  position,
}: Employee): z.input<typeof employeeSchema> => ({ employeeId, userId: customerId, role, state, position });
