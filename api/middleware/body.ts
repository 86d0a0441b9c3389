import { isAscii } from 'node:buffer';
import { IncomingMessage } from 'node:http';
import { invalid, Refusal } from '../../domain/errors.ts';
import type { Exchange } from '../exchange.ts';
import type { UploadedFile } from '../route.ts';

const tooLarge = (): Refusal => new Refusal('PAYLOAD_TOO_LARGE', 'The request body is too large.');

/** Refuses by the declared length alone, before anything is read (channels 2, step 1). */
export function checkDeclaredLength({ header }: Exchange, maxBytes: number): void {
  const declared = header('content-length');
  if (declared !== null && Number(declared) > maxBytes) throw tooLarge();
}

/**
 * Refuses a body of another type before it is read. Without a type it is read first: it may be empty. Throws
 * `UNSUPPORTED_MEDIA_TYPE`.
 */
export function checkContentType({ header, method }: Exchange, multipart: boolean): void {
  const contentType = header('content-type');
  const announced = Number(header('content-length') ?? 0) > 0 || header('transfer-encoding') !== null;
  if (!announced || contentType === null || method === 'GET') return;
  if (!(multipart ? FORM : JSON_TYPE).test(contentType)) throw unsupported(multipart);
}

/** The body's bytes, counted while they are read. Throws `PAYLOAD_TOO_LARGE`. */
export async function readBody({ method, source }: Exchange, maxBytes: number): Promise<Buffer> {
  if (method === 'GET' || source === null) return Buffer.alloc(0);
  return source instanceof IncomingMessage
    ? await readIncoming(source, maxBytes)
    : await readStream(source, maxBytes);
}

const incomplete = (): Refusal =>
  new Refusal('MALFORMED_JSON', 'The request ended before its body was complete.');

/** What is not read is left to the listener: destroying the request would take the answer's connection along. */
const readIncoming = (incoming: IncomingMessage, maxBytes: number): Promise<Buffer> =>
  new Promise((resolve, reject) => {
    if (incoming.destroyed) {
      reject(incomplete());
      return;
    }
    const chunks: Buffer[] = [];
    let bytes = 0;
    const finish = (): void => {
      incoming.off('data', onData).off('end', onEnd).off('error', onBreak).off('close', onBreak);
    };
    const onData = (chunk: Buffer): void => {
      bytes += chunk.length;
      chunks.push(chunk);
      if (bytes <= maxBytes) return;
      finish();
      incoming.pause();
      reject(tooLarge());
    };
    const onEnd = (): void => {
      finish();
      resolve(chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks));
    };
    const onBreak = (): void => {
      finish();
      reject(incomplete());
    };
    incoming.on('data', onData).on('end', onEnd).on('error', onBreak).on('close', onBreak);
  });

async function readStream(source: ReadableStream<Uint8Array>, maxBytes: number): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of source) {
    bytes += chunk.length;
    if (bytes > maxBytes) throw tooLarge();
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

const JSON_TYPE = /^application\/json\s*(;\s*charset\s*=\s*"?utf-8"?\s*)?$/i;
const FORM = /^multipart\/form-data\s*;.*boundary=/i;

const unsupported = (multipart: boolean): Refusal =>
  new Refusal(
    'UNSUPPORTED_MEDIA_TYPE',
    multipart ? 'Send the body as multipart/form-data.' : 'Send the body as application/json in UTF-8.',
  );

const utf8 = new TextDecoder('utf-8', { fatal: true });

/** A JSON body; undefined when there is none. Throws `UNSUPPORTED_MEDIA_TYPE`, `MALFORMED_JSON`. */
export function parseJson(raw: Buffer, contentType: string | undefined): unknown {
  if (raw.length === 0) return undefined;
  if (!JSON_TYPE.test(contentType ?? '')) throw unsupported(false);
  try {
    // Most bodies are ASCII, which needs no decoder.
    return JSON.parse(isAscii(raw) ? raw.toString('latin1') : utf8.decode(raw));
  } catch {
    throw new Refusal('MALFORMED_JSON', 'The request body is not valid JSON in UTF-8.');
  }
}

/** A multipart form as an object of texts and files. Throws as `parseJson`. */
export async function parseForm(
  raw: Buffer,
  contentType: string | undefined,
): Promise<Record<string, string | UploadedFile>> {
  if (!FORM.test(contentType ?? '')) throw unsupported(true);
  let form: FormData;
  try {
    form = await new Response(new Uint8Array(raw), {
      headers: { 'content-type': contentType as string },
    }).formData();
  } catch {
    throw new Refusal('MALFORMED_JSON', 'The request body is not a valid multipart form.');
  }
  const fields: Record<string, string | UploadedFile> = Object.create(null) as Record<
    string,
    string | UploadedFile
  >;
  for (const [name, value] of form.entries()) {
    if (name in fields) throw invalid([{ field: name.slice(0, 64), message: 'must be sent once' }]);
    fields[name] = typeof value === 'string' ? value : await toFile(value);
  }
  return { ...fields };
}

const toFile = async (value: File): Promise<UploadedFile> => ({
  fileName: value.name,
  mediaType: value.type,
  bytes: Buffer.from(await value.arrayBuffer()),
});
