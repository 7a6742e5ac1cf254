/** @file Directional derivatives of any graph by differences of the float64 interpreter, and whether the point lies at a kink. */
import type { Graph } from '../../../src/core/onnx/graph.ts';
import type { Stream } from '../../../src/core/tensor/random.ts';
import { interpret } from '../../oracles/interpreter/index.ts';
import { type F64, f64 } from '../../oracles/interpreter/types.ts';

type Numbers = ArrayLike<number>;

export interface Directional {
  /** The claimed directional derivative less the measured one, over |g| |v| (over |v| where the claimed gradient is 0). */
  readonly error: number;
  /** Differences to either side, of unequal steps, differ: the function has a kink, a step or a tie here, and no derivative. */
  readonly kink: boolean;
}

export const defaults = {
  directions: 3,
  /** Step relative to the largest input (or 1e-3). */
  step: 1e-6,
  /** A smooth function's one-sided differences disagree by its curvature times the step. */
  kink: 1e-3,
} as const;

const dot = (a: Numbers, b: Numbers): number => Array.from(a).reduce((sum, v, i) => sum + v * b[i]!, 0);
const norm = (a: Numbers): number => Math.sqrt(dot(a, a));
const largest = (a: Numbers): number => Array.from(a).reduce((most, v) => Math.max(most, Math.abs(v)), 0);

/** <c, J v> against <J^T c, v> along random directions v of all inputs that have a claimed gradient; the worst of them. */
export function alongDirections(
  graph: Graph,
  at: {
    readonly feeds: Readonly<Record<string, F64>>;
    /** c by output name. */
    readonly cotangents: Readonly<Record<string, Numbers>>;
    /** J^T c by input name. */
    readonly gradients: Readonly<Record<string, Numbers>>;
  },
  random: Stream,
): Directional {
  const { feeds, cotangents, gradients } = at;
  const wrt = Object.keys(gradients);
  const h = defaults.step * Math.max(...wrt.map((name) => largest(feeds[name]!.data)), 1e-3);
  const value = (point: Readonly<Record<string, F64>>): number => {
    const values = interpret(graph, point);
    return Object.entries(cotangents).reduce((sum, [name, c]) => sum + dot(values.get(name)!.data, c), 0);
  };
  const centre = value(feeds);
  let error = 0;
  let kink = false;
  for (let d = 0; d < defaults.directions; d++) {
    const v = new Map(wrt.map((name) => [name, Float64Array.from(feeds[name]!.data, () => random.normal())]));
    const moved = (t: number): Record<string, F64> => ({
      ...feeds,
      ...Object.fromEntries(
        [...v].map(([name, vs]) => [
          name,
          f64(
            feeds[name]!.dims,
            feeds[name]!.data.map((x, i) => x + t * vs[i]!),
          ),
        ]),
      ),
    });
    const [up, down, near] = [value(moved(h)), value(moved(-h)), value(moved(-h / 3))];
    const measured = (up - down) / (2 * h);
    const claimed = [...v].reduce((sum, [name, vs]) => sum + dot(vs, gradients[name]!), 0);
    const length = Math.hypot(...[...v.values()].map(norm));
    const size = Math.hypot(...wrt.map((name) => norm(gradients[name]!))) * length;
    // what rounding of the evaluations makes of the quotient
    const rounding = (1e-14 * Math.max(Math.abs(up), Math.abs(down), 1)) / h;
    const [right, left, leftNear] = [(up - centre) / h, (centre - down) / h, (centre - near) / (h / 3)];
    const asymmetry = Math.max(Math.abs(right - left), Math.abs(left - leftNear));
    if (!(asymmetry <= defaults.kink * Math.max(size, Math.abs(measured)) + 8 * rounding)) kink = true;
    const excess = Math.abs(measured - claimed) - rounding;
    const relative = excess <= 0 ? 0 : excess / (size === 0 ? length : size);
    if (!(relative <= error)) error = relative;
  }
  return { error, kink };
}
