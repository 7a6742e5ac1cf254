/** @file Runs graphs before and after a pass and compares what they compute. */
import * as ort from 'onnxruntime-node';
import { expect } from 'vitest';
import { feedsOf, type Graph } from '../../../../src/core/onnx/graph.ts';
import { readModel } from '../../../../src/core/onnx/reader.ts';
import { writeModel } from '../../../../src/core/onnx/writer.ts';
import { createRuntime } from '../../../../src/core/runtime/runtime.ts';
import { stream } from '../../../../src/core/tensor/random.ts';
import { f32, numbersOf, sizeOf, type Tensor } from '../../../../src/core/tensor/tensor.ts';

export const runtime = createRuntime(ort);
export const { execute } = runtime;

/** Written to bytes and read again, as a file would be. */
export const throughFile = (graph: Graph): Graph => readModel(writeModel(graph));

/** Standard normal numbers keyed by a name. */
export function normal(dims: readonly number[], ...keys: readonly (string | number)[]): Tensor<'float32'> {
  const s = stream('test', ...keys);
  return f32(
    Float32Array.from({ length: sizeOf(dims) }, () => s.normal()),
    dims,
  );
}

/** Normal numbers for every float input, open sizes set to `batch`. */
export function normalFeeds(graph: Graph, batch = 2): Record<string, Tensor> {
  return Object.fromEntries(
    feedsOf(graph).map((v) => [
      v.name,
      normal(
        v.dims!.map((d) => (typeof d === 'number' ? d : batch)),
        v.name,
      ),
    ]),
  );
}

/** Largest difference over the largest magnitude, output by output; the shapes must agree. */
export async function difference(before: Graph, after: Graph, feeds: Record<string, Tensor>): Promise<number> {
  const [a, b] = [await execute(before, feeds), await execute(after, feeds)];
  let worst = 0;
  for (const { name } of before.outputs) {
    expect(b[name]!.dims, name).toEqual(a[name]!.dims);
    expect(b[name]!.dtype, name).toBe(a[name]!.dtype);
    const [x, y] = [numbersOf(a[name]!), numbersOf(b[name]!)];
    const size = Math.max(...x.map(Math.abs), 1e-30);
    expect(x.every(Number.isFinite)).toBe(true);
    for (const [i, v] of x.entries()) worst = Math.max(worst, Math.abs(v - y[i]!) / size);
  }
  return worst;
}

/** Ops of a graph in order. */
export const opsOf = (graph: Graph): string[] => graph.nodes.map((n) => n.op);
