/** @file The norm balls a threat is made of: each works on plain coordinates, in units of the scale, and knows nothing of masks or samples. */
import type { Stream } from '../../core/tensor/random.ts';

/** How far coordinate i may still go in the direction of `sign` before it meets the bounds; Infinity without bounds. */
export type Room = (i: number, sign: number) => number;

/** How far apart the bounds of coordinate i are; 1 without bounds. */
export type Reach = (i: number) => number;

/** What is handed to `project` and `ascent` is theirs: the result may be the same array, changed. */
export interface Ball {
  size(u: Float64Array): number;
  /** The point of the ball nearest to u; linf and l2 ignore `room`, l1 and l0 meet it exactly. */
  project(u: Float64Array, eps: number, room: Room): Float64Array;
  /** The u of size alpha with the largest inner product with v; zeros where v is zero. */
  ascent(v: Float64Array, alpha: number, reach: Reach): Float64Array;
  /** n coordinates drawn uniformly from the ball. */
  draw(n: number, eps: number, stream: Stream, reach: Reach): Float64Array;
}

/** A standard exponential variate. */
export const exponential = (stream: Stream): number => -Math.log(1 - stream.uniform());

/** Whether i is among the k largest values of `gain` that are positive; the lower index wins a tie. */
export function largest(gain: Float64Array, k: number): Uint8Array {
  const chosen = new Uint8Array(gain.length);
  if (k <= 0) return chosen;
  const threshold = k >= gain.length ? 0 : gain.slice().sort()[gain.length - k]!;
  let left = k;
  for (let i = 0; i < gain.length; i++) {
    if (gain[i]! > threshold) {
      chosen[i] = 1;
      left--;
    }
  }
  for (let i = 0; i < gain.length && left > 0; i++) {
    if (gain[i]! === threshold && gain[i]! > 0) {
      chosen[i] = 1;
      left--;
    }
  }
  return chosen;
}
