/** @file Rows of maps: [batch, position, channel], and lists of them gathered. */
import type { GraphBuilder } from '../../onnx/builder.ts';
import { i64 } from '../../tensor/tensor.ts';

/** Rows by position (axis 1 of [batch, positions, channels]); -1 is a row of zeros. */
export function gathered(g: GraphBuilder, rows: string, at: Int32Array, positions: number): string {
  return gatheredFrom(g, at.includes(-1) ? withZeroRow(g, rows) : rows, at, positions);
}

/** The rows with a row of zeros after the last. */
export const withZeroRow = (g: GraphBuilder, rows: string): string => g.op('Pad', [rows, g.ints([0, 0, 0, 0, 1, 0])]);

/** Rows by position, where -1 means row `zero`, one of zeros after all others. */
export function gatheredFrom(g: GraphBuilder, rows: string, at: Int32Array, zero: number): string {
  if (at.length === zero && at.every((p, i) => p === i)) return rows;
  return g.op('Gather', [rows, g.constant(i64(Array.from(at, (p) => (p < 0 ? zero : p))))], { axis: 1 });
}

/** [batch * positions, channels] as [batch, positions, channels], and the other way round. */
export const threeAxes = (g: GraphBuilder, flat: string, positions: number, channels: number): string =>
  g.op('Reshape', [flat, g.ints([-1, positions, channels])]);
export const twoAxes = (g: GraphBuilder, rows: string, channels: number): string =>
  g.op('Reshape', [rows, g.ints([-1, channels])]);

/**
 * The sum of rows [batch * positions, channels], per sample first, then over the batch: [channels]. The runtime adds the rows of a matrix one after the
 * other, which is less exact, and sums samples side by side (a step of ResNet-18: 258 to 238 ms).
 */
export function sumOfRows(g: GraphBuilder, flat: string, positions: number, channels: number): string {
  const perSample =
    positions === 1 ? flat : g.op('ReduceSum', [threeAxes(g, flat, positions, channels), g.ints([1])], { keepdims: 0 });
  return g.op('ReduceSum', [perSample, g.ints([0])], { keepdims: 0 });
}
