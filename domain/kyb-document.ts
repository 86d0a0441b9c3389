import type { LegalForm } from './corporation.ts';
import type { FieldFault } from './errors.ts';
import { type KybFormSection, type KybStatus, mayChange, type SectionMark } from './kyb-application.ts';
import type { DocumentType } from './verification.ts';

/** Documents of a company's application (onboarding 8.3). */
export const KYB_DOCUMENT_TYPES = [
  'REGISTRY_EXTRACT',
  'ARTICLES_OF_ASSOCIATION',
  'OWNERSHIP_STRUCTURE',
  'TAX_CERTIFICATE',
  'PROOF_OF_ADDRESS',
  'LICENCE',
  'POWER_OF_ATTORNEY',
  'PERSON_DOCUMENT_FRONT',
  'PERSON_DOCUMENT_BACK',
  'PERSON_SELFIE',
  'OTHER',
] as const;
export type KybDocumentType = (typeof KYB_DOCUMENT_TYPES)[number];

export const MOST_KYB_DOCUMENTS = 50;

/** What a document is and whose, without its content. */
export interface KybDocumentMark {
  readonly type: KybDocumentType;
  readonly personId: string | null;
  readonly documentType: DocumentType | null;
}

/** True for the documents that show one person. */
export const isOfPerson = (type: KybDocumentType): boolean => type.startsWith('PERSON_');

/** Parts of the form that a document bears out: where they are to be corrected, it may be too. */
function sectionsOf(type: KybDocumentType): readonly KybFormSection[] {
  switch (type) {
    case 'REGISTRY_EXTRACT':
    case 'ARTICLES_OF_ASSOCIATION':
    case 'TAX_CERTIFICATE':
    case 'PROOF_OF_ADDRESS':
      return ['ENTITY'];
    case 'OWNERSHIP_STRUCTURE':
      return ['ENTITY', 'PERSONS'];
    case 'LICENCE':
      return ['BUSINESS'];
    case 'POWER_OF_ATTORNEY':
    case 'PERSON_DOCUMENT_FRONT':
    case 'PERSON_DOCUMENT_BACK':
    case 'PERSON_SELFIE':
      return ['PERSONS'];
    case 'OTHER':
      return ['ENTITY', 'BUSINESS', 'PERSONS'];
  }
}

/**
 * True when the applicant may add or remove a document: with its own section, or with one that it bears out, which
 * could not be corrected otherwise.
 */
export const mayChangeDocument = (
  status: KybStatus,
  sections: readonly SectionMark[],
  type: KybDocumentType,
): boolean => {
  const open = [...sectionsOf(type), 'DOCUMENTS'];
  return sections.some(({ section, state }) => open.includes(section) && mayChange(status, state));
};

/** What an upload lacks or has too much. */
export function documentFaults({ type, personId, documentType }: KybDocumentMark): FieldFault[] {
  if (!isOfPerson(type)) {
    return [
      ...(personId === null ? [] : [{ field: 'personId', message: 'belongs to documents of persons only' }]),
      ...(documentType === null
        ? []
        : [{ field: 'documentType', message: 'belongs to documents of persons only' }]),
    ];
  }
  return [
    ...(personId === null ? [{ field: 'personId', message: 'is required' }] : []),
    ...(documentType === null ? [{ field: 'documentType', message: 'is required' }] : []),
  ];
}

interface Needing {
  readonly legalForm: LegalForm | null;
  readonly hasLicences: boolean;
  readonly personIds: readonly string[];
}

/** Documents that must still be uploaded before the application can be submitted. */
export function missingDocuments(needing: Needing, documents: readonly KybDocumentMark[]): FieldFault[] {
  const has = (type: KybDocumentType) => documents.some((one) => one.type === type);
  const needed: readonly KybDocumentType[] = [
    'REGISTRY_EXTRACT',
    ...(needing.legalForm === 'SOLE_TRADER' ? [] : (['OWNERSHIP_STRUCTURE'] as const)),
    ...(needing.hasLicences ? (['LICENCE'] as const) : []),
  ];
  return [
    ...needed
      .filter((type) => !has(type))
      .map((type) => ({ field: `documents.${type}`, message: 'is missing' })),
    ...needing.personIds.flatMap((personId, at) => missingOfPerson(personId, at, documents)),
  ];
}

function missingOfPerson(personId: string, at: number, documents: readonly KybDocumentMark[]): FieldFault[] {
  const own = documents.filter((one) => one.personId === personId);
  const front = own.find((one) => one.type === 'PERSON_DOCUMENT_FRONT');
  const needed: readonly KybDocumentType[] = [
    'PERSON_DOCUMENT_FRONT',
    'PERSON_SELFIE',
    ...(front?.documentType === 'passport' ? [] : (['PERSON_DOCUMENT_BACK'] as const)),
  ];
  return needed
    .filter((type) => !own.some((one) => one.type === type))
    .map((type) => ({ field: `persons.${at}.documents.${type}`, message: 'is missing' }));
}
