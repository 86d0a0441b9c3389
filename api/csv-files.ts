import { Refusal } from '../domain/errors.ts';
import type { UploadedFile } from './route.ts';

const MEDIA_TYPES = ['text/csv', 'text/plain', 'application/csv', 'application/vnd.ms-excel'];

const utf8 = new TextDecoder('utf-8', { fatal: true });

/** The text of an uploaded CSV file. Throws `UNSUPPORTED_MEDIA_TYPE`. */
export function csvTextOf({ mediaType, bytes }: Pick<UploadedFile, 'mediaType' | 'bytes'>): string {
  const declared = mediaType.split(';', 1)[0]?.trim().toLowerCase() ?? '';
  const text = MEDIA_TYPES.includes(declared) && !bytes.includes(0) ? textOf(bytes) : null;
  if (text !== null) return text;
  throw new Refusal('UNSUPPORTED_MEDIA_TYPE', 'Send the file as CSV in UTF-8, and declare it as text/csv.');
}

function textOf(bytes: Buffer): string | null {
  try {
    return utf8.decode(bytes);
  } catch {
    return null;
  }
}
