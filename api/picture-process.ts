import sharp from 'sharp';
import { inspectPdf } from './pdf-inspection.ts';

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
  if (mediaType === 'application/pdf') {
    const verdict = inspectPdf(content);
    return verdict === 'ok' ? { kind: 'ok', bytes } : { kind: verdict };
  }
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
