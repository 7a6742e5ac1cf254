/** @file Constants and nodes that all forms over pixel rows need. */
import type { GraphBuilder } from '../../onnx/builder.ts';
import { f32, i64, sizeOf, type Tensor } from '../../tensor/tensor.ts';

/** Rows by position (axis 1); position `outside`, one past the last, is a row of zeros. */
export function gatherRows(g: GraphBuilder, rows: string, at: readonly number[], outside: number): string {
  if (at.length === outside && at.every((p, i) => p === i)) return rows;
  const from = at.includes(outside) ? withZeroRow(g, rows) : rows;
  return g.op('Gather', [from, g.constant(i64(at))], { axis: 1 });
}

/** The rows with a row of zeros after the last. */
export const withZeroRow = (g: GraphBuilder, rows: string): string => g.op('Pad', [rows, g.ints([0, 0, 0, 0, 1, 0])]);

/** A float32 constant whose element k is `value(k)`. */
export function matrix(g: GraphBuilder, dims: readonly number[], value: (k: number) => number): string {
  const data = new Float32Array(sizeOf(dims));
  for (let k = 0; k < data.length; k++) data[k] = value(k);
  return g.constant(f32(data, dims) as Tensor);
}
