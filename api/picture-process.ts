import { inflateSync } from 'node:zlib';
import sharp from 'sharp';

/**
 * The process that decodes what strangers send (onboarding 5). It holds no secrets and no connections; the
 * parent ends it when it takes too long. One request at a time, one answer each.
 */
export interface PictureRequest {
  readonly bytes: Uint8Array;
  readonly mediaType: 'image/jpeg' | 'image/png' | 'application/pdf';
}

export type PictureAnswer =
  | { readonly kind: 'ok'; readonly bytes: Uint8Array }
  /** Too small, too large, or not decodable. */
  | { readonly kind: 'unreadable' }
  /** A PDF that does something when opened, carries files, or hides its content. */
  | { readonly kind: 'active' };

const SHORTEST_SIDE_PIXELS = 300;
const MOST_PIXELS = 40_000_000;
const JPEG_QUALITY = 90;

sharp.cache(false);
sharp.concurrency(1);

process.on('message', (request: PictureRequest) => {
  answer(request)
    .catch((): PictureAnswer => ({ kind: 'unreadable' }))
    .then((result) => process.send?.(result))
    .catch(() => process.exit(1));
});
process.on('disconnect', () => process.exit(0));

async function answer({ bytes, mediaType }: PictureRequest): Promise<PictureAnswer> {
  const content = Buffer.from(bytes);
  if (mediaType === 'application/pdf') return inspectPdf(content);
  return await reencode(content, mediaType);
}

/** Decodes and encodes again, upright: metadata and whatever was hidden in the file stay behind. */
async function reencode(content: Buffer, mediaType: 'image/jpeg' | 'image/png'): Promise<PictureAnswer> {
  const picture = sharp(content, { limitInputPixels: MOST_PIXELS, failOn: 'error' });
  const { width, height } = await picture.metadata();
  if (Math.min(width, height) < SHORTEST_SIDE_PIXELS || width * height > MOST_PIXELS) {
    return { kind: 'unreadable' };
  }
  const upright = picture.rotate();
  const encoded = mediaType === 'image/png' ? upright.png() : upright.jpeg({ quality: JPEG_QUALITY });
  return { kind: 'ok', bytes: await encoded.toBuffer() };
}

// Each word can also be written with its letters as hexadecimal escapes, which are undone before the search.
const ACTIVE_WORDS = /\/(JavaScript|JS|EmbeddedFiles?|OpenAction|Launch|Encrypt)(?![A-Za-z0-9])/;
const STREAM = /stream\r?\n([\s\S]*?)endstream/g;
const MOST_INFLATED_BYTES = 20_000_000;

/**
 * Looks for actions and attachments in the objects of a PDF: those in clear, and those packed into object
 * streams. An encrypted file cannot be looked into and counts as active.
 */
function inspectPdf(content: Buffer): PictureAnswer {
  const text = content.toString('latin1');
  const objects = text.replace(STREAM, 'stream endstream');
  const packed = [...text.matchAll(STREAM)].flatMap((match) => inflated(match[1] ?? ''));
  const active = [objects, ...packed].some((part) => ACTIVE_WORDS.test(withoutEscapes(part)));
  if (active) return { kind: 'active' };
  return /%%EOF/.test(text) ? { kind: 'ok', bytes: content } : { kind: 'unreadable' };
}

function inflated(stream: string): string[] {
  try {
    const bytes = inflateSync(Buffer.from(stream, 'latin1'), { maxOutputLength: MOST_INFLATED_BYTES });
    const text = bytes.toString('latin1');
    // An object stream begins with pairs of object number and offset; a page's drawing does not.
    return /^\s*\d+\s+\d+\s/.test(text) ? [text] : [];
  } catch {
    return [];
  }
}

const withoutEscapes = (text: string): string =>
  text.replace(/#([0-9a-fA-F]{2})/g, (_all, code: string) => String.fromCharCode(Number.parseInt(code, 16)));
