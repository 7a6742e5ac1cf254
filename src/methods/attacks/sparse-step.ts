/** @file A gradient step that leaves only so many elements changed: those that could do most for the loss, not those that happen to have moved farthest. */
import { largest } from '../../kit/threat/ball.ts';
import type { Joint } from './frame/joint.ts';

/** Share of the past in the mean gradient by which elements are judged. */
const memory = 0.9;

interface SparseStep {
  readonly u: Float32Array;
  readonly gradient: Float32Array;
  readonly direction: Float64Array;
  readonly known: boolean;
  readonly share: number;
  readonly count: number;
}

/**
 * A walk in l0. Every call goes on from u in `direction` (an ascent by the element's width squared, as unitAscent gives it) so far that the element that
 * moves most crosses `share` of its width, clips into the box, and puts back all but the `count` most promising elements. Promise is |mean gradient| times
 * the room left and taken in its direction, which on a linear model ranks elements rightly wherever they are; without bounds the room is a width,
 * or how far the element has already come. The mean over past steps keeps the choice from jumping where the gradient does. A direction that is
 * noise (`known` is false) is followed for one step and forgotten.
 */
export function sparseWalk({ n, low, high }: Pick<Joint, 'n' | 'low' | 'high'>, widths: Float64Array) {
  const mean = new Float64Array(n);
  const promise = new Float64Array(n);
  return ({ u, gradient, direction, known, share, count }: SparseStep): Float32Array => {
    let farthest = 0;
    for (let i = 0; i < n; i++) if (widths[i] !== 0) farthest = Math.max(farthest, Math.abs(direction[i]! / widths[i]!));
    const length = farthest === 0 ? 0 : share / farthest;
    const next = new Float32Array(n);
    for (let i = 0; i < n; i++) {
      const moved = u[i]! + length * direction[i]!;
      const inside = moved > high[i]! ? high[i]! : moved < low[i]! ? low[i]! : moved;
      if (known) mean[i] = memory * mean[i]! + (1 - memory) * gradient[i]!;
      const slope = known ? mean[i]! : direction[i]!;
      const sign = slope > 0 ? 1 : -1;
      next[i] = inside;
      promise[i] = sign * slope * Math.min(sign > 0 ? high[i]! : -low[i]!, Math.max(widths[i]!, sign * inside));
    }
    const kept = largest(promise, count);
    for (let i = 0; i < n; i++) if (kept[i] === 0) next[i] = 0;
    return next;
  };
}

/** How many elements must cross the room in their gradient's direction to gain `gap` of the loss to first order; 1 where all of them do not gain so much. */
export function fewestFor(
  gap: number,
  gradient: Float32Array,
  { low, high }: Pick<Joint, 'low' | 'high'>,
  widths: Float64Array,
): number {
  const gains = Float64Array.from(gradient, (g, i) => Math.abs(g) * Math.min(g > 0 ? high[i]! : -low[i]!, widths[i]!)).sort();
  let sum = 0;
  for (let i = gains.length - 1; i >= 0; i--) {
    sum += gains[i]!;
    if (sum > gap) return gains.length - i;
  }
  return 1;
}
