import sharp from 'sharp';

export interface Picture {
  readonly name: string;
  readonly mediaType: 'image/jpeg' | 'image/png';
  readonly bytes: Buffer;
}

const WIDTH = 640;
const HEIGHT = 420;

/** Three pictures of coloured noise: large enough for the form (onboarding 5), of nobody. */
export async function drawPictures(): Promise<Record<'face' | 'front' | 'back', Picture>> {
  const jpeg = async (name: string): Promise<Picture> => ({
    name: `${name}.jpg`,
    mediaType: 'image/jpeg',
    bytes: await noise().jpeg({ quality: 70 }).toBuffer(),
  });
  return {
    face: await jpeg('face'),
    front: { name: 'front.png', mediaType: 'image/png', bytes: await noise().png().toBuffer() },
    back: await jpeg('back'),
  };
}

const noise = () =>
  sharp({
    create: {
      width: WIDTH,
      height: HEIGHT,
      channels: 3,
      background: '#808080',
      noise: { type: 'gaussian', mean: 128, sigma: 25 },
    },
  });
