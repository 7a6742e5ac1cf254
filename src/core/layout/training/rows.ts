/** @file Rows of maps: [batch, position, channel], and lists of them gathered. */
import type { GraphBuilder } from '../../onnx/builder.ts';
import { gatherRows, rowsAt } from '../pixel-rows/rows.ts';

const placed = (at: Int32Array, zero: number): number[] => Array.from(at, (p) => (p < 0 ? zero : p));

/** Rows by position (axis 1 of [batch, positions, channels]); -1 is a row of zeros. */
export const gathered = (g: GraphBuilder, rows: string, at: Int32Array, positions: number): string =>
  gatherRows(g, rows, placed(at, positions), positions);

/** Rows by position, where -1 means row `zero`, one of zeros after all others. */
export const gatheredFrom = (g: GraphBuilder, rows: string, at: Int32Array, zero: number): string =>
  rowsAt(g, rows, placed(at, zero), zero);

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
