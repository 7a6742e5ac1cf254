/** @file Where the flips of a binary clip lie: how many add and how many delete, and whether they keep together in time and space. */
import { type Stream, stream } from '../../core/tensor/random.ts';

/** Sizes of a clip: steps, channels (polarities), rows, columns. */
export interface ClipShape {
  readonly steps: number;
  readonly channels: number;
  readonly height: number;
  readonly width: number;
}

export interface Flip {
  readonly step: number;
  readonly channel: number;
  readonly y: number;
  readonly x: number;
  /** Whether a pixel was added; otherwise it was deleted. */
  readonly added: boolean;
}

/** The elements in which two clips [T, C, H, W] of zeros and ones differ, in order. Throws where a size does not fit. */
export function flipsBetween(original: Float32Array, changed: Float32Array, shape: ClipShape): Flip[] {
  const { steps, channels, height, width } = shape;
  const n = steps * channels * height * width;
  if (original.length !== n || changed.length !== n)
    throw new Error(
      `clips of ${original.length} and ${changed.length} values do not hold ${steps} x ${channels} x ${height} x ${width}`,
    );
  const flips: Flip[] = [];
  for (let i = 0; i < n; i++) {
    if (original[i] === changed[i]) continue;
    const place = Math.floor(i / width);
    const plane = Math.floor(place / height);
    flips.push({
      step: Math.floor(plane / channels),
      channel: plane % channels,
      y: place % height,
      x: i % width,
      added: changed[i]! > original[i]!,
    });
  }
  return flips;
}

export interface FlipFigures {
  readonly added: number;
  readonly deleted: number;
  /** Flips per step: their variance over their mean. 1 by chance, more where some steps have most of them; null below 2 flips or steps. */
  readonly timeClustering: number | null;
  /** Mean distance to the nearest other flip, steps and polarities laid over each other, over that of as many places drawn at random: 1 by chance, less where they keep together (Clark and Evans 1954). null below 2 flips or pixels. */
  readonly nearestNeighbour: number | null;
  /** Share of added pixels that have an original event beside or on them (8 neighbours, any polarity) in the same step; null where none was added. */
  readonly besideEvents: number | null;
}

/** Draws of as many random places that stand for chance. */
const draws = 32;

/** Figures of the flips of one clip; deterministic. */
export function flipFigures(flips: readonly Flip[], original: Float32Array, shape: ClipShape): FlipFigures {
  const added = flips.filter((flip) => flip.added);
  return {
    added: added.length,
    deleted: flips.length - added.length,
    timeClustering: timeClustering(flips, shape.steps),
    nearestNeighbour:
      flips.length < 2 || shape.height * shape.width < 2 ? null : nearest(flips, shape) / expectedNearest(flips.length, shape),
    besideEvents: added.length === 0 ? null : added.filter((flip) => isBeside(flip, original, shape)).length / added.length,
  };
}

function timeClustering(flips: readonly Flip[], steps: number): number | null {
  if (flips.length < 2 || steps < 2) return null;
  const perStep = new Array<number>(steps).fill(0);
  for (const { step } of flips) perStep[step]!++;
  const mean = flips.length / steps;
  return perStep.reduce((sum, k) => sum + (k - mean) ** 2, 0) / (steps - 1) / mean;
}

type Place = Pick<Flip, 'x' | 'y'>;

/** Mean distance of each place to the nearest other, looked for in growing squares around it. */
function nearest(places: readonly Place[], { height, width }: ClipShape): number {
  const taken = new Uint32Array(height * width);
  for (const { x, y } of places) taken[y * width + x]!++;
  let sum = 0;
  for (const { x, y } of places) {
    let best = taken[y * width + x]! > 1 ? 0 : Number.POSITIVE_INFINITY;
    for (let r = 1; r * r < best && r < Math.max(height, width); r++) {
      for (let v = Math.max(0, y - r); v <= Math.min(height - 1, y + r); v++) {
        const step = Math.abs(v - y) === r ? 1 : 2 * r;
        for (let u = x - r; u <= x + r; u += step)
          if (u >= 0 && u < width && taken[v * width + u]! > 0) best = Math.min(best, (u - x) ** 2 + (v - y) ** 2);
      }
    }
    sum += Math.sqrt(best);
  }
  return sum / places.length;
}

/** By drawing, since the border of so small a frame and places that coincide would bias the formula for the plane. */
function expectedNearest(count: number, shape: ClipShape): number {
  const { height, width } = shape;
  const random: Stream = stream('chance places', count, height, width);
  let sum = 0;
  for (let d = 0; d < draws; d++) {
    const places = Array.from({ length: count }, () => ({ x: random.integer(width), y: random.integer(height) }));
    sum += nearest(places, shape);
  }
  return sum / draws;
}

function isBeside({ step, y, x }: Flip, original: Float32Array, { channels, height, width }: ClipShape): boolean {
  for (let c = 0; c < channels; c++)
    for (let v = Math.max(0, y - 1); v <= Math.min(height - 1, y + 1); v++)
      for (let u = Math.max(0, x - 1); u <= Math.min(width - 1, x + 1); u++)
        if (original[((step * channels + c) * height + v) * width + u] !== 0) return true;
  return false;
}
