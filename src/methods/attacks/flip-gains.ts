/** @file What flips are worth, as a gradient sees it. */
import type { Flipping } from './frame/flipping.ts';

/** By how much each flip that has not been made raises the loss to first order, (1 - 2x) g where values are 0 and 1; 0 for those made or not allowed. */
export function gainsOf({ flip }: Pick<Flipping, 'flip'>, u: Float32Array, gradient: Float32Array): Float64Array {
  const gains = new Float64Array(flip.length);
  for (let i = 0; i < flip.length; i++) gains[i] = u[i] === 0 ? gradient[i]! * flip[i]! : 0;
  return gains;
}

/** The k largest gains above 0, the largest first; the lower index wins a tie. One walk with a heap of k: k is small beside the number of elements. */
export function mostGaining(gains: Float64Array, k: number): number[] {
  const heap: number[] = [];
  /** Whether a leaves before b. */
  const worse = (a: number, b: number): boolean => gains[a]! < gains[b]! || (gains[a] === gains[b] && a > b);
  for (let i = 0; i < gains.length; i++) {
    if (!(gains[i]! > 0)) continue;
    if (heap.length < k) rise(heap, i, worse);
    else if (k > 0 && gains[i]! > gains[heap[0]!]!) sink(heap, i, worse);
  }
  return heap.sort((a, b) => gains[b]! - gains[a]! || a - b);
}

type Before = (a: number, b: number) => boolean;

/** Adds an item to a heap whose root is before all others. */
function rise(heap: number[], item: number, before: Before): void {
  let at = heap.length;
  while (at > 0) {
    const parent = (at - 1) >> 1;
    if (!before(item, heap[parent]!)) break;
    heap[at] = heap[parent]!;
    at = parent;
  }
  heap[at] = item;
}

/** Puts an item in the place of the root. */
function sink(heap: number[], item: number, before: Before): void {
  let at = 0;
  for (;;) {
    let child = 2 * at + 1;
    if (child >= heap.length) break;
    if (child + 1 < heap.length && before(heap[child + 1]!, heap[child]!)) child++;
    if (!before(heap[child]!, item)) break;
    heap[at] = heap[child]!;
    at = child;
  }
  heap[at] = item;
}
