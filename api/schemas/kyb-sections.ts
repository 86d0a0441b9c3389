import type { Address } from '../../domain/customer.ts';
import { LEGAL_FORMS } from '../../domain/corporation.ts';
import {
  type BusinessSection,
  type ContactSection,
  CUSTOMER_KINDS,
  type EntitySection,
  KYB_PERSON_ROLES,
  type KybPerson,
  SOURCES_OF_FUNDS,
} from '../../domain/kyb-form.ts';
import { birthDate, country, email, language, nationality, personName, phone } from './customer.ts';
import { amount, currencyCode, day, text, uuid, word, z } from './shared.ts';

/** The sections of a company's form (onboarding 8.2). A draft may be incomplete: what is sent must be well-formed. */
const draft = <T extends z.ZodType>(field: T) => field.nullish().transform((value) => value ?? null);

const flag = () => z.boolean({ error: 'must be true or false' }).nullish();

const postCode = () => text(1, 16).refine((value) => /^[\p{L}\p{N} -]+$/u.test(value), 'must be a post code');

const address = () =>
  z
    .strictObject({
      street: text(1, 100),
      number: text(1, 16),
      apartment: draft(text(1, 16)),
      city: text(1, 64),
      postCode: postCode(),
      country: country(),
      region: draft(text(1, 64)),
    })
    .transform((value): Address => value);

export const contactMembers = {
  contactName: text(1, 100),
  contactEmail: email(),
  contactPhone: phone(),
  language: draft(language()),
  termsVersion: text(1, 32),
};

/** Step 1; it makes the application, so that it is always whole. */
export const contactBody = z
  .strictObject(contactMembers)
  .transform((value): ContactSection => value)
  .openapi('KybContact');

export const entityBody = z
  .strictObject({
    name: draft(text(1, 140)),
    legalForm: draft(word(LEGAL_FORMS)),
    country: draft(country()),
    taxId: draft(text(1, 32)),
    registryName: draft(text(1, 64)),
    registryNumber: draft(text(1, 32)),
    regon: draft(text(1, 32)),
    incorporationDate: draft(day()),
    registeredAddress: draft(address()),
    correspondenceAddress: draft(address()),
  })
  .transform((value): EntitySection => value)
  .openapi('KybEntity');

const website = () =>
  text(1, 200).refine(
    (value) => value.startsWith('https://') && URL.canParse(value),
    'must be an address that begins with https://',
  );

const licence = z.strictObject({
  authority: text(1, 140),
  number: text(1, 64),
  country: country(),
  validUntil: draft(day()),
});

const MOST_LICENCES = 50;

export const businessBody = z
  .strictObject({
    website: draft(website()),
    industryCode: draft(
      text(1, 8).refine(
        (value) => /^\d{2}(\.\d{1,2})?$/.test(value),
        'must be a NACE code, for example 62.01',
      ),
    ),
    description: draft(text(10, 1000)),
    operatingCountries: draft(z.array(country()).max(50, 'must be at most 50')),
    customerKinds: draft(z.array(word(CUSTOMER_KINDS)).max(CUSTOMER_KINDS.length)),
    licences: draft(z.array(licence).max(MOST_LICENCES)),
    accountPurpose: draft(text(1, 500)),
    expectedMonthlyVolume: draft(z.strictObject({ amount: amount(), currency: currencyCode() })),
  })
  .transform((value): BusinessSection => ({
    ...value,
    operatingCountries: value.operatingCountries ?? [],
    customerKinds: value.customerKinds ?? [],
    licences: value.licences ?? [],
  }))
  .openapi('KybBusiness');

/** A share as hundredths of a percent. */
const percent = () =>
  z
    .number({ error: 'must be from 0 to 100' })
    .min(0, 'must be from 0 to 100')
    .max(100, 'must be from 0 to 100')
    .refine((value) => Number(value.toFixed(2)) === value, 'must have at most two decimals')
    .transform((value) => Math.round(value * 100))
    .openapi({ type: 'number', minimum: 0, maximum: 100 });

/** A person as sent; a new one has no `personId`, one that is kept names it. */
export type SentPerson = Omit<KybPerson, 'personId'> & { readonly personId: string | null };

const person = z
  .strictObject({
    personId: draft(uuid()),
    roles: draft(z.array(word(KYB_PERSON_ROLES)).max(KYB_PERSON_ROLES.length)),
    firstName: draft(personName()),
    lastName: draft(personName()),
    birthDate: draft(birthDate()),
    nationality: draft(nationality()),
    nationalId: draft(text(1, 32)),
    phone: draft(phone()),
    address: draft(address()),
    ownershipPercent: draft(percent()),
    controlByOtherMeans: flag(),
    sourceOfFunds: draft(word(SOURCES_OF_FUNDS)),
    sourceOfFundsText: draft(text(1, 200)),
    pep: flag(),
    pepDetails: draft(text(1, 1000)),
    sanctioned: flag(),
  })
  .transform(({ ownershipPercent, ...value }): SentPerson => ({
    ...value,
    roles: [...new Set(value.roles ?? [])],
    ownership: ownershipPercent,
    controlByOtherMeans: value.controlByOtherMeans ?? false,
    pep: value.pep ?? false,
    sanctioned: value.sanctioned ?? false,
  }));

const MOST_PERSONS = 50;

export const personsBody = z
  .strictObject({
    persons: z.array(person).max(MOST_PERSONS, 'must be at most 50'),
    noOwnerAbove25: flag().transform((value) => value ?? false),
  })
  .openapi('KybPersons');
