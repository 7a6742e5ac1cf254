/** @file Bilinear resizing, no smoothing when it shrinks; the picture is stretched, not cropped. The libraries differ in where an output pixel lies in the input. */
import type { Pixels } from './crop.ts';

/** Source coordinate = output index x (input / output): TensorFlow.js's default (no half-pixel centres, no aligned corners). */
export const resizeAsymmetric = (image: Pixels, width: number, height: number): Pixels =>
  bilinear(image, width, height, (i, ratio) => i * ratio);

/** Source coordinate = (index + 1/2) input / output - 1/2: ONNX Resize "half_pixel", torch interpolate(align_corners=False). */
export const resizeCentred = (image: Pixels, width: number, height: number): Pixels =>
  bilinear(image, width, height, (i, ratio) => (i + 0.5) * ratio - 0.5);

type Coordinate = (index: number, ratio: number) => number;

function bilinear(image: Pixels, width: number, height: number, coordinate: Coordinate): Pixels {
  const { channels } = image;
  if (image.width === width && image.height === height) return image;
  const data = new Float32Array(width * height * channels);
  const columns = taps(image.width, width, coordinate);
  const rows = taps(image.height, height, coordinate);
  let at = 0;
  for (const row of rows) {
    for (const column of columns) {
      const corner = (y: number, x: number) => (y * image.width + x) * channels;
      const [a, b] = [corner(row.low, column.low), corner(row.low, column.high)];
      const [c, d] = [corner(row.high, column.low), corner(row.high, column.high)];
      for (let k = 0; k < channels; k++) {
        const top = image.data[a + k]! * (1 - column.share) + image.data[b + k]! * column.share;
        const bottom = image.data[c + k]! * (1 - column.share) + image.data[d + k]! * column.share;
        data[at++] = top * (1 - row.share) + bottom * row.share;
      }
    }
  }
  return { width, height, channels, data };
}

interface Tap {
  readonly low: number;
  readonly high: number;
  /** Weight of `high`. */
  readonly share: number;
}

/** The two neighbours of every output index; beyond the edge the edge is repeated. */
const taps = (input: number, output: number, coordinate: Coordinate): Tap[] =>
  Array.from({ length: output }, (_, i) => {
    const source = Math.min(input - 1, Math.max(0, coordinate(i, input / output)));
    const low = Math.floor(source);
    return { low, high: Math.min(input - 1, low + 1), share: source - low };
  });
