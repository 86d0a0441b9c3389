import type { Trx } from '../../db/atomically.ts';
import type { KybApplication } from '../../db/kyb-applications.ts';
import { addKybDocument, refuseKybUpload } from '../../db/kyb-documents.ts';
import { Refusal } from '../../domain/errors.ts';
import type { KybDocumentMark } from '../../domain/kyb-document.ts';
import { putDocument, removeDocument } from '../../vault/document-store.ts';
import { createPictureChecker } from '../pictures.ts';
import type { Answer, UploadedFile } from '../route.ts';
import type { Services } from '../services.ts';

// Its process starts with the first file and ends with ours.
const checker = createPictureChecker();

interface Upload {
  readonly mark: KybDocumentMark;
  readonly file: UploadedFile;
}

/**
 * Checks a file by its content, stores it encrypted and its row in the transaction that `once` opens; a refusal
 * leaves nothing in the store. `hold` locks the application. Throws `UNSUPPORTED_MEDIA_TYPE`,
 * `PAYLOAD_TOO_LARGE`, `DOCUMENT_UNREADABLE`, and what `refuseKybUpload` throws.
 */
export async function uploadDocument(
  services: Services,
  { mark, file }: Upload,
  once: (work: (trx: Trx) => Promise<Answer>) => Promise<Answer>,
  hold: (trx: Trx) => Promise<KybApplication>,
): Promise<Answer> {
  const { vault, documents } = services;
  const checked = await checker.check(mark.type === 'PERSON_SELFIE' ? 'FACE' : 'FRONT', file);
  const stored: string[] = [];
  try {
    return await once(async (trx) => {
      const application = await hold(trx);
      await refuseKybUpload(trx, application, mark);
      if (checked instanceof Refusal) throw checked;
      const { subjectKey } = application;
      const put = await putDocument(vault, documents, { subjectKey, content: checked.content });
      stored.push(put.key);
      const { bytes, sha256, key: storeKey } = put;
      const row = { ...mark, mediaType: checked.mediaType, bytes, sha256, storeKey };
      return { status: 201, body: { documentId: await addKybDocument(trx, application, row) } };
    });
  } catch (error) {
    // Only a refusal is sure to have left no row behind; after a broken connection the file may be needed.
    if (error instanceof Refusal) for (const key of stored) await removeDocument(documents, key);
    throw error;
  }
}
