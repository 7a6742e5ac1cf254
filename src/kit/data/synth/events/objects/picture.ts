/** @file Still pictures of the ten shapes in the size of CIFAR-10: 32 x 32, three colours, with the sensor's noise. */
import { stream } from '../../../../../core/tensor/random.ts';
import { makeScene } from './scene.ts';
import { shapes } from './shapes.ts';

export interface PictureOptions {
  seed?: number;
  /** Standard deviation of the noise of a pixel, of 255. */
  noise?: number;
  /** Bits of clutter on average. */
  clutter?: number;
  /** Least distance between the colours of shape and ground, of 1 per primary colour. */
  contrast?: number;
}

export const pictureDefaults: Required<PictureOptions> = { seed: 0, noise: 8, clutter: 2, contrast: 0.5 };

export const pictureSide = 32;

/** A picture as CIFAR-10 stores it. */
export interface Picture {
  readonly label: number;
  /** File it belongs to: 0..4 of the five for training, 5 for testing. */
  readonly batch: number;
  /** [3, 32, 32], row-major: all of red, of green, of blue. */
  readonly pixels: Uint8Array;
}

/** Five files for training and one for testing. */
export const pictureBatches = 6;

/** Picture `index`: classes take turns, each round of them goes to the next file; a pure function of the index and the settings. */
export function makePicture(index: number, { seed, noise, clutter, contrast }: Required<PictureOptions>): Picture {
  const label = index % shapes.length;
  const scene = makeScene(label, [seed, 'pictures', index], { clutter, contrast });
  const draw = stream(seed, 'pictures', index, 'noise');
  const plane = pictureSide * pictureSide;
  const pixels = new Uint8Array(3 * plane);
  for (let i = 0; i < plane; i++) {
    const [x, y] = [place(i % pictureSide), place(Math.floor(i / pictureSide))];
    const colour = scene.colourAt(x, y, 2 / pictureSide);
    for (let c = 0; c < 3; c++)
      pixels[c * plane + i] = Math.min(255, Math.max(0, Math.round(255 * colour[c]! + noise * draw.normal())));
  }
  return { label, batch: Math.floor(index / shapes.length) % pictureBatches, pixels };
}

/** Middle of a pixel in the picture's coordinates -1..1. */
const place = (pixel: number): number => (2 * (pixel + 0.5)) / pictureSide - 1;
