import { intOf, intsOf, type Node } from '../../../src/core/onnx/graph.ts';
import { type F64, f64, filledBy, type Kernels, offsetOf } from './types.ts';
import { everyIndex, tapAt, type WindowAxis, windowAxes, windowCount } from './windows.ts';

interface Window {
  /** Flat positions of the taps inside the image. */
  readonly inside: readonly number[];
  /** Number of taps inside the image and its stated pads. */
  readonly padded: number;
}

interface Windows {
  readonly dims: readonly number[];
  readonly each: readonly Window[];
}

/** The windows of a node at the sizes it met last: they do not depend on values, and finite differences ask for them again and again. */
const remembered = new WeakMap<Node, { readonly sizes: string; readonly windows: Windows }>();

/** One value per window, computed from the positions it covers. */
function pool(x: F64, node: Node, value: (window: Window) => number): F64 {
  const known = remembered.get(node);
  const windows = known?.sizes === `${x.dims}` ? known.windows : windowsOf(x, node);
  remembered.set(node, { sizes: `${x.dims}`, windows });
  return f64(windows.dims, windows.each.map(value));
}

function windowsOf(x: F64, node: Node): Windows {
  const sizes = x.dims.slice(2);
  const kernel = intsOf(node, 'kernel_shape', sizes);
  const axes = windowAxes(node, sizes, kernel);
  const counts = axes.map((a) => windowCount(a, intOf(node, 'ceil_mode', 0) === 1));
  const dims = [...x.dims.slice(0, 2), ...counts];
  const each: Window[] = [];
  everyIndex(dims, (index) => each.push(windowOf(x, axes, index)));
  return { dims, each };
}

function windowOf(x: F64, axes: readonly WindowAxis[], index: readonly number[]): Window {
  const inside: number[] = [];
  let padded = 0;
  everyIndex(
    axes.map((a) => a.kernel),
    (k) => {
      const at = axes.map((a, i) => tapAt(a, index[i + 2]!, k[i]!));
      if (at.every((v, i) => v < axes[i]!.size + axes[i]!.padEnd)) padded++;
      if (at.every((v, i) => v >= 0 && v < axes[i]!.size)) inside.push(offsetOf(x.dims, [index[0]!, index[1]!, ...at]));
    },
  );
  return { inside, padded };
}

const overSpace = (x: F64, value: (elements: Float64Array) => number): F64 => {
  const dims = [...x.dims.slice(0, 2), ...x.dims.slice(2).map(() => 1)];
  const count = x.data.length / (x.dims[0]! * x.dims[1]!);
  let next = 0;
  return f64(dims, filledBy(dims, () => value(x.data.subarray(next++ * count, next * count))).data);
};

const total = (values: ArrayLike<number>): number => {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += values[i]!;
  return sum;
};
const first = (x: F64, positions: readonly number[]): number =>
  positions.reduce((best, p) => (x.data[p]! > x.data[best]! ? p : best));
const power = (node: Node): number => intOf(node, 'p', 2);

export const pooling: Kernels = {
  MaxPool: ([x], node) => [
    pool(x!, node, ({ inside }) => x!.data[first(x!, inside)]!),
    ...(node.outputs.length > 1 ? [pool(x!, node, ({ inside }) => first(x!, inside))] : []),
  ],
  AveragePool([x], node) {
    const withPads = intOf(node, 'count_include_pad', 0) === 1;
    return [pool(x!, node, ({ inside, padded }) => total(inside.map((p) => x!.data[p]!)) / (withPads ? padded : inside.length))];
  },
  LpPool([x], node) {
    const p = power(node);
    return [pool(x!, node, ({ inside }) => total(inside.map((at) => Math.abs(x!.data[at]!) ** p)) ** (1 / p))];
  },
  GlobalAveragePool: ([x]) => [overSpace(x!, (values) => total(values) / values.length)],
  GlobalMaxPool: ([x]) => [overSpace(x!, (values) => Math.max(...values))],
  GlobalLpPool: ([x], node) => {
    const p = power(node);
    return [overSpace(x!, (values) => total(values.map((v) => Math.abs(v) ** p)) ** (1 / p))];
  },
};
