import { intOf, type Node } from '../../../src/core/onnx/graph.ts';
import { axisOf, type F64, f64, filledBy, type Kernel, type Kernels, offsetOf } from './types.ts';

/** The axes a reduction runs over: its second input, or all; none where that is empty and noop_with_empty_axes is set. */
function axesOf(x: F64, axes: F64 | undefined, node: Node): number[] {
  if (axes !== undefined && axes.data.length > 0) return Array.from(axes.data, (a) => axisOf(a, x.dims.length));
  return intOf(node, 'noop_with_empty_axes', 0) === 1 ? [] : x.dims.map((_, i) => i);
}

/** A value per group of elements that share all indices but those of `axes`; the reduced axes are kept. */
export function reduce(x: F64, axes: readonly number[], f: (group: readonly number[]) => number): F64 {
  const kept = x.dims.map((d, axis) => (axes.includes(axis) ? 1 : d));
  const groups = Array.from({ length: kept.reduce((a, b) => a * b, 1) }, (): number[] => []);
  filledBy(x.dims, (index) => {
    const home = offsetOf(
      kept,
      index.map((i, axis) => (axes.includes(axis) ? 0 : i)),
    );
    return groups[home]!.push(x.data[offsetOf(x.dims, index)]!);
  });
  return f64(kept, groups.map(f));
}

const reduction =
  (f: (group: readonly number[]) => number): Kernel =>
  ([x, axesInput], node) => {
    const axes = axesOf(x!, axesInput, node);
    const result = reduce(x!, axes, f);
    if (intOf(node, 'keepdims', 1) === 1) return [result];
    return [
      f64(
        result.dims.filter((_, axis) => !axes.includes(axis)),
        result.data,
      ),
    ];
  };

const sum = (xs: readonly number[]): number => xs.reduce((a, b) => a + b, 0);
const logSumExp = (xs: readonly number[]): number => {
  const top = Math.max(...xs);
  return top + Math.log(sum(xs.map((x) => Math.exp(x - top))));
};

export const reductions: Kernels = {
  ReduceSum: reduction(sum),
  ReduceMean: reduction((xs) => sum(xs) / xs.length),
  ReduceMax: reduction((xs) => Math.max(...xs)),
  ReduceMin: reduction((xs) => Math.min(...xs)),
  ReduceProd: reduction((xs) => xs.reduce((a, b) => a * b, 1)),
  ReduceL1: reduction((xs) => sum(xs.map(Math.abs))),
  ReduceL2: reduction((xs) => Math.hypot(...xs)),
  ReduceLogSum: reduction((xs) => Math.log(sum(xs))),
  ReduceLogSumExp: reduction(logSumExp),
  ReduceSumSquare: reduction((xs) => sum(xs.map((x) => x * x))),
  CumSum: ([x, axisInput], node) => {
    const axis = axisOf(axisInput!.data[0]!, x!.dims.length);
    const [exclusive, reverse] = [intOf(node, 'exclusive', 0) === 1, intOf(node, 'reverse', 0) === 1];
    return [
      filledBy(x!.dims, (index) => {
        const here = index[axis]!;
        let total = 0;
        for (let i = 0; i < x!.dims[axis]!; i++) {
          const counts = reverse ? i > here : i < here;
          if (counts || (i === here && !exclusive)) total += x!.data[offsetOf(x!.dims, index.with(axis, i))]!;
        }
        return total;
      }),
    ];
  },
};
