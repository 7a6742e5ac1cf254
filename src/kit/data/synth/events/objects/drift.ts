/** @file Pictures of shapes moved along a closed path before a simulated event camera, in the manner of CIFAR10-DVS (Li et al. 2017). */
import { UserError } from '../../../../../core/errors.ts';
import { stream } from '../../../../../core/tensor/random.ts';
import type { EventStream } from '../../../events/stream.ts';
import { type Camera, film, makeCamera } from '../camera.ts';
import type { Point } from '../canvas.ts';
import { blankStill, drifting } from '../drifting.ts';
import { brightness, makeScene } from './scene.ts';
import { shapeNames } from './shapes.ts';

export interface ObjectOptions {
  seed?: number;
  /** Width and height of what is filmed, in pixels. */
  size?: number;
  /** Bits of clutter on average. */
  clutter?: number;
  /** Least distance between the colours of shape and ground. */
  contrast?: number;
  /** Spontaneous events per second and pixel. */
  noise?: number;
}

export const objectDefaults: Required<ObjectOptions> = { seed: 0, size: 128, clutter: 2.5, contrast: 0.45, noise: 0.5 };

/** Sizes that the 128 pixels of the format are a multiple of. */
export const objectSizes = [32, 64, 128] as const;

/** Seconds of a recording: one turn along the path. */
const duration = 0.4;

/** A path's corner is this far from the middle, in parts of the picture. */
const reach = 0.06;

export interface DriftingObject {
  readonly label: number;
  /** Number of the recording within its class. */
  readonly number: number;
  readonly events: EventStream;
}

/** Checks the options and fills in defaults. Throws a UserError that names the option. */
export function objectSettings(options: ObjectOptions = {}): Required<ObjectOptions> {
  const settings = { ...objectDefaults, ...options };
  if (!objectSizes.some((size) => size === settings.size))
    throw new UserError(
      `objects are ${objectSizes.join(', ')} pixels wide, not ${settings.size}`,
      'choose --size 32, --size 64 or --size 128',
    );
  return settings;
}

export const objectCamera = ({ seed, size, noise }: Required<ObjectOptions>): Camera =>
  makeCamera(size, size, stream(seed, 'objects', 'camera'), { noise });

/** Recording `index`: classes take turns; a pure function of the index and the settings. */
export function makeObject(index: number, settings: Required<ObjectOptions>, camera = objectCamera(settings)): DriftingObject {
  const { seed, size, clutter, contrast } = settings;
  const label = index % shapeNames.length;
  const scene = makeScene(label, [seed, 'objects', index], { clutter, contrast });
  const draw = stream(seed, 'objects', index, 'course');
  const margin = Math.ceil(reach * size) + 1;
  const grain = 2 / size;
  const still = blankStill(size, margin, 1, 0);
  const { width, values } = still.canvas;
  const place = (sample: number) => grain * (sample - margin) - 1;
  for (let i = 0; i < values.length; i++)
    values[i] = 0.05 + 0.9 * brightness(scene.colourAt(place(i % width), place(Math.floor(i / width)), grain));
  const start = draw.uniform();
  const way = draw.uniform() < 0.5 ? -1 : 1;
  const course = {
    size,
    margin,
    duration,
    rate: (200 * size) / 64,
    shift: (time: number) => diamond(start + (way * time) / duration, reach * size),
  };
  return {
    label,
    number: Math.floor(index / shapeNames.length),
    events: film(camera, drifting(still, course), draw.fork('noise')),
  };
}

/** Place on a diamond after so many turns, at an even pace. */
function diamond(turns: number, radius: number): Point {
  const at = 4 * (turns - Math.floor(turns));
  const side = (value: number) => 1 - Math.abs(2 - (((value % 4) + 4) % 4));
  return [radius * side(at), radius * side(at + 1)];
}
