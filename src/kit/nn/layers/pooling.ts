/** @file Pooling over windows, or over all places. */
import type { Layer, Signal } from '../net.ts';

export interface PoolOptions {
  /** By default the window's own size: windows do not overlap. */
  readonly stride?: number | readonly number[];
  /** Places added before and after each axis; they never win a maximum and count as zeros in an average. */
  readonly padding?: number | readonly number[];
}

const windows =
  (op: 'MaxPool' | 'AveragePool') =>
  (size: number | readonly number[], options: PoolOptions = {}): Layer =>
  ({ g }, x) => {
    const sizes = x.shape.slice(1);
    const each = (value: number | readonly number[]): readonly number[] =>
      typeof value === 'number' ? sizes.map(() => value) : value;
    const [kernel, strides, padding] = [each(size), each(options.stride ?? size), each(options.padding ?? 0)];
    if (kernel.length !== sizes.length) throw new Error(`windows over ${kernel.length} axes were given [${x.shape}]`);
    const shape = sizes.map((n, i) => Math.floor((n + 2 * padding[i]! - kernel[i]!) / strides[i]!) + 1);
    if (shape.some((n) => n < 1)) throw new Error(`a window of [${kernel}] does not fit into [${x.shape}]`);
    const counting = op === 'AveragePool' ? { count_include_pad: 1 } : {};
    const name = g.op(op, [x.name], { kernel_shape: kernel, strides, pads: [...padding, ...padding], ...counting });
    return { name, shape: [x.shape[0]!, ...shape] };
  };

/** The largest value of every window of x [N, C, ...], over one to three axes. */
export const maxPool = windows('MaxPool');

/** The mean of every window of x [N, C, ...], over one to three axes. */
export const averagePool = windows('AveragePool');

/** Axes of the places; without any, a node would take the mean over the batch. */
function places(x: Signal): number[] {
  if (x.shape.length < 2) throw new Error(`[${x.shape}] has channels and no places to pool over`);
  return x.shape.slice(1).map((_, i) => i + 2);
}

/** x [N, C, ...] to the mean over all places, [N, C]; throws where there are none. */
export const globalAverage: Layer = ({ g }, x) => ({
  name: g.op('ReduceMean', [x.name, g.ints(places(x))], { keepdims: 0 }),
  shape: [x.shape[0]!],
});

/** x [N, C, ...] to the largest value of each channel, [N, C]. */
export const globalMax: Layer = ({ g }, x) => {
  const largest = g.op('GlobalMaxPool', [x.name]);
  return { name: g.op('Reshape', [largest, g.ints([-1, x.shape[0]!])]), shape: [x.shape[0]!] };
};

/** x [N, T, C] to its mean over time, [N, C]. */
export const timeAverage: Layer = ({ g }, x) => ({
  name: g.op('ReduceMean', [x.name, g.ints([1])], { keepdims: 0 }),
  shape: x.shape.slice(1),
});
