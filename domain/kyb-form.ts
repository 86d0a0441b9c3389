import type { LegalForm } from './corporation.ts';
import type { Address } from './customer.ts';
import type { FieldFault } from './errors.ts';

/** The form of a company (onboarding 8.2) as it is stored sealed; null = not filled in yet. */
export const CUSTOMER_KINDS = ['CONSUMERS', 'COMPANIES', 'PUBLIC_SECTOR'] as const;
export type CustomerKind = (typeof CUSTOMER_KINDS)[number];

export const KYB_PERSON_ROLES = ['REPRESENTATIVE', 'BENEFICIAL_OWNER', 'SENIOR_MANAGER'] as const;
export type KybPersonRole = (typeof KYB_PERSON_ROLES)[number];

export const SOURCES_OF_FUNDS = [
  'SALARY',
  'BUSINESS_INCOME',
  'SAVINGS',
  'INVESTMENTS',
  'INHERITANCE',
  'SALE_OF_ASSETS',
  'OTHER',
] as const;
export type SourceOfFunds = (typeof SOURCES_OF_FUNDS)[number];

export interface ContactSection {
  readonly contactName: string;
  readonly contactEmail: string;
  readonly contactPhone: string;
  readonly language: string | null;
  readonly termsVersion: string;
}

export interface EntitySection {
  readonly name: string | null;
  readonly legalForm: LegalForm | null;
  readonly country: string | null;
  readonly taxId: string | null;
  readonly registryName: string | null;
  readonly registryNumber: string | null;
  readonly regon: string | null;
  readonly incorporationDate: string | null;
  readonly registeredAddress: Address | null;
  readonly correspondenceAddress: Address | null;
}

export interface Licence {
  readonly authority: string;
  readonly number: string;
  readonly country: string;
  readonly validUntil: string | null;
}

export interface BusinessSection {
  readonly website: string | null;
  readonly industryCode: string | null;
  readonly description: string | null;
  readonly operatingCountries: readonly string[];
  readonly customerKinds: readonly CustomerKind[];
  readonly licences: readonly Licence[];
  readonly accountPurpose: string | null;
  /** Minor units. */
  readonly expectedMonthlyVolume: { readonly amount: number; readonly currency: string } | null;
}

export interface KybPerson {
  readonly personId: string;
  readonly roles: readonly KybPersonRole[];
  readonly firstName: string | null;
  readonly lastName: string | null;
  readonly birthDate: string | null;
  readonly nationality: string | null;
  readonly nationalId: string | null;
  readonly phone: string | null;
  readonly address: Address | null;
  /** Hundredths of a percent, 0 to 10000. */
  readonly ownership: number | null;
  readonly controlByOtherMeans: boolean;
  readonly sourceOfFunds: SourceOfFunds | null;
  readonly sourceOfFundsText: string | null;
  readonly pep: boolean;
  readonly pepDetails: string | null;
  readonly sanctioned: boolean;
}

export interface PersonsSection {
  readonly persons: readonly KybPerson[];
  readonly noOwnerAbove25: boolean;
}

const WHOLE = 10_000;
/** Above this share a person owns the company beneficially. */
export const OWNER_ABOVE = 2_500;

/** What is wrong with how a country writes its numbers; checked as soon as they are sent. */
export function entityFormatFaults(entity: EntitySection): FieldFault[] {
  if (entity.country !== 'PL') return [];
  const wrong = (value: string | null, pattern: RegExp) => value !== null && !pattern.test(value);
  const soleTrader = entity.legalForm === 'SOLE_TRADER';
  return [
    ...(wrong(entity.taxId, /^\d{10}$/) ? [{ field: 'taxId', message: 'must be 10 digits in PL' }] : []),
    ...(!soleTrader && wrong(entity.registryNumber, /^\d{10}$/)
      ? [{ field: 'registryNumber', message: 'must be 10 digits in PL' }]
      : []),
    ...(wrong(entity.regon, /^(\d{9}|\d{14})$/)
      ? [{ field: 'regon', message: 'must be 9 or 14 digits' }]
      : []),
  ];
}

const required = (section: string, fields: Readonly<Record<string, unknown>>): FieldFault[] =>
  Object.entries(fields)
    .filter(([, value]) => value === null || (Array.isArray(value) && value.length === 0))
    .map(([field]) => ({ field: `${section}.${field}`, message: 'is required' }));

/** What ENTITY still lacks. */
export function entityFaults(entity: EntitySection): FieldFault[] {
  const { name, legalForm, country, taxId, incorporationDate, registeredAddress, registryNumber } = entity;
  const polishCompany = country === 'PL' && legalForm !== null && legalForm !== 'SOLE_TRADER';
  return [
    ...required('ENTITY', { name, legalForm, country, taxId, incorporationDate, registeredAddress }),
    ...(polishCompany ? required('ENTITY', { registryNumber }) : []),
    ...entityFormatFaults(entity).map((fault) => ({ ...fault, field: `ENTITY.${fault.field}` })),
  ];
}

/** What BUSINESS still lacks. */
export function businessFaults(business: BusinessSection): FieldFault[] {
  const { industryCode, description, operatingCountries, customerKinds, accountPurpose } = business;
  const { expectedMonthlyVolume } = business;
  return required('BUSINESS', {
    industryCode,
    description,
    operatingCountries,
    customerKinds,
    accountPurpose,
    expectedMonthlyVolume,
  });
}

/** What PERSONS still lacks; the rules of ownership are apart. */
export function personsFaults({ persons }: PersonsSection): FieldFault[] {
  if (persons.length === 0) return [{ field: 'PERSONS.persons', message: 'is required' }];
  return persons.flatMap((person, at) => {
    const section = `PERSONS.persons.${at}`;
    const { roles, firstName, lastName, birthDate, nationality, phone, address } = person;
    const { ownership: ownershipPercent, sourceOfFunds, sourceOfFundsText, pepDetails } = person;
    return [
      ...required(section, { roles, firstName, lastName, birthDate, nationality, phone, address }),
      ...required(section, { ownershipPercent, sourceOfFunds }),
      ...(sourceOfFunds === 'OTHER' ? required(section, { sourceOfFundsText }) : []),
      ...(person.pep ? required(section, { pepDetails }) : []),
    ];
  });
}

/** The first rule of ownership that the persons break (onboarding 8.2), null when they break none. */
export function ownershipFault({ persons, noOwnerAbove25 }: PersonsSection): string | null {
  const shareOf = (person: KybPerson) => person.ownership ?? 0;
  const isOwner = (person: KybPerson) => person.roles.includes('BENEFICIAL_OWNER');
  if (persons.reduce((sum, person) => sum + shareOf(person), 0) > WHOLE) {
    return 'The shares are more than 100 percent in all.';
  }
  const above = persons.filter((person) => shareOf(person) > OWNER_ABOVE);
  if (above.some((person) => !isOwner(person))) {
    return 'Who owns more than 25 percent is a BENEFICIAL_OWNER.';
  }
  const small = persons.filter((person) => isOwner(person) && shareOf(person) <= OWNER_ABOVE);
  if (small.some((person) => !person.controlByOtherMeans)) {
    return 'A BENEFICIAL_OWNER of 25 percent or less needs controlByOtherMeans.';
  }
  const manager = persons.some((person) => person.roles.includes('SENIOR_MANAGER'));
  if (above.length === 0 && !(noOwnerAbove25 && manager)) {
    return 'Without an owner above 25 percent noOwnerAbove25 must be true and a SENIOR_MANAGER named.';
  }
  if (!persons.some((person) => person.roles.includes('REPRESENTATIVE'))) {
    return 'At least one person must be a REPRESENTATIVE.';
  }
  return null;
}
