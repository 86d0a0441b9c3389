import { randomInt } from 'node:crypto';
import { FormData as MultipartForm } from 'undici';
import type { ApiHarness, CallOptions, HttpAnswer } from './harness.ts';
import { aFile, aJpeg, aPdf } from './pictures.ts';

/** A company's form (onboarding 8.2), right in every field unless `changes` say otherwise. */
type Fields = Readonly<Record<string, unknown>>;

const anAddress = () => ({
  street: 'Polna',
  number: '17a',
  city: 'Lublin',
  postCode: '20-128',
  country: 'PL',
});

export const aContact = (changes: Fields = {}): Fields => ({
  contactName: 'Ada Nowak',
  contactEmail: `ada${randomInt(1e9)}@company.test`,
  contactPhone: '48123456789',
  termsVersion: '2026-01',
  ...changes,
});

export const anEntity = (changes: Fields = {}): Fields => ({
  name: 'Polna Works',
  legalForm: 'LIMITED_COMPANY',
  country: 'PL',
  taxId: '5260001246',
  registryNumber: '0000123456',
  incorporationDate: '2015-03-01',
  registeredAddress: anAddress(),
  ...changes,
});

export const aBusiness = (changes: Fields = {}): Fields => ({
  website: 'https://company.test',
  industryCode: '62.01',
  description: 'Writes software for other companies.',
  operatingCountries: ['PL', 'DE'],
  customerKinds: ['COMPANIES'],
  accountPurpose: 'Cards for employees',
  expectedMonthlyVolume: { amount: 1_000_000, currency: 'EUR' },
  ...changes,
});

/** The only owner, who also represents the company. */
export const anOwner = (changes: Fields = {}): Fields => ({
  roles: ['REPRESENTATIVE', 'BENEFICIAL_OWNER'],
  firstName: 'Ada',
  lastName: 'Nowak',
  birthDate: '1980-04-12',
  nationality: 'PL',
  phone: '48123456789',
  address: anAddress(),
  ownershipPercent: 100,
  sourceOfFunds: 'BUSINESS_INCOME',
  pep: false,
  sanctioned: false,
  ...changes,
});

/** An upload of a document. */
export function anUpload(fields: Readonly<Record<string, string>>, content: Buffer, type?: string): FormData {
  const form = new MultipartForm();
  for (const [name, value] of Object.entries(fields)) form.set(name, value);
  form.set('file', aFile(content, type), 'file');
  return form as unknown as FormData;
}

/** How an application is reached: `/kyb/applications` with a token, or `/secure/kyb/applications`. */
export interface KybDoor {
  readonly base: string;
  readonly options: CallOptions;
  readonly applicationId: string;
}

/** A call to an application through its door. */
export const atDoor = (
  api: ApiHarness,
  door: KybDoor,
  method: string,
  path: string,
  options: CallOptions = {},
): Promise<HttpAnswer> =>
  api.call(method, `${door.base}/${door.applicationId}${path}`, {
    ...door.options,
    ...options,
    headers: { ...door.options.headers, ...options.headers },
  });

const good = (answer: HttpAnswer): HttpAnswer => {
  if (answer.status >= 300) throw new Error(`refused: ${answer.status} ${answer.text}`);
  return answer;
};

/** The door of somebody with a token. */
export const withToken = (applicationId: string, token: string): KybDoor => ({
  base: '/kyb/applications',
  options: { as: 'nobody', listener: 'public', headers: { Authorization: `Bearer ${token}` } },
  applicationId,
});

/** Begins a public application; its door and its token. */
export async function aPublicKyb(
  api: ApiHarness,
  contact: Fields = aContact(),
): Promise<KybDoor & { readonly token: string }> {
  const answer = good(
    await api.call('POST', '/kyb/applications', {
      as: 'nobody',
      listener: 'public',
      headers: { 'Issuer-Code': 'sandbox' },
      body: contact,
    }),
  );
  const { applicationId, token } = answer.body as { applicationId: string; token: string };
  return { ...withToken(applicationId, token), token };
}

/** Begins an application as the demo partner's server. */
export async function aServerKyb(api: ApiHarness, issuerCode = 'sandbox'): Promise<KybDoor> {
  const headers = { 'Issuer-Code': issuerCode };
  const answer = good(await api.call('POST', '/secure/kyb/applications', { headers, body: aContact() }));
  return { base: '/secure/kyb/applications', options: { headers }, applicationId: answer.body.applicationId };
}

export interface FilledForm {
  readonly entity?: Fields;
  readonly business?: Fields;
  readonly persons?: Fields;
}

/** Fills every section and uploads what is needed; gives the persons' ids. */
export async function fillKyb(api: ApiHarness, door: KybDoor, form: FilledForm = {}): Promise<string[]> {
  const { entity = anEntity(), business = aBusiness(), persons = { persons: [anOwner()] } } = form;
  good(await atDoor(api, door, 'PUT', '/sections/ENTITY', { body: entity }));
  good(await atDoor(api, door, 'PUT', '/sections/BUSINESS', { body: business }));
  const put = good(await atDoor(api, door, 'PUT', '/sections/PERSONS', { body: persons }));
  const ids = personIdsOf(put);
  const [jpeg, pdf] = [await aJpeg(), aPdf()];
  const upload = async (fields: Readonly<Record<string, string>>, content: Buffer, type?: string) =>
    good(await atDoor(api, door, 'POST', '/documents', { form: anUpload(fields, content, type) }));
  await upload({ type: 'REGISTRY_EXTRACT' }, pdf, 'application/pdf');
  await upload({ type: 'OWNERSHIP_STRUCTURE' }, pdf, 'application/pdf');
  for (const personId of ids) {
    const person = { personId, documentType: 'passport' };
    await upload({ type: 'PERSON_DOCUMENT_FRONT', ...person }, jpeg);
    await upload({ type: 'PERSON_SELFIE', ...person }, jpeg);
  }
  return ids;
}

/** Ids of the persons in an application's answer. */
export const personIdsOf = (answer: HttpAnswer): string[] =>
  answer.body.sections
    .find((one: { section: string }) => one.section === 'PERSONS')
    .content.persons.map((one: { personId: string }) => one.personId);
