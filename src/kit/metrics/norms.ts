import { balls } from '../threat/lp.ts';
import type { Norm } from '../threat/threat.ts';

/** Size of the change from x0 to x in every norm, in the input's units; computed in float64. */
export function norms(x0: Float32Array, x: Float32Array): Record<Norm, number> {
  if (x0.length !== x.length) throw new Error(`${x0.length} and ${x.length} values cannot be compared`);
  const delta = Float64Array.from(x, (value, i) => value - x0[i]!);
  return { linf: balls.linf.size(delta), l2: balls.l2.size(delta), l1: balls.l1.size(delta), l0: balls.l0.size(delta) };
}

/** The norm of several inputs taken as one long vector, from the norms of each. */
export function jointNorm(norm: Norm, parts: readonly number[]): number {
  if (norm === 'linf') return Math.max(0, ...parts);
  if (norm === 'l2') return Math.hypot(...parts);
  return parts.reduce((sum, part) => sum + part, 0);
}
