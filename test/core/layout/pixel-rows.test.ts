import * as fc from 'fast-check';
import * as ort from 'onnxruntime-node';
import { describe, expect, it } from 'vitest';
import { overPixelRows } from '../../../src/core/layout/pixel-rows/index.ts';
import { graphBuilder } from '../../../src/core/onnx/builder.ts';
import type { Graph } from '../../../src/core/onnx/graph.ts';
import { inferShapes } from '../../../src/core/onnx/passes/shapes.ts';
import { createRuntime } from '../../../src/core/runtime/runtime.ts';
import { stream } from '../../../src/core/tensor/random.ts';
import { f32, sizeOf } from '../../../src/core/tensor/tensor.ts';
import { largestDifference } from '../autodiff/agreement.ts';

const runtime = createRuntime(ort);
const everything = { positions: 1000, weights: 0 };

const random = stream(7, 'pixel rows');
const normal = (dims: readonly number[]) => f32(Float32Array.from({ length: sizeOf(dims) }, random.normal), dims);

async function rowsOf(graph: Graph, options = everything): Promise<Graph> {
  const shapes = await inferShapes(graph, runtime.execute);
  return overPixelRows(graph, (name) => shapes.get(name)?.dims, options);
}

async function outputsOf(graph: Graph, batch: number, dims: readonly number[]) {
  const many = f32(
    Float32Array.from({ length: batch * sizeOf(dims) }, (_, i) => Math.sin(i)),
    [batch, ...dims],
  );
  return runtime.execute(graph, { x: many });
}

describe('overPixelRows', () => {
  it('gives what the convolution gives, for every kernel, stride, dilation and padding', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.record({
          kernel: fc.tuple(fc.integer({ min: 1, max: 3 }), fc.integer({ min: 1, max: 3 })),
          strides: fc.tuple(fc.integer({ min: 1, max: 2 }), fc.integer({ min: 1, max: 3 })),
          dilations: fc.tuple(fc.integer({ min: 1, max: 2 }), fc.integer({ min: 1, max: 2 })),
          pads: fc.tuple(...[0, 1, 2, 3].map(() => fc.integer({ min: 0, max: 1 }))),
          op: fc.constantFrom('Conv', 'ConvTranspose'),
          bias: fc.boolean(),
        }),
        async ({ kernel, strides, dilations, pads, op, bias }) => {
          const g = graphBuilder();
          const x = g.input('x', ['N', 3, 5, 6]);
          const w = g.constant(normal([op === 'Conv' ? 4 : 3, op === 'Conv' ? 3 : 4, ...kernel]));
          const inputs = bias && op === 'Conv' ? [x, w, g.constant(normal([4]))] : [x, w];
          g.output(g.op(op, inputs, { kernel_shape: kernel, strides, dilations, pads }, 'y'), ['N', 4, null, null]);
          const graph = g.build();
          const rows = await rowsOf(graph);
          expect(rows.nodes.some((n) => n.op === op)).toBe(false);
          const [plain, other] = [await outputsOf(graph, 3, [3, 5, 6]), await outputsOf(rows, 3, [3, 5, 6])];
          expect(other.y!.dims).toEqual(plain.y!.dims);
          expect(largestDifference(other.y!.data as Float32Array, plain.y!.data as Float32Array)).toBeLessThan(1e-5);
        },
      ),
      { numRuns: 60 },
    );
  });

  const chain = (): Graph => {
    const g = graphBuilder();
    const x = g.input('x', ['N', 4, 4, 4]);
    const conv = (value: string, name: string) =>
      g.op('Conv', [value, g.constant(normal([4, 4, 3, 3])), g.constant(normal([4]))], { pads: [1, 1, 1, 1] }, name);
    const inner = g.op('Relu', [conv(x, 'inner')], {}, 'rectified');
    const sum = g.op('Add', [conv(inner, 'outer'), x], {}, 'sum');
    g.output(sum, ['N', 4, 4, 4]);
    g.output(g.op('GlobalAveragePool', [sum], {}, 'mean'), ['N', 4, 1, 1]);
    return g.build();
  };

  it('stays in rows between convolutions, and turns back once for who wants a picture', async () => {
    const graph = chain();
    const rows = await rowsOf(graph);
    expect(rows.nodes.filter((n) => n.op === 'Transpose').length).toBe(2);
    const [plain, other] = [await outputsOf(graph, 2, [4, 4, 4]), await outputsOf(rows, 2, [4, 4, 4])];
    for (const name of ['sum', 'mean'])
      expect(largestDifference(other[name]!.data as Float32Array, plain[name]!.data as Float32Array)).toBeLessThan(1e-4);
  });

  it('gives the same bits for a sample alone and among others', async () => {
    const rows = await rowsOf(chain());
    const [alone, among] = [await outputsOf(rows, 1, [4, 4, 4]), await outputsOf(rows, 7, [4, 4, 4])];
    expect((among.sum!.data as Float32Array).slice(0, 64)).toEqual(alone.sum!.data);
  });

  it('leaves alone what is grouped, large, light, or fed its weights', async () => {
    const g = graphBuilder();
    const x = g.input('x', ['N', 4, 4, 4]);
    const fed = g.input('w', [4, 4, 1, 1]);
    g.output(g.op('Conv', [x, g.constant(normal([4, 1, 3, 3]))], { group: 4 }), ['N', 4, 2, 2]);
    g.output(g.op('Conv', [x, fed]), ['N', 4, 4, 4]);
    const graph = g.build();
    expect(await rowsOf(graph)).toBe(graph);
    const small = chain();
    expect(await rowsOf(small, { positions: 15, weights: 0 })).toBe(small);
    expect(await rowsOf(small, { positions: 16, weights: 145 })).toBe(small);
  });
});
