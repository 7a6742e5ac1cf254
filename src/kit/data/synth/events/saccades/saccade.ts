/** @file Synthetic digits seen in three quick movements of a camera, in the manner of N-MNIST (Orchard et al. 2015). */
import { UserError } from '../../../../../core/errors.ts';
import { stream } from '../../../../../core/tensor/random.ts';
import type { EventStream } from '../../../events/stream.ts';
import { type Camera, film, makeCamera } from '../camera.ts';
import { type Point, paintLimb } from '../canvas.ts';
import { blankStill, drifting } from '../drifting.ts';
import { digitNames, writtenDigit } from './digits.ts';

export interface SaccadeOptions {
  seed?: number;
  /** Width and height of the sensor in pixels. */
  size?: number;
  /** How much the lines are bent, in halves of a digit's height. */
  wobble?: number;
  /** Spontaneous events per second and pixel. */
  noise?: number;
}

export const saccadeDefaults: Required<SaccadeOptions> = { seed: 0, size: 34, wobble: 0.14, noise: 1 };

/** Microseconds of one of the three movements. */
export const saccadeTime = 105_000;

export interface Saccade {
  /** The digit. */
  readonly label: number;
  readonly split: 'train' | 'test';
  readonly events: EventStream;
}

/** Checks the options and fills in defaults. Throws a UserError that names the option. */
export function saccadeSettings(options: SaccadeOptions = {}): Required<SaccadeOptions> {
  const settings = { ...saccadeDefaults, ...options };
  if (settings.size < 16 || settings.size > 128)
    throw new UserError(`saccades are 16 to 128 pixels wide, not ${settings.size}`, 'choose --size 34, as N-MNIST');
  return settings;
}

export const saccadeCamera = ({ seed, size, noise }: Required<SaccadeOptions>): Camera =>
  makeCamera(size, size, stream(seed, 'saccades', 'camera'), { noise });

/** Of every six rounds of the classes one is for testing. */
export const saccadeRounds = 6;

/** Pictures per second; at this pace nothing moves by more than half a pixel of 34. */
const rate = 400;

/** Samples per pixel of what is moved. */
const fineness = 2;

/** Recording `index`: digits take turns; a pure function of the index and the settings. */
export function makeSaccade(index: number, settings: Required<SaccadeOptions>, camera = saccadeCamera(settings)): Saccade {
  const { seed, size, wobble } = settings;
  const label = index % digitNames.length;
  const draw = stream(seed, 'saccades', index);
  const strokes = writtenDigit(label, wobble, draw);
  const height = size * (0.27 + 0.05 * draw.normal());
  const radius = size * (0.03 + 0.022 * draw.uniform());
  const [cx, cy] = [size * (0.5 + 0.04 * draw.normal()), size * (0.5 + 0.04 * draw.normal())];
  const margin = Math.ceil(0.2 * size);
  const [paper, ink] = [0.12 + 0.1 * draw.uniform(), 0.55 + 0.4 * draw.uniform()];
  const still = blankStill(size, margin, fineness, paper);
  const at = ([x, y]: Point): Point => [fineness * (margin + cx + height * x), fineness * (margin + cy + height * y)];
  for (const line of strokes)
    for (let i = 0; i + 1 < line.length; i++) paintLimb(still.canvas, at(line[i]!), at(line[i + 1]!), fineness * radius, ink);
  const corners = cornersOf(size);
  const duration = (3 * saccadeTime) / 1e6;
  const frames = drifting(still, { size, margin, duration, rate, shift: (time) => along(corners, (3 * time) / duration) });
  return {
    label,
    split: Math.floor(index / digitNames.length) % saccadeRounds === saccadeRounds - 1 ? 'test' : 'train',
    events: film(camera, frames, draw.fork('noise')),
  };
}

/** The triangle the scene is moved along, and back to where it began. */
const cornersOf = (size: number): Point[] =>
  [
    [-0.5, -0.5],
    [0, 0.5],
    [0.5, -0.5],
    [-0.5, -0.5],
  ].map(([x, y]): Point => [0.2 * size * x!, 0.2 * size * y!]);

/** Place after so many movements; each begins and ends at rest. */
function along(corners: readonly Point[], moves: number): Point {
  const leg = Math.min(corners.length - 2, Math.floor(moves));
  const share = 0.5 - 0.5 * Math.cos(Math.PI * Math.min(1, moves - leg));
  const [from, to] = [corners[leg]!, corners[leg + 1]!];
  return [from[0] + share * (to[0] - from[0]), from[1] + share * (to[1] - from[1])];
}
