/** @file When two gradients agree: the project's tolerances, in one place, and functions that say in words why not. */

import type { Graph } from '../../../src/core/onnx/graph.ts';
import type { Stream } from '../../../src/core/tensor/random.ts';
import { interpret } from '../../oracles/interpreter/index.ts';
import { type F64, f64 } from '../../oracles/interpreter/types.ts';

type Numbers = ArrayLike<number>;

const norm = (a: Numbers): number => Math.sqrt(Array.from(a).reduce((sum, v) => sum + v * v, 0));
const largest = (a: Numbers): number => Array.from(a).reduce((most, v) => Math.max(most, Math.abs(v)), 0);

/** |a - b| / |b| in L2; 0 when both are exactly zero. */
export function relativeL2(a: Numbers, b: Numbers): number {
  const difference = norm(Array.from(b, (v, i) => a[i]! - v));
  return difference === 0 ? 0 : difference / norm(b);
}

/** Largest |a - b|, NaN if any is. */
export const largestDifference = (a: Numbers, b: Numbers): number =>
  Array.from(b).reduce((most, v, i) => {
    const d = Math.abs(a[i]! - v);
    return d > most || Number.isNaN(d) ? d : most;
  }, 0);

/**
 * Why a float32 gradient is not `expected` (float64), or undefined when it is: relative L2 <= max(2e-6, 1.5 times the error PyTorch's own float32
 * gradient makes on the same input) and elementwise 1e-5 max|g| + 1e-6.
 */
export function disagreement(actual: Numbers, expected: Numbers, float32Error = 0): string | undefined {
  if (actual.length !== expected.length) return `${actual.length} values instead of ${expected.length}`;
  const bound = Math.max(2e-6, 1.5 * float32Error);
  const relative = relativeL2(actual, expected);
  if (!(relative <= bound) && !(largest(expected) === 0 && largest(actual) <= 1e-6))
    return `relative L2 ${relative}, allowed ${bound}`;
  const allowed = 1e-5 * largest(expected) + 1e-6;
  const worst = largestDifference(actual, expected);
  return worst <= allowed ? undefined : `largest difference ${worst}, allowed ${allowed}`;
}

/** Why a float64 value is not `expected` to 1e-10 of its largest element, or undefined when it is. */
export function exactDisagreement(actual: Numbers, expected: Numbers): string | undefined {
  if (actual.length !== expected.length) return `${actual.length} values instead of ${expected.length}`;
  const worst = largestDifference(actual, expected);
  const allowed = 1e-10 * Math.max(largest(expected), 1e-30);
  return worst <= allowed ? undefined : `largest difference ${worst}, allowed ${allowed}`;
}

/** A point, the weights of a scalar function c . f(x), and its gradient as claimed. */
export interface Claim {
  readonly graph: Graph;
  readonly feeds: Readonly<Record<string, F64>>;
  /** Cotangent c by output name. */
  readonly cotangents: Readonly<Record<string, Numbers>>;
  /** J^T c by input name. */
  readonly gradients: Readonly<Record<string, Numbers>>;
}

/**
 * The inner-product test <c, J v> = <J^T c, v>: J v by central differences of the float64 interpreter, J^T c as claimed, over random directions.
 * Says by how much they differ, or undefined when they agree to 1e-5.
 */
export function directionalDisagreement(claim: Claim, random: Stream, directions = 4): string | undefined {
  const { graph, feeds, cotangents, gradients } = claim;
  const wrt = Object.keys(gradients);
  const scale = Math.max(...wrt.map((name) => largest(feeds[name]!.data)), 1e-3);
  const h = 1e-6 * scale;
  const project = (at: Readonly<Record<string, F64>>): number => {
    const values = interpret(graph, at);
    return Object.entries(cotangents).reduce(
      (sum, [name, c]) => sum + values.get(name)!.data.reduce((s, y, i) => s + y * c[i]!, 0),
      0,
    );
  };
  for (let d = 0; d < directions; d++) {
    const v = Object.fromEntries(wrt.map((name) => [name, Float64Array.from(feeds[name]!.data, () => random.normal())]));
    const moved = (t: number) => ({
      ...feeds,
      ...Object.fromEntries(
        wrt.map((name) => [
          name,
          f64(
            feeds[name]!.dims,
            feeds[name]!.data.map((x, i) => x + t * v[name]![i]!),
          ),
        ]),
      ),
    });
    const [up, down] = [project(moved(h)), project(moved(-h))];
    const measured = (up - down) / (2 * h);
    const claimed = wrt.reduce((sum, name) => sum + v[name]!.reduce((s, vi, i) => s + vi * gradients[name]![i]!, 0), 0);
    const size = Math.hypot(...wrt.map((name) => norm(gradients[name]!))) * Math.hypot(...wrt.map((name) => norm(v[name]!)));
    // rounding of the two evaluations, magnified by the division
    const allowed = 1e-5 * size + (1e-14 * Math.max(Math.abs(up), Math.abs(down), 1)) / h;
    if (!(Math.abs(measured - claimed) <= allowed))
      return `directional derivative ${measured}, gradient says ${claimed}, allowed ${allowed}`;
  }
  return undefined;
}
