/** @file In what order elements are to be flipped. */
import type { Stream } from '../../../core/tensor/random.ts';
import type { Flipping } from '../frame/flipping.ts';

/**
 * How much each flip raises what is maximised, to first order. Where it does not, and where there is no gradient, a random number below the smallest of
 * these (or below 1), so that every element has its turn; -1 for what is flipped already or may not flip.
 */
export function ranked(
  { n, flip }: Pick<Flipping, 'n' | 'flip'>,
  u: Float32Array,
  gradient: Float32Array,
  noise: Stream,
): Float64Array {
  const ranks = new Float64Array(n);
  let least = Number.POSITIVE_INFINITY;
  for (let i = 0; i < n; i++) {
    const gain = gradient[i]! * flip[i]!;
    if (u[i] !== 0 || flip[i] === 0) ranks[i] = -1;
    else if (gain > 0) {
      ranks[i] = gain;
      if (gain < least) least = gain;
    }
  }
  if (least === Number.POSITIVE_INFINITY) least = 1;
  for (let i = 0; i < n; i++) if (ranks[i] === 0) ranks[i] = noise.uniform() * least;
  return ranks;
}

/** How much each flip, and each flip changed back, raises what is maximised, to first order; -1 where it does not. */
export function promising({ n, flip }: Pick<Flipping, 'n' | 'flip'>, u: Float32Array, gradient: Float32Array): Float64Array {
  const ranks = new Float64Array(n);
  for (let i = 0; i < n; i++) {
    const gain = u[i] === 0 ? gradient[i]! * flip[i]! : -gradient[i]! * flip[i]!;
    ranks[i] = gain > 0 ? gain : -1;
  }
  return ranks;
}

/** Indices of the k largest values that are at least 0, the largest first; of equal ones the lower index first. */
export function foremost(values: Float64Array, k: number): number[] {
  /** The best so far, the worst of them at the root: every parent comes after its children. */
  const heap = new Int32Array(Math.max(0, Math.min(k, values.length)));
  let size = 0;
  const after = (a: number, b: number): boolean => values[a]! < values[b]! || (values[a]! === values[b]! && a > b);
  const sink = (i: number): void => {
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= size) break;
      if (child + 1 < size && after(heap[child + 1]!, heap[child]!)) child++;
      if (!after(heap[child]!, i)) break;
      heap[at] = heap[child]!;
      at = child;
    }
    heap[at] = i;
  };
  for (let i = 0; i < values.length && k > 0; i++) {
    if (!(values[i]! >= 0)) continue;
    if (size === heap.length) {
      // the lower index came first
      if (values[i]! > values[heap[0]!]!) sink(i);
      continue;
    }
    let at = size++;
    for (let parent = (at - 1) >> 1; at > 0 && after(i, heap[parent]!); parent = (at - 1) >> 1) {
      heap[at] = heap[parent]!;
      at = parent;
    }
    heap[at] = i;
  }
  return Array.from(heap.subarray(0, size)).sort((a, b) => values[b]! - values[a]! || a - b);
}
