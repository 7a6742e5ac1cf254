/** @file Directional derivatives of a whole net by central differences of the float64 interpreter. */
import type { Graph } from '../../../src/core/onnx/graph.ts';
import type { Stream } from '../../../src/core/tensor/random.ts';
import type { Tensor } from '../../../src/core/tensor/tensor.ts';
import { interpret } from '../../oracles/interpreter/index.ts';
import { f64, fromTensor } from '../../oracles/interpreter/types.ts';

const dot = (a: ArrayLike<number>, b: ArrayLike<number>): number => Array.from(a).reduce((sum, v, i) => sum + v * b[i]!, 0);

/** Step relative to the inputs' size 1: no unit the input was moved off reaches its kink within it, and float64 rounding is 1e-7 of it. */
const step = 1e-8;

export interface Direction {
  /** |measured - claimed| over |g| |v|. */
  readonly error: number;
  /** <g, v> over |g| |v|: how much of the gradient the direction sees. */
  readonly seen: number;
}

/**
 * c . f along random directions against <g, v>. A plainly random direction is almost orthogonal to any gradient of many elements, so half of the
 * directions are the claimed gradient with each element weighted at random (0..1), which sees most of it.
 */
export function alongDirections(
  graph: Graph,
  at: { readonly x: Tensor; readonly cotangent: Tensor; readonly gradient: readonly number[] },
  random: Stream,
  count: number,
): Direction[] {
  const x = fromTensor(at.x);
  const c = fromTensor(at.cotangent).data;
  const value = (t: number, v: Float64Array): number =>
    dot(
      interpret(graph, {
        [graph.inputs[0]!.name]: f64(
          x.dims,
          x.data.map((xi, i) => xi + t * v[i]!),
        ),
      }).get(graph.outputs[0]!.name)!.data,
      c,
    );
  return Array.from({ length: count }, (_, d) => {
    const drawn = Float64Array.from(at.gradient, (g) => (d % 2 === 0 ? g * random.uniform() : random.normal()));
    const largest = drawn.reduce((most, v) => Math.max(most, Math.abs(v)), 0);
    const v = drawn.map((vi) => vi / largest);
    const measured = (value(step, v) - value(-step, v)) / (2 * step);
    const claimed = dot(v, at.gradient);
    const size = Math.sqrt(dot(v, v)) * Math.sqrt(dot(at.gradient, at.gradient));
    return { error: Math.abs(measured - claimed) / size, seen: Math.abs(claimed) / size };
  });
}
