/** @file What is constant but for steps, and what computes with sizes. */
import { intOf } from '../../../src/core/onnx/graph.ts';
import { axisOf, f64, filledBy, type Kernels, offsetOf } from './types.ts';

/** The nearest whole number, halves to the even one. */
export function roundedEven(x: number): number {
  const low = Math.floor(x);
  if (x - low !== 0.5) return Math.round(x);
  return low % 2 === 0 ? low : low + 1;
}

export const steps: Kernels = {
  Round: ([x]) => [f64(x!.dims, x!.data.map(roundedEven))],
  Hardmax([x], node) {
    const axis = axisOf(intOf(node, 'axis', -1), x!.dims.length);
    const line = (index: readonly number[]): number[] =>
      Array.from({ length: x!.dims[axis]! }, (_, i) => x!.data[offsetOf(x!.dims, index.with(axis, i))]!);
    return [
      filledBy(x!.dims, (index) => {
        const values = line(index);
        return Number(index[axis] === values.indexOf(Math.max(...values)));
      }),
    ];
  },
  Size: ([x]) => [f64([], [x!.data.length])],
  DynamicQuantizeLinear([x]) {
    const [low, high] = [Math.min(0, ...x!.data), Math.max(0, ...x!.data)];
    const scale = (high - low) / 255;
    const byte = (v: number): number => Math.min(Math.max(roundedEven(v), 0), 255);
    const zero = byte(-low / scale);
    return [
      f64(
        x!.dims,
        x!.data.map((v) => Math.min(Math.max(roundedEven(v / scale) + zero, 0), 255)),
      ),
      f64([], [scale]),
      f64([], [zero]),
    ];
  },
};
