/** @file What flips are worth, as a gradient sees it. */
import { largest } from '../../kit/threat/ball.ts';
import type { Flipping } from './frame/flipping.ts';

/** By how much each flip that has not been made raises the loss to first order, (1 - 2x) g where values are 0 and 1; 0 for those made or not allowed. */
export function gainsOf({ flip }: Pick<Flipping, 'flip'>, u: Float32Array, gradient: Float32Array): Float64Array {
  const gains = new Float64Array(flip.length);
  for (let i = 0; i < flip.length; i++) gains[i] = u[i] === 0 ? gradient[i]! * flip[i]! : 0;
  return gains;
}

/** The k largest gains above 0, the largest first; the lower index wins a tie. */
export function mostGaining(gains: Float64Array, k: number): number[] {
  const chosen = largest(gains, Math.min(k, gains.length));
  const found: number[] = [];
  for (let i = 0; i < gains.length; i++) if (chosen[i] === 1 && gains[i]! > 0) found.push(i);
  return found.sort((a, b) => gains[b]! - gains[a]! || a - b);
}
