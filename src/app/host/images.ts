/** @file Image files by sharp: to bytes 0..255 and back. */
import sharp from 'sharp';
import type { RawImage } from '../../kit/data/source.ts';

/**
 * Decodes PNG, JPEG, WebP, TIFF, GIF (first picture) or AVIF to 8-bit grey or RGB: rotated as EXIF says, colour profiles ignored, 16 bits cut
 * to 8. Rejects with a sentence for what cannot be decoded and for transparent pixels, whose colour nobody has stated.
 */
export async function decodeImage(bytes: Uint8Array): Promise<RawImage> {
  const { data, info } = await pixels(bytes);
  const { width, height, channels } = info;
  const colours = channels < 3 ? 1 : 3;
  if (channels === colours) return { kind: 'image', width, height, channels: colours, data };
  const opaque = new Uint8Array(width * height * colours);
  for (let i = 0; i < width * height; i++) {
    const from = i * channels;
    if (data[from + colours] !== 255) throw new Error('it has transparent pixels: flatten it onto a background first');
    for (let k = 0; k < colours; k++) opaque[i * colours + k] = data[from + k]!;
  }
  return { kind: 'image', width, height, channels: colours, data: opaque };
}

async function pixels(bytes: Uint8Array) {
  try {
    const image = sharp(bytes, { failOn: 'error', ignoreIcc: true }).autoOrient();
    const { space, depth } = await sharp(bytes).metadata();
    const deep = depth === 'ushort';
    const grey = space === 'b-w' || space === 'grey16';
    const target = grey ? (deep ? 'grey16' : 'b-w') : deep ? 'rgb16' : 'srgb';
    const raw = image.toColourspace(target).raw({ depth: deep ? 'ushort' : 'uchar' });
    const { data, info } = await raw.toBuffer({ resolveWithObject: true });
    return { data: deep ? highBytes(data) : data, info };
  } catch (cause) {
    throw new Error(`it is not a readable image: ${(cause as Error).message.split('\n').join(' ').trim()}`, { cause });
  }
}

/** The upper half of little-endian 16-bit values. */
const highBytes = (data: Uint8Array): Uint8Array => Uint8Array.from({ length: data.length / 2 }, (_, i) => data[2 * i + 1]!);

/** A lossless PNG of a grey or RGB image. */
export async function encodePng({ width, height, channels, data }: RawImage): Promise<Uint8Array> {
  const image = sharp(data, { raw: { width, height, channels } });
  return await (channels === 1 ? image.toColourspace('b-w') : image).png().toBuffer();
}
