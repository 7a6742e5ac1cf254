/** @file Constants and nodes that all forms over pixel rows need. */
import type { GraphBuilder } from '../../onnx/builder.ts';
import { f32, i64, sizeOf, type Tensor } from '../../tensor/tensor.ts';

/** Rows by position (axis 1); position `outside`, one past the last, is a row of zeros. */
export const gatherRows = (g: GraphBuilder, rows: string, at: readonly number[], outside: number): string =>
  rowsAt(g, at.includes(outside) ? withZeroRow(g, rows) : rows, at, outside);

/** Rows by position, of `count` and what stands behind them. */
export function rowsAt(g: GraphBuilder, rows: string, at: readonly number[], count: number): string {
  if (at.length === count && at.every((p, i) => p === i)) return rows;
  return g.op('Gather', [rows, g.constant(i64(at))], { axis: 1 });
}

/** The rows with a row of zeros after the last. */
export const withZeroRow = (g: GraphBuilder, rows: string): string => g.op('Pad', [rows, g.ints([0, 0, 0, 0, 1, 0])]);

/** A float32 constant whose element k is `value(k)`. */
export function matrix(g: GraphBuilder, dims: readonly number[], value: (k: number) => number): string {
  const data = new Float32Array(sizeOf(dims));
  for (let k = 0; k < data.length; k++) data[k] = value(k);
  return g.constant(f32(data, dims) as Tensor);
}
