import sharp from 'sharp';

interface Size {
  readonly width: number;
  readonly height: number;
}

/** A picture with enough noise to have the bytes of a photograph. */
const noise = ({ width, height }: Size) =>
  sharp({
    create: {
      width,
      height,
      channels: 3,
      background: '#000',
      noise: { type: 'gaussian', mean: 128, sigma: 40 },
    },
  });

/** A JPEG whose metadata holds `secret`. */
export const aJpeg = (size: Size = { width: 640, height: 480 }, secret = 'made by nobody'): Promise<Buffer> =>
  noise(size)
    .withExif({ IFD0: { Copyright: secret } })
    .jpeg({ quality: 95 })
    .toBuffer();

/** A JPEG of one colour: many pixels in few bytes. */
export const aFlatJpeg = ({ width, height }: Size): Promise<Buffer> =>
  sharp({ create: { width, height, channels: 3, background: '#888' } })
    .jpeg()
    .toBuffer();

/** A PNG. */
export const aPng = (size: Size = { width: 400, height: 400 }): Promise<Buffer> =>
  noise(size).png().toBuffer();

/** A PDF of more than ten thousand bytes with `object` in it. */
export const aPdf = (object = '<< /Type /Catalog >>'): Buffer =>
  Buffer.from(`%PDF-1.4\n%${'x'.repeat(12_000)}\n1 0 obj ${object} endobj\n%%EOF\n`, 'latin1');

/** A file part of a form. */
export const aFile = (content: Buffer, type = 'image/jpeg'): Blob =>
  new Blob([new Uint8Array(content)], { type });
