import { randomInt } from 'node:crypto';
import type { Kysely } from 'kysely';
import { emailIndex } from '../../api/personal-data.ts';
import { changeSection } from '../../api/kyb/change-section.ts';
import { atomically, newId, type Trx } from '../../db/atomically.ts';
import { newSubjectId } from '../../db/customers.ts';
import type { Database } from '../../db/database.ts';
import {
  createKybApplication,
  type KybApplication,
  lockKybApplication,
  readKybApplication,
  sectionPlace,
} from '../../db/kyb-applications.ts';
import { addKybDocument } from '../../db/kyb-documents.ts';
import type { Programme } from '../../db/partners.ts';
import type { KybDocumentType } from '../../domain/kyb-document.ts';
import type { ContactSection } from '../../domain/kyb-form.ts';
import { businessBody, entityBody, personsBody } from '../../api/schemas/kyb-sections.ts';
import { submitKyb } from '../../api/kyb/submit.ts';
import { openPersons } from '../../api/kyb/open-form.ts';
import { type DocumentStore, putDocument } from '../../vault/document-store.ts';
import { newSubjectKey, sealPersonal } from '../../vault/personal-data.ts';
import type { Vault } from '../../vault/vault.ts';
import { engineCaller } from './customers.ts';
import { aBusiness, anEntity, anOwner } from './kyb.ts';

/** Applications made in the database, as the API makes them. */
export interface KybWorld {
  readonly engine: Kysely<Database>;
  readonly vault: Vault;
  readonly programme: Programme;
  /** Where documents are stored; without one they are rows only. */
  readonly documents?: DocumentStore;
}

const inOneCommit = <T>({ engine }: KybWorld, work: (trx: Trx) => Promise<T>): Promise<T> =>
  atomically(engine, engineCaller, work);

export const aContactSection = (): ContactSection => ({
  contactName: 'Ada Nowak',
  contactEmail: `ada${randomInt(1e9)}@company.test`,
  contactPhone: '48123456789',
  language: null,
  termsVersion: '2026-01',
});

/** A draft with step 1. */
export const aDraft = (
  world: KybWorld,
  contact: ContactSection = aContactSection(),
  channel: 'PUBLIC' | 'ADMIN' = 'PUBLIC',
): Promise<KybApplication> =>
  inOneCommit(world, async (trx) => {
    const { vault, programme } = world;
    const applicationId = newId(trx);
    const { partnerId } = programme;
    const subjectKey = newSubjectKey(vault, { subjectId: newSubjectId(trx), partnerId });
    return await createKybApplication(trx, programme, {
      applicationId,
      subjectKey,
      channel,
      emailIndex: emailIndex(vault, contact.contactEmail),
      ipIndex: null,
      contact: sealPersonal(vault, subjectKey, sectionPlace(applicationId, 'CONTACT'), contact),
    });
  });

interface Filling {
  readonly entity?: Readonly<Record<string, unknown>>;
  readonly owner?: Readonly<Record<string, unknown>>;
}

/** Fills a draft so that it can be submitted. */
export const fillDraft = (
  world: KybWorld,
  { applicationId }: KybApplication,
  { entity = {}, owner = {} }: Filling = {},
): Promise<void> =>
  inOneCommit(world, async (trx) => {
    const { vault } = world;
    const application = await lockKybApplication(trx, 'every', applicationId);
    const fields = entityBody.parse(anEntity(entity));
    await changeSection(trx, vault, application, { section: 'ENTITY', fields });
    await changeSection(trx, vault, application, {
      section: 'BUSINESS',
      fields: businessBody.parse(aBusiness()),
    });
    await changeSection(trx, vault, application, {
      section: 'PERSONS',
      fields: personsBody.parse({ persons: [anOwner(owner)] }),
    });
    const [person] = await openPersons(trx, vault, application);
    const add = (type: KybDocumentType, personId: string | null = null) =>
      addDocument(trx, world, application, { type, personId });
    await add('REGISTRY_EXTRACT');
    await add('OWNERSHIP_STRUCTURE');
    await add('PERSON_DOCUMENT_FRONT', person?.personId);
    await add('PERSON_SELFIE', person?.personId);
  });

/** Adds a document to an application that its applicant may change. */
export async function addDocument(
  trx: Trx,
  { vault, documents }: KybWorld,
  application: KybApplication,
  { type, personId }: { readonly type: KybDocumentType; readonly personId: string | null },
): Promise<string> {
  const { subjectKey } = application;
  const content = Buffer.from(`a ${type}`);
  const stored =
    documents === undefined ? null : await putDocument(vault, documents, { subjectKey, content });
  return await addKybDocument(trx, application, {
    type,
    personId,
    documentType: personId === null ? null : 'passport',
    mediaType: 'application/pdf',
    bytes: stored?.bytes ?? 1,
    sha256: stored?.sha256 ?? '',
    storeKey: stored?.key ?? '',
  });
}

/** Submits an application as its applicant does. */
export const submitDraft = (world: KybWorld, { applicationId }: KybApplication): Promise<KybApplication> =>
  inOneCommit(world, async (trx) => {
    await submitKyb(trx, world.vault, await lockKybApplication(trx, 'every', applicationId));
    return await readKybApplication(trx, 'every', applicationId);
  });

/** The application as it stands now. */
export const storedKyb = (world: KybWorld, applicationId: string): Promise<KybApplication> =>
  inOneCommit(world, (trx) => readKybApplication(trx, 'every', applicationId));
