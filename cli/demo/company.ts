import { randomInt } from 'node:crypto';
import { FormData } from 'undici';
import { z } from 'zod';
import { drawPictures } from './pictures.ts';
import type { World } from './world.ts';

/** A company of the demo; another one in each run. */
export interface Company {
  readonly name: string;
  readonly taxId: string;
  readonly contactEmail: string;
}

/** Draws a company whose tax id nobody else has. */
export function newCompany(): Company {
  const number = String(randomInt(10_000_000)).padStart(7, '0');
  return { name: `Demo Works ${number}`, taxId: `526${number}`, contactEmail: `office.${number}@demo.test` };
}

const address = { street: 'Prosta', number: '1', city: 'Warszawa', postCode: '00-001', country: 'PL' };

const applicationSchema = z.object({ applicationId: z.string(), status: z.string() });
const sectionsSchema = z.object({
  sections: z.array(z.object({ section: z.string(), content: z.record(z.string(), z.unknown()).nullable() })),
});
const personsSchema = z.object({ persons: z.array(z.object({ personId: z.string() })) });

/** Fills a company's form as the partner's server does, with all documents, and submits it. */
export async function applyForCompany({ partner, person }: World, company: Company): Promise<string> {
  const { contactEmail, name, taxId } = company;
  const { firstName, lastName, phone, birthDate } = person;
  const contactName = `${firstName} ${lastName}`;
  const { applicationId } = await partner.post('/secure/kyb/applications', {
    body: { contactName, contactEmail, contactPhone: phone, termsVersion: '2026-01' },
    status: 201,
    answer: applicationSchema,
  });
  const base = `/secure/kyb/applications/${applicationId}`;
  const put = (section: string, body: object) =>
    partner.put(`${base}/sections/${section}`, { body, status: 200, answer: sectionsSchema });
  await put('ENTITY', {
    name,
    legalForm: 'LIMITED_COMPANY',
    country: 'PL',
    taxId,
    registryNumber: `000${taxId.slice(3)}`,
    incorporationDate: '2015-03-01',
    registeredAddress: address,
  });
  await put('BUSINESS', {
    industryCode: '62.01',
    description: 'Writes software for other companies.',
    operatingCountries: ['PL'],
    customerKinds: ['COMPANIES'],
    accountPurpose: 'Cards for employees',
    expectedMonthlyVolume: { amount: 1_000_000, currency: 'EUR' },
  });
  const { sections } = await put('PERSONS', {
    persons: [
      {
        roles: ['REPRESENTATIVE', 'BENEFICIAL_OWNER'],
        firstName,
        lastName,
        birthDate,
        nationality: 'PL',
        phone,
        address,
        ownershipPercent: 100,
        sourceOfFunds: 'BUSINESS_INCOME',
        pep: false,
        sanctioned: false,
      },
    ],
  });
  const { persons } = personsSchema.parse(sections.find((one) => one.section === 'PERSONS')?.content);
  const personId = persons[0]?.personId ?? '';
  const { face, front } = await drawPictures();
  const uploads = [
    ['REGISTRY_EXTRACT', front, {}],
    ['OWNERSHIP_STRUCTURE', front, {}],
    ['PERSON_DOCUMENT_FRONT', front, { personId, documentType: 'passport' }],
    ['PERSON_SELFIE', face, { personId, documentType: 'passport' }],
  ] as const;
  for (const [type, { bytes, mediaType, name: fileName }, more] of uploads) {
    const form = new FormData();
    for (const [field, value] of Object.entries({ type, ...more })) form.set(field, value);
    form.set('file', new Blob([Uint8Array.from(bytes)], { type: mediaType }), fileName);
    await partner.post(`${base}/documents`, {
      form,
      status: 201,
      answer: z.object({ documentId: z.string() }),
    });
  }
  await partner.post(`${base}/submit`, { status: 202, answer: applicationSchema });
  return applicationId;
}
