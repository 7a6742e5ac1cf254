import * as ort from 'onnxruntime-node';
import { describe, expect, it } from 'vitest';
import { affineAsConvolution } from '../../../src/core/layout/channel-affine.ts';
import { graphBuilder } from '../../../src/core/onnx/builder.ts';
import type { Graph } from '../../../src/core/onnx/graph.ts';
import { inferShapes } from '../../../src/core/onnx/passes/shapes.ts';
import { createRuntime } from '../../../src/core/runtime/runtime.ts';
import { stream } from '../../../src/core/tensor/random.ts';
import { f32, sizeOf } from '../../../src/core/tensor/tensor.ts';
import { largestDifference } from '../autodiff/agreement.ts';

const runtime = createRuntime(ort);
const random = stream(11, 'affine');
const normal = (dims: readonly number[]) => f32(Float32Array.from({ length: sizeOf(dims) }, random.normal), dims);

async function affine(graph: Graph): Promise<Graph> {
  const shapes = await inferShapes(graph, runtime.execute);
  return affineAsConvolution(graph, (name) => shapes.get(name)?.dims);
}

/** relu(f x + b) of a convolution, with the order of the operands and the shape of the constants as given. */
function layer(channels: number, constants: readonly number[], swapped = false, kept = false): Graph {
  const g = graphBuilder();
  const x = g.op('Conv', [g.input('x', ['N', 3, 4, 5]), g.constant(normal([channels, 3, 1, 1]))]);
  const [f, b] = [g.constant(normal(constants)), g.constant(normal(constants))];
  const product = g.op('Mul', swapped ? [f, x] : [x, f], {}, 'product');
  if (kept) g.output(product, ['N', channels, 4, 5]);
  g.output(g.op('Relu', [g.op('Add', swapped ? [b, product] : [product, b])], {}, 'y'), ['N', channels, 4, 5]);
  return g.build();
}

describe('affineAsConvolution', () => {
  it.each([
    [[16, 1, 1], false],
    [[1, 32, 1, 1], true],
  ])('makes one convolution of a factor and an offset per channel, constants %j', async (constants, swapped) => {
    const graph = layer(Math.max(...constants), constants, swapped);
    const made = await affine(graph);
    expect(made.nodes.map((n) => n.op)).toEqual(['Conv', 'Conv', 'Relu']);
    const x = normal([2, 3, 4, 5]);
    const [plain, other] = [await runtime.execute(graph, { x }), await runtime.execute(made, { x })];
    expect(largestDifference(other.y!.data as Float32Array, plain.y!.data as Float32Array)).toBeLessThan(2e-6);
  });

  it('keeps a product that somebody else reads', async () => {
    const graph = layer(16, [16, 1, 1], false, true);
    const made = await affine(graph);
    expect(made.nodes.map((n) => n.op)).toEqual(['Conv', 'Conv', 'Add', 'Relu']);
    const x = normal([2, 3, 4, 5]);
    const [plain, other] = [await runtime.execute(graph, { x }), await runtime.execute(made, { x })];
    for (const name of ['product', 'y'])
      expect(largestDifference(other[name]!.data as Float32Array, plain[name]!.data as Float32Array)).toBeLessThan(2e-6);
  });

  it('leaves alone channels that fill no block, factors per pixel, and what is no picture', async () => {
    for (const graph of [layer(12, [12, 1, 1]), layer(16, [16, 4, 5]), layer(16, [1, 1, 1])])
      expect(await affine(graph)).toBe(graph);
    const g = graphBuilder();
    const x = g.input('x', ['N', 16, 4, 5]);
    g.output(g.op('Mul', [g.op('Softmax', [x]), g.constant(normal([16, 1, 1]))], {}, 'y'), ['N', 16, 4, 5]);
    const graph = g.build();
    expect(await affine(graph)).toBe(graph);
  });
});
