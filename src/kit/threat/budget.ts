/** @file Whether a saved example keeps its budget, judged on the values as they are read back. */
import type { InputSpec } from '../model/model.ts';
import { boxOf, type PerElement, perElement } from './elements.ts';
import { gridOf } from './grid.ts';
import { balls } from './lp.ts';
import type { Norm, ThreatOptions } from './threat.ts';

/**
 * Why x is not within the budget around x0, or undefined where it is. Values on a grid (uint8, pcm16, binary, levels) are compared in whole steps, exactly.
 * float32: linf <= eps + 1 ulp of the largest |bound| (of the largest |value| without bounds), other norms <= eps (1 + 1e-6) plus that rounding of every
 * changed element. Bounds and mask have no tolerance beyond float32 itself.
 */
export function budgetViolation(spec: InputSpec, options: ThreatOptions, x0: Float32Array, x: Float32Array): string | undefined {
  const { norm, eps } = options;
  const scale = options.scale === undefined ? () => 1 : perElement(spec, options.scale, 'scale');
  const { lower, upper } = boxOf(spec);
  const grid = gridOf(spec);
  const delta = new Float64Array(x.length);
  let changed = 0;
  for (let i = 0; i < x.length; i++) {
    const value = x[i]!;
    if (!Number.isFinite(value)) return `element ${i} is ${value}`;
    if (value === x0[i]) continue;
    if (value < lower(i) || value > upper(i)) return `element ${i} is ${value}, outside [${lower(i)}, ${upper(i)}]`;
    delta[i] = grid === undefined ? value - x0[i]! : (grid.position(i, value) - grid.position(i, x0[i]!)) * grid.step(i);
    if (delta[i] === 0) continue;
    if (options.mask?.[i] === 0) return `element ${i} changed, which the mask forbids`;
    changed++;
  }
  const size = balls[norm].size(delta.map((value, i) => value / scale(i)));
  const rounding = grid === undefined ? ulp(largestValue(spec, x0, x)) / smallest(x.length, scale) : 0;
  const allowed = grid === undefined ? float32Allowance[norm](eps, rounding, changed) : eps * (1 + 1e-9);
  return size <= allowed ? undefined : `its ${norm} size ${size} exceeds the budget ${eps}`;
}

const float32Allowance: Readonly<Record<Norm, (eps: number, rounding: number, changed: number) => number>> = {
  linf: (eps, rounding) => eps + rounding,
  l2: (eps, rounding, changed) => eps * (1 + 1e-6) + rounding * Math.sqrt(changed),
  l1: (eps, rounding, changed) => eps * (1 + 1e-6) + rounding * changed,
  l0: (eps) => eps,
};

/** Distance between a float32 and the next, in the binade of `value`. */
const ulp = (value: number): number => 2 ** (Math.floor(Math.log2(Math.max(Math.abs(value), 2 ** -126))) - 23);

function smallest(n: number, scale: PerElement): number {
  let min = Number.POSITIVE_INFINITY;
  for (let i = 0; i < n; i++) min = Math.min(min, scale(i));
  return min;
}

/** The largest |bound|, or the largest |value| where the input has no bounds. */
function largestValue(spec: InputSpec, x0: Float32Array, x: Float32Array): number {
  const ends = spec.bounds === 'unbounded' ? [x0, x] : [spec.bounds.lower, spec.bounds.upper];
  let max = 0;
  for (const values of ends) {
    for (const value of typeof values === 'number' ? [values] : values) max = Math.max(max, Math.abs(value));
  }
  return max;
}

/** Whether x is within the budget around x0; see `budgetViolation`. */
export const isWithinBudget = (spec: InputSpec, options: ThreatOptions, x0: Float32Array, x: Float32Array): boolean =>
  budgetViolation(spec, options, x0, x) === undefined;
