/** @file Cutting and padding of pictures, in the order and rounding of face-api's own preprocessing (test/fixtures/faces). */
import type { RawImage } from './source.ts';

/** A rectangle in whole pixels: columns x..x+width-1, rows y..y+height-1. */
export interface Box {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** Pixels with any values, interleaved, row-major: what an image is between two roundings. */
export interface Pixels {
  readonly width: number;
  readonly height: number;
  readonly channels: number;
  readonly data: Float32Array;
}

/** The part of an image inside a box that lies wholly in it, as float. */
export function crop(image: RawImage, { x, y, width, height }: Box): Pixels {
  if (x < 0 || y < 0 || width < 1 || height < 1 || x + width > image.width || y + height > image.height) {
    throw new Error(`box ${x},${y} ${width}x${height} leaves the ${image.width}x${image.height} image`);
  }
  const { channels } = image;
  const data = new Float32Array(width * height * channels);
  for (let row = 0; row < height; row++) {
    const from = ((y + row) * image.width + x) * channels;
    data.set(image.data.subarray(from, from + width * channels), row * width * channels);
  }
  return { width, height, channels, data };
}

/** Zero-pads the shorter side to a square: `centred` puts half before (the rest, rounded up, after), otherwise all goes after. */
export function padToSquare(image: Pixels, options: { centred: boolean }): Pixels {
  const { width, height, channels } = image;
  const side = Math.max(width, height);
  if (width === height) return image;
  const difference = Math.abs(width - height);
  const before = options.centred ? difference - Math.round(difference / 2) : 0;
  const [left, top] = width < height ? [before, 0] : [0, before];
  const data = new Float32Array(side * side * channels);
  for (let row = 0; row < height; row++) {
    data.set(image.data.subarray(row * width * channels, (row + 1) * width * channels), ((row + top) * side + left) * channels);
  }
  return { width: side, height: side, channels, data };
}

/** Rounds to bytes (half up) and clips. */
export function toBytes(image: Pixels): RawImage {
  const { width, height, channels } = image;
  if (channels !== 1 && channels !== 3) throw new Error(`an image has 1 or 3 channels, not ${channels}`);
  return {
    kind: 'image',
    width,
    height,
    channels,
    data: Uint8Array.from(image.data, (v) => Math.min(255, Math.max(0, Math.round(v)))),
  };
}

/** The whole of an image as float. */
export const pixelsOf = (image: RawImage): Pixels => crop(image, { x: 0, y: 0, width: image.width, height: image.height });

/** Interleaved values to planes: [height, width, channels] to [channels, height, width], times `scale`. */
export function planes({ width, height, channels, data }: Pixels, scale = 1): Float32Array {
  const size = width * height;
  const out = new Float32Array(data.length);
  for (let i = 0; i < size; i++) for (let k = 0; k < channels; k++) out[k * size + i] = data[i * channels + k]! * scale;
  return out;
}
