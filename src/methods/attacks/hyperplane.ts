/** @file The smallest change, in linf, l2 or l1, that brings a point of a box onto a hyperplane without leaving the box. */
import type { Norm } from '../../kit/threat/threat.ts';

/** Where each element may go: low <= high, infinite where there is no bound, equal where the element may not move. */
export interface Box {
  readonly low: Float32Array;
  readonly high: Float32Array;
}

export type FlatNorm = Exclude<Norm, 'l0'>;

/** A change d. */
export interface Move {
  readonly d: Float64Array;
  /** The norm of d. */
  readonly size: number;
  /** Whether the hyperplane is reached; where the box is too small for that, d goes as near as the box allows. */
  readonly whole: boolean;
}

/**
 * The d of smallest norm with <w, d> = gap and low <= u + d <= high, for a u inside the box: the projections of Croce and Hein 2020 (FAB), section 3.
 * linf and l2: every element moves min(lambda v_i, room_i), v_i being 1 or |w_i|, and lambda is found exactly by Newton's method on a concave
 * piecewise linear function; each walk over what is not yet at its bound lowers (what is left) x (slope) at least fourfold, so their number is bounded
 * by the range of the numbers, not by n. l1: elements move to their bounds in the order of |w_i|, the last one as far as needed; the order
 * is found by bisection on the bits of |w_i|, at most 31 walks. Ties go to the lower index.
 */
export function moveOnto(norm: FlatNorm, u: Float32Array, w: Float32Array, gap: number, box: Box): Move {
  const { d, room } = roomsOf(u, w, gap, box);
  if (norm === 'l1') return greedy(w, Math.abs(gap), room, d);
  const lambda = waterLevel(norm, w, Math.abs(gap), room);
  let sum = 0;
  let most = 0;
  for (let i = 0; i < d.length; i++) {
    const size = room[i] === 0 ? 0 : Math.min(room[i]!, norm === 'l2' ? lambda * Math.abs(w[i]!) : lambda);
    d[i]! *= size;
    sum += size * size;
    if (size > most) most = size;
  }
  return { d, size: norm === 'l2' ? Math.sqrt(sum) : most, whole: lambda < Number.POSITIVE_INFINITY };
}

/** The size of the smallest d with <w, d> = gap where there are no bounds: |gap| over the dual norm of w; infinite for w = 0. */
export function distanceTo(norm: FlatNorm, w: Float32Array, gap: number): number {
  let total = 0;
  let most = 0;
  for (let i = 0; i < w.length; i++) {
    const a = Math.abs(w[i]!);
    total += norm === 'l2' ? a * a : a;
    if (a > most) most = a;
  }
  if (most === 0) return Number.POSITIVE_INFINITY;
  return Math.abs(gap) / (norm === 'l1' ? most : norm === 'l2' ? Math.sqrt(total) : total);
}

/** The share of a gap that counts as rounding: elements of next to no slope must not move far for it. */
const noise = 1e-12;

/** The helpful direction of each element, and how far it may go that way: 0 where w is 0. */
function roomsOf(u: Float32Array, w: Float32Array, gap: number, { low, high }: Box) {
  const d = new Float64Array(u.length);
  const room = new Float64Array(u.length);
  for (let i = 0; i < u.length; i++) {
    const slope = w[i]! * gap;
    if (slope === 0) continue;
    const up = w[i]! > 0 === gap > 0;
    d[i] = up ? 1 : -1;
    room[i] = Math.max(0, up ? high[i]! - u[i]! : u[i]! - low[i]!);
  }
  return { d, room };
}

/** The lambda with sum |w_i| min(lambda v_i, room_i) = gap; Infinity where all room is not enough. */
function waterLevel(norm: 'linf' | 'l2', w: Float32Array, gap: number, room: Float64Array): number {
  const rate = new Float64Array(w.length);
  const limit = new Float64Array(w.length);
  let active = 0;
  let slope = 0;
  for (let i = 0; i < w.length; i++) {
    if (room[i] === 0) continue;
    const a = Math.abs(w[i]!);
    rate[active] = norm === 'l2' ? a * a : a;
    limit[active] = norm === 'l2' ? room[i]! / a : room[i]!;
    slope += rate[active++]!;
  }
  let full = 0;
  let lambda = 0;
  for (;;) {
    if (gap - full - slope * lambda <= noise * gap) return lambda;
    if (active === 0) return Number.POSITIVE_INFINITY;
    lambda = (gap - full) / slope;
    let kept = 0;
    slope = 0;
    for (let i = 0; i < active; i++) {
      if (limit[i]! <= lambda) {
        full += rate[i]! * limit[i]!;
        continue;
      }
      rate[kept] = rate[i]!;
      limit[kept] = limit[i]!;
      slope += rate[kept++]!;
    }
    if (kept === active) return lambda;
    active = kept;
  }
}

/** The l1 move: elements go to their bounds in the order of |w_i|. `d` holds the directions and receives the move. */
function greedy(w: Float32Array, gap: number, room: Float64Array, d: Float64Array): Move {
  const { rank, full, last } = lastInOrder(w, gap, room);
  let left = gap - full;
  let size = 0;
  for (let i = 0; i < d.length; i++) {
    let length = 0;
    if (rank[i]! > last) length = room[i]!;
    else if (rank[i] === last && left > noise * gap) {
      const steep = Math.abs(w[i]!);
      length = Math.min(room[i]!, left / steep);
      left -= length * steep;
    }
    d[i]! *= length;
    size += length;
  }
  return { d, size, whole: left <= noise * gap };
}

/** The |w_i| at which the gap is closed, as bits: those above it are at their bounds, and close `full` of the gap. */
function lastInOrder(w: Float32Array, gap: number, room: Float64Array) {
  const steep = w.map(Math.abs);
  // the bits of positive float32 numbers are in the order of the numbers
  const rank = new Uint32Array(steep.buffer);
  const open = new Int32Array(w.length);
  let count = 0;
  for (let i = 0; i < w.length; i++) if (room[i] !== 0) open[count++] = i;
  let full = 0;
  let [last, most] = [1, 0x7f7fffff];
  while (last < most) {
    const middle = Math.floor((last + most) / 2);
    let gain = 0;
    for (let k = 0; k < count; k++) {
      const i = open[k]!;
      if (rank[i]! > middle) gain += steep[i]! * room[i]!;
    }
    const fits = full + gain < gap * (1 - noise);
    if (fits) [full, most] = [full + gain, middle];
    else last = middle + 1;
    let kept = 0;
    for (let k = 0; k < count; k++) if (rank[open[k]!]! > middle !== fits) open[kept++] = open[k]!;
    count = kept;
  }
  return { rank, full, last };
}
