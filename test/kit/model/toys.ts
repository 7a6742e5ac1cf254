/** @file Small models for the tests of this folder, with weights from a fixed random stream. */
import { graphBuilder } from '../../../src/core/onnx/builder.ts';
import type { Dim, Graph } from '../../../src/core/onnx/graph.ts';
import { stream } from '../../../src/core/tensor/random.ts';
import { f32, sizeOf } from '../../../src/core/tensor/tensor.ts';
import type { InputSpec, Inputs, Model } from '../../../src/kit/model/model.ts';

export const weights = (name: string, dims: readonly number[], scale = 0.3) => {
  const random = stream('toy', name);
  return f32(
    Float32Array.from({ length: sizeOf(dims) }, () => scale * random.normal()),
    dims,
  );
};

export const features = (shape: readonly number[], layout = 'NC', over: Partial<InputSpec> = {}): InputSpec => ({
  shape,
  layout,
  dtype: 'float32',
  modality: 'features',
  unit: 'feature value',
  role: 'attacked',
  domain: 'continuous',
  bounds: 'unbounded',
  storage: 'float32',
  ...over,
});

export const modelOf = (graph: Graph, inputs: Record<string, InputSpec>, classes: number, over: Partial<Model> = {}): Model => ({
  name: 'toy',
  graph,
  inputs,
  classes: Array.from({ length: classes }, (_, c) => `class ${c}`),
  output: { name: 'logits', kind: 'logits' },
  coupling: 'none',
  inferred: [],
  sha256: 'toy',
  ...over,
});

export const noise = (count: number, inputs: Readonly<Record<string, readonly number[]>>): Inputs[] =>
  Array.from({ length: count }, (_, n) =>
    Object.fromEntries(
      Object.entries(inputs).map(([name, shape]) => [name, weights(`sample ${n} ${name}`, shape, 1).data as Float32Array]),
    ),
  );

/** tanh(x W + b) V: smooth, `depth` wide, 5 features, 3 classes. */
export function perceptron(batch: Dim = 'N'): Graph {
  const g = graphBuilder();
  const x = g.input('x', [batch, 5]);
  const hidden = g.op('Tanh', [g.op('Gemm', [x, g.constant(weights('W', [5, 16])), g.constant(weights('b', [16]))])]);
  g.op('MatMul', [hidden, g.constant(weights('V', [16, 3]))], {}, 'logits');
  g.output('logits', [batch, 3]);
  return g.build();
}

/** Convolution, ReLU, mean over space, classifier: image [N, 3, 8, 8], 4 classes. */
export function convolutional(): Graph {
  const g = graphBuilder();
  const x = g.input('image', ['N', 3, 8, 8]);
  const maps = g.op('Relu', [
    g.op('Conv', [x, g.constant(weights('K', [6, 3, 3, 3])), g.constant(weights('k', [6]))], { pads: [1, 1, 1, 1] }),
  ]);
  const pooled = g.op('ReduceMean', [maps, g.ints([2, 3])], { keepdims: 0 });
  g.op('Gemm', [pooled, g.constant(weights('F', [6, 4], 2)), g.constant(weights('f', [4]))], {}, 'logits');
  g.output('logits', ['N', 4]);
  return g.build();
}

/** Time first: mean over time of [T, N, C] times W; T = 7, C = 5, 3 classes. */
export function timeFirst(): Graph {
  const g = graphBuilder();
  const x = g.input('x', [7, 'N', 5]);
  const per = g.op('Tanh', [g.op('MatMul', [x, g.constant(weights('W', [5, 3]))])]);
  g.op('ReduceMean', [g.op('Mul', [per, g.constant(weights('t', [7, 1, 1], 1))]), g.ints([0])], { keepdims: 0 }, 'logits');
  g.output('logits', ['N', 3]);
  return g.build();
}

/** tanh(x W) of [N, 50, 5] averaged over time, times V; 3 classes. */
export function timeMean(): Graph {
  const g = graphBuilder();
  const x = g.input('x', ['N', 50, 5]);
  const hidden = g.op('Tanh', [g.op('MatMul', [x, g.constant(weights('W', [5, 16]))])]);
  const mean = g.op('ReduceMean', [hidden, g.ints([1])], { keepdims: 0 });
  g.op('MatMul', [mean, g.constant(weights('V', [16, 3]))], {}, 'logits');
  g.output('logits', ['N', 3]);
  return g.build();
}
