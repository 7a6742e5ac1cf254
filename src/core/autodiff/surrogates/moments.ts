/** @file Mean and squared deviations of values as nodes: in two passes, and put together by the formula of Chan, Golub & LeVeque (1979). */
import { elementType } from '../../onnx/dtypes.ts';
import { f32, tensor } from '../../tensor/tensor.ts';
import type { Algebra } from '../algebra.ts';
import type { Scene } from '../rule.ts';

/** How many values; a node's where that depends on the batch. */
type Count = number | string;

/** Of a set of values per place that was not summed over. */
export interface Moments {
  readonly count: Count;
  readonly mean: string;
  /** Sum of squared deviations from the mean; undefined where they are zero. */
  readonly deviations: string | undefined;
}

/**
 * Of `value`, which has the shape of `like`, over the given axes, which are kept with size 1. What rounding left of the first mean is taken out again
 * (the corrected two-pass algorithm), for a long sum of equal values is not a multiple of them; deviations of a constant may so come out just below 0.
 */
export function momentsOf(m: Algebra, scene: Scene, value: string, like: string, axes: readonly number[]): Moments {
  const count = sizeAlong(m, scene, like, axes);
  if (count === 1) return { count, mean: value, deviations: undefined };
  const rank = scene.dims(like).length;
  const areLast = axes.every((axis, i) => axis === rank - axes.length + i);
  if (typeof count !== 'number' || !areLast) return twoPasses(m, value, count, (of) => m.mean(of, axes));
  const { g } = scene;
  const kept = Array.from({ length: rank - axes.length }, () => 0);
  const rows = axes.length === 1 ? value : g.op('Reshape', [value, g.ints([...kept, count])]);
  const { mean, deviations } = twoPasses(m, rows, count, meanOfRows(m, scene, count));
  const back = (of: string): string => (axes.length === 1 ? of : g.op('Reshape', [of, g.ints([...kept, ...axes.map(() => 1)])]));
  return { count, mean: back(mean), deviations: back(deviations) };
}

function twoPasses(m: Algebra, value: string, count: Count, meanOf: (of: string) => string) {
  const mean = meanOf(value);
  const apart = m.sub(value, mean);
  const rest = meanOf(apart);
  const spread = m.sub(meanOf(m.square(apart)), m.square(rest));
  return { count, mean: m.add(mean, rest), deviations: m.mul(spread, count) };
}

/**
 * The mean over the last axis as a matrix product: the runtime's reductions add in an order that depends on where in memory a row begins, and so on how many
 * samples lie before it (measured: rows of 5, 7, 9, 25 and 49 values).
 */
function meanOfRows(m: Algebra, { g }: Scene, size: number): (of: string) => string {
  const weights = new Float64Array(size).fill(1 / size);
  const column = g.constant(m.dtype === 'float64' ? tensor('float64', [size, 1], weights) : f32(weights, [size, 1]));
  return (of) => g.op('MatMul', [of, column]);
}

/** Of two sets together. */
export function together(m: Algebra, a: Moments, b: Moments): Moments {
  const count = plus(m, a.count, b.count);
  const between = m.sub(b.mean, a.mean);
  const terms = [a.deviations, b.deviations].filter((d) => d !== undefined);
  terms.push(m.mul(m.square(between), over(m, times(m, a.count, b.count), count)));
  return {
    count,
    mean: m.add(a.mean, m.mul(between, over(m, b.count, count))),
    deviations: terms.reduce((sum, term) => m.add(sum, term)),
  };
}

/** A deviation of less than this share of max(1, |mean|) is rounding of a constant: one of 0.3 has 3e-8 in float32. */
const rounding = 1e-6;

/** The unbiased standard deviation (n - 1); 1 where there is a single value, or none that differs. */
export function deviationOf(m: Algebra, { g }: Scene, { count, mean, deviations }: Moments): string {
  if (deviations === undefined) return m.number(1);
  const freedom = typeof count === 'number' ? Math.max(count - 1, 1) : g.op('Max', [m.sub(count, 1), m.number(1)]);
  // below 0 the root is NaN, which is above nothing: 1 as well
  const sigma = m.sqrt(m.div(deviations, freedom));
  const least = g.op('Max', [m.mul(m.abs(mean), rounding), m.number(rounding)]);
  return m.where(m.greater(sigma, least), sigma, 1);
}

/** How many elements a value has along the axes. */
function sizeAlong(m: Algebra, scene: Scene, value: string, axes: readonly number[]): Count {
  const dims = scene.dims(value);
  const { g } = scene;
  const open = axes.filter((axis) => dims[axis] === null);
  const known = axes.reduce((size, axis) => size * (dims[axis] ?? 1), 1);
  if (open.length === 0) return known;
  const sizes = g.op('Gather', [scene.shape(value), g.ints(open)]);
  const size = g.op('Cast', [g.op('ReduceProd', [sizes], { keepdims: 1 })], { to: elementType(m.dtype) });
  return known === 1 ? size : m.mul(size, known);
}

const plus = (m: Algebra, a: Count, b: Count): Count => (isKnown(a) && isKnown(b) ? a + b : m.add(a, b));
const times = (m: Algebra, a: Count, b: Count): Count => (isKnown(a) && isKnown(b) ? a * b : m.mul(a, b));
const over = (m: Algebra, a: Count, b: Count): Count => (isKnown(a) && isKnown(b) ? a / b : m.div(a, b));
const isKnown = (count: Count): count is number => typeof count === 'number';
