import { Refusal } from '../domain/errors.ts';
import { type KybDocumentMark, type KybDocumentType, mayChangeDocument } from '../domain/kyb-document.ts';
import { audit } from './audit-log.ts';
import { newId, nowOf, type Trx } from './atomically.ts';
import { type KybApplication, sectionMarks } from './kyb-applications.ts';
import { cannotChange, refuseOneMore, reopenDocuments, touch } from './kyb-form.ts';

/** A document of an application; its content lies encrypted in the document store. */
export interface KybDocument extends KybDocumentMark {
  readonly documentId: string;
  readonly mediaType: string;
  readonly bytes: number;
  /** Of the content in clear, hexadecimal. */
  readonly sha256: string;
  readonly storeKey: string;
  readonly createdAt: Date;
}

/** Documents of an application, oldest first. */
export async function kybDocuments(trx: Trx, applicationId: string): Promise<KybDocument[]> {
  const rows = await trx
    .selectFrom('kyb_documents')
    .selectAll()
    .where('application_id', '=', applicationId)
    .orderBy('document_id')
    .execute();
  return rows.map((row) => ({
    documentId: row.document_id,
    type: row.type,
    personId: row.person_id,
    documentType: row.document_type,
    mediaType: row.media_type,
    bytes: row.bytes,
    sha256: row.sha256,
    storeKey: row.store_key,
    createdAt: row.created_at,
  }));
}

/**
 * Refuses an upload before its file is stored; the application is held. Throws `STATE_CONFLICT`,
 * `TOO_MANY_DOCUMENTS`, `VALIDATION_ERROR` for a person of nobody's.
 */
export async function refuseKybUpload(
  trx: Trx,
  application: KybApplication,
  mark: KybDocumentMark,
): Promise<void> {
  const { applicationId } = application;
  await refuseClosed(trx, application, mark.type);
  refuseOneMore((await kybDocuments(trx, applicationId)).length);
  if (mark.personId === null) return;
  const person = await trx
    .selectFrom('kyb_persons')
    .select('person_id')
    .where('application_id', '=', applicationId)
    .where('person_id', '=', mark.personId)
    .executeTakeFirst();
  if (person !== undefined) return;
  throw new Refusal('VALIDATION_ERROR', '1 field is invalid.', {
    fields: [{ field: 'personId', message: 'must be a person of this application' }],
  });
}

/** Adds a document that `refuseKybUpload` has let pass in the same transaction; gives its id. */
export async function addKybDocument(
  trx: Trx,
  application: KybApplication,
  document: Omit<KybDocument, 'documentId' | 'createdAt'>,
): Promise<string> {
  const { applicationId, partnerId } = application;
  const documentId = newId(trx);
  await trx
    .insertInto('kyb_documents')
    .values({
      document_id: documentId,
      application_id: applicationId,
      partner_id: partnerId,
      type: document.type,
      person_id: document.personId,
      document_type: document.documentType,
      media_type: document.mediaType,
      bytes: document.bytes,
      sha256: document.sha256,
      store_key: document.storeKey,
      created_at: nowOf(trx),
    })
    .execute();
  await markChanged(trx, application);
  await audit(trx, {
    action: 'kyb.document_added',
    objectType: 'kyb_application',
    objectId: applicationId,
    partnerId,
    after: { documentId, type: document.type },
  });
  return documentId;
}

/**
 * Removes a document of an application that is held; gives what the store is to forget once this has
 * committed. Throws `DOCUMENT_NOT_FOUND`, `STATE_CONFLICT`.
 */
export async function removeKybDocument(
  trx: Trx,
  application: KybApplication,
  documentId: string,
): Promise<string> {
  const { applicationId, partnerId } = application;
  const document = await readKybDocument(trx, applicationId, documentId);
  await refuseClosed(trx, application, document.type);
  await trx.deleteFrom('kyb_documents').where('document_id', '=', documentId).execute();
  await markChanged(trx, application);
  await audit(trx, {
    action: 'kyb.document_removed',
    objectType: 'kyb_application',
    objectId: applicationId,
    partnerId,
    before: { documentId, type: document.type },
  });
  return document.storeKey;
}

/** One document of an application. Throws `DOCUMENT_NOT_FOUND`. */
export async function readKybDocument(
  trx: Trx,
  applicationId: string,
  documentId: string,
): Promise<KybDocument> {
  const found = (await kybDocuments(trx, applicationId)).find((one) => one.documentId === documentId);
  if (found === undefined) throw new Refusal('DOCUMENT_NOT_FOUND', 'There is no such document.');
  return found;
}

/** Records that an operator is about to see a document; commits before its bytes leave (channels 3). */
export async function auditKybDocumentRead(
  trx: Trx,
  application: KybApplication,
  documentId: string,
): Promise<void> {
  await audit(trx, {
    action: 'kyb.document_read',
    objectType: 'kyb_application',
    objectId: application.applicationId,
    partnerId: application.partnerId,
    after: { documentId },
  });
}

async function refuseClosed(
  trx: Trx,
  { applicationId, status }: KybApplication,
  type: KybDocumentType,
): Promise<void> {
  if (!mayChangeDocument(status, await sectionMarks(trx, applicationId), type)) throw cannotChange();
}

async function markChanged(trx: Trx, application: KybApplication): Promise<void> {
  await reopenDocuments(trx, application);
  await touch(trx, application);
}
