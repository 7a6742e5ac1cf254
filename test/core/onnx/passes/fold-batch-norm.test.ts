import { describe, expect, it } from 'vitest';
import { type AttributeInput, float, type GraphBuilder, graphBuilder } from '../../../../src/core/onnx/builder.ts';
import type { Dim, Graph } from '../../../../src/core/onnx/graph.ts';
import { foldBatchNorm } from '../../../../src/core/onnx/passes/fold-batch-norm.ts';
import { inferShapes } from '../../../../src/core/onnx/passes/shapes.ts';
import { f32, tensor } from '../../../../src/core/tensor/tensor.ts';
import { difference, execute, normal, normalFeeds, opsOf } from './compare.ts';

const positive = (n: number, name: string) => f32(normal([n], name).data.map((v) => v * v + 0.1));

function norm(
  g: GraphBuilder,
  x: string,
  channels: number,
  attrs: Record<string, AttributeInput> = { epsilon: float(1e-3) },
): string {
  const parts = ['scale', 'bias', 'mean'].map((n) => g.constant(normal([channels], n)));
  return g.op('BatchNormalization', [x, ...parts, g.constant(positive(channels, 'var'))], attrs);
}

function graphOf(dims: readonly Dim[], write: (g: GraphBuilder, x: string) => string): Graph {
  const g = graphBuilder({ opset: 18 });
  g.op('Identity', [write(g, g.input('x', dims))], {}, 'y');
  g.untypedOutput('y');
  return g.build();
}

const weight = (g: GraphBuilder, name: string, ...dims: number[]): string => g.constant(normal(dims, name));

const folded: Record<string, [Graph, string[]]> = {
  'grouped Conv with bias': [
    graphOf(['N', 4, 5, 5], (g, x) => norm(g, g.op('Conv', [x, weight(g, 'w', 6, 2, 3, 3), weight(g, 'b', 6)], { group: 2 }), 6)),
    ['Conv'],
  ],
  'Conv1D without bias': [graphOf(['N', 4, 9], (g, x) => norm(g, g.op('Conv', [x, weight(g, 'w', 3, 4, 3)]), 3)), ['Conv']],
  'grouped ConvTranspose': [
    graphOf(['N', 4, 5, 5], (g, x) =>
      norm(g, g.op('ConvTranspose', [x, weight(g, 'w', 4, 3, 2, 2)], { group: 2, strides: [2, 2] }), 6),
    ),
    ['ConvTranspose'],
  ],
  'Gemm with alpha, beta and transB': [
    graphOf(['N', 4], (g, x) =>
      norm(g, g.op('Gemm', [x, weight(g, 'w', 3, 4), weight(g, 'b', 3)], { alpha: float(0.5), beta: float(2), transB: 1 }), 3),
    ),
    ['Gemm'],
  ],
  'MatMul and bias': [
    graphOf(['N', 4], (g, x) => norm(g, g.op('Add', [g.op('MatMul', [x, weight(g, 'w', 4, 3)]), weight(g, 'b', 3)]), 3)),
    ['Gemm'],
  ],
  'the scale layer after a normalisation': [
    graphOf(['N', 4, 5, 5], (g, x) => {
      const normal = norm(g, g.op('Conv', [x, weight(g, 'w', 3, 4, 3, 3)]), 3);
      const half = g.op('Sub', [g.op('Div', [normal, g.number(2)]), weight(g, 'd', 3, 1, 1)]);
      return g.op('Add', [g.op('Mul', [weight(g, 's', 1, 3, 1, 1), half]), weight(g, 'o', 3, 1, 1)]);
    }),
    ['Conv'],
  ],
  'a normalisation in front': [graphOf(['N', 4, 5], (g, x) => g.op('Relu', [norm(g, x, 4)])), ['Mul', 'Add', 'Relu']],
  'a normalisation of two axes': [graphOf(['N', 4], (g, x) => norm(g, g.op('Tanh', [x]), 4)), ['Tanh', 'Mul', 'Add']],
  'a convolution that something else reads': [
    graphOf(['N', 4, 5], (g, x) => {
      const conv = g.op('Conv', [x, weight(g, 'w', 3, 4, 1)]);
      return g.op('Add', [conv, norm(g, conv, 3)]);
    }),
    ['Conv', 'Mul', 'Add', 'Add'],
  ],
  'a product of rank 3, whose channels are its rows': [
    graphOf(['N', 3, 4], (g, x) => norm(g, g.op('MatMul', [x, weight(g, 'w', 4, 3)]), 3)),
    ['MatMul', 'Mul', 'Add'],
  ],
  'a product and its bias alone': [
    graphOf(['N', 4], (g, x) => g.op('Add', [g.op('MatMul', [x, weight(g, 'w', 4, 3)]), weight(g, 'b', 3)])),
    ['MatMul', 'Add'],
  ],
  'a map along another axis': [
    graphOf(['N', 3, 3], (g, x) => g.op('Mul', [g.op('Conv', [x, weight(g, 'w', 3, 3, 1)]), weight(g, 's', 3)])),
    ['Conv', 'Mul'],
  ],
};

describe('foldBatchNorm', () => {
  for (const [name, [graph, ops]] of Object.entries(folded)) {
    it(`keeps the result of ${name}`, async () => {
      const after = foldBatchNorm(graph, await inferShapes(graph, execute));
      expect(opsOf(after)).toEqual([...ops, 'Identity']);
      expect(await difference(graph, after, normalFeeds(graph, 3))).toBeLessThan(1e-5);
    });
  }

  it('leaves training mode and computed statistics alone', async () => {
    const training = graphOf([2, 3, 4], (g, x) => {
      const parts = ['s', 'b', 'm'].map((n) => weight(g, n, 3));
      return g.ops('BatchNormalization', [x, ...parts, g.constant(positive(3, 'v'))], 3, { training_mode: 1 })[0]!;
    });
    const computed = graphOf([2, 3, 4], (g, x) => {
      const scale = g.op('ReduceMean', [x, g.ints([0, 2])], { keepdims: 0 });
      return g.op('BatchNormalization', [x, scale, weight(g, 'b', 3), weight(g, 'm', 3), g.constant(positive(3, 'v'))]);
    });
    for (const graph of [training, computed]) {
      expect(opsOf(foldBatchNorm(graph, await inferShapes(graph, execute)))).toContain('BatchNormalization');
    }
  });

  it('rounds a float64 model only in float64', async () => {
    const g = graphBuilder({ opset: 18 });
    const f64 = (values: number[], dims = [values.length]) => g.constant(tensor('float64', dims, Float64Array.from(values)));
    const product = g.op('Gemm', [g.input('x', [1, 2], 'float64'), f64([1 / 3, 0.1, 0.7, 1e-9], [2, 2])]);
    g.op('BatchNormalization', [product, f64([1.1, 3]), f64([0.2, 5]), f64([0.3, 7]), f64([0.9, 11])], {}, 'y');
    g.untypedOutput('y');
    const graph = g.build();
    const after = foldBatchNorm(graph, await inferShapes(graph, execute));
    expect(opsOf(after)).toEqual(['Gemm']);
    const feeds = { x: tensor('float64', [1, 2], Float64Array.of(0.3, -2)) };
    const eps = Math.fround(1e-5);
    const want = [((0.3 / 3 - 1.4 - 0.3) / Math.sqrt(0.9 + eps)) * 1.1 + 0.2, ((0.03 - 2e-9 - 7) / Math.sqrt(11 + eps)) * 3 + 5];
    const { y } = await execute(after, feeds);
    for (const [i, v] of want.entries()) expect(Math.abs((y!.data as Float64Array)[i]! / v - 1)).toBeLessThan(1e-9);
  });
});
