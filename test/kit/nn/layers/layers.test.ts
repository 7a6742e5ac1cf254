import { readFileSync } from 'node:fs';
import * as ort from 'onnxruntime-node';
import { describe, expect, it } from 'vitest';
import type { Surrogate } from '../../../../src/core/autodiff/substitutes.ts';
import { compile } from '../../../../src/core/runtime/compile.ts';
import { createRuntime } from '../../../../src/core/runtime/runtime.ts';
import { i64, sizeOf, type Tensor } from '../../../../src/core/tensor/tensor.ts';
import { gelu, leakyRelu, relu, sigmoid, silu, softplus, tanh } from '../../../../src/kit/nn/layers/activations.ts';
import { encoderBlock, selfAttention } from '../../../../src/kit/nn/layers/attention.ts';
import { batchNorm } from '../../../../src/kit/nn/layers/batch-norm.ts';
import { convolution, depthwise, separable } from '../../../../src/kit/nn/layers/convolution.ts';
import { dense } from '../../../../src/kit/nn/layers/dense.ts';
import { dropout } from '../../../../src/kit/nn/layers/dropout.ts';
import { embedding } from '../../../../src/kit/nn/layers/embedding.ts';
import { groupNorm, instanceNorm, layerNorm } from '../../../../src/kit/nn/layers/norms.ts';
import { averagePool, globalAverage, globalMax, maxPool, timeAverage } from '../../../../src/kit/nn/layers/pooling.ts';
import { learnedPositions, sinusoidalPositions } from '../../../../src/kit/nn/layers/positions.ts';
import { gru, lstm, type RecurrentOptions, rnn } from '../../../../src/kit/nn/layers/recurrent.ts';
import { basicBlock, bottleneck } from '../../../../src/kit/nn/layers/residual.ts';
import { flatten, overTime, permute, reshape } from '../../../../src/kit/nn/layers/shape.ts';
import { neuron } from '../../../../src/kit/nn/layers/spiking/neuron.ts';
import { spike } from '../../../../src/kit/nn/layers/spiking/spike.ts';
import { trainingSurrogate } from '../../../../src/kit/nn/layers/spiking/training-curves.ts';
import { chain, inputSignal, type Layer, type Mode, named, openNet } from '../../../../src/kit/nn/net.ts';
import { chirp } from './chirp.ts';

interface Case {
  readonly name: string;
  readonly mode: Mode;
  readonly x: readonly number[];
  /** Where x holds ids: how many there are. */
  readonly ids?: number;
  readonly parameters: Readonly<Record<string, readonly number[]>>;
  readonly y: { readonly dims: readonly number[]; readonly values: readonly number[] };
  readonly gradients: Readonly<Record<string, readonly number[]>>;
  /** Running statistics after the pass. */
  readonly statistics?: Readonly<Record<string, readonly number[]>>;
  readonly noise?: Readonly<Record<string, readonly number[]>>;
}

const { cases } = JSON.parse(readFileSync('test/fixtures/nn/layers.json', 'utf8')) as { cases: Case[] };

const twice: Layer = ({ g }, x) => ({ name: g.op('Mul', [x.name, g.number(2)]), shape: x.shape });

const recurrents = Object.fromEntries(
  Object.entries({ lstm, gru, rnn }).flatMap(([kind, layer]) =>
    ([1, 2] as const).flatMap((directions) =>
      (['sequence', 'last'] as const).map((output): [string, Layer] => {
        const options: RecurrentOptions = { bidirectional: directions === 2, output };
        return [`${kind} ${directions} ${output}`, layer(3, options)];
      }),
    ),
  ),
);

/** What each recorded name is here. */
const layers: Readonly<Record<string, Layer>> = {
  dense: dense(4),
  'dense over moments': dense(4),
  'dense without bias': dense(4, { bias: false }),
  relu,
  leakyRelu: leakyRelu(0.2),
  gelu,
  tanh,
  sigmoid,
  silu,
  softplus,
  'convolution 1': convolution(4, [3], { stride: 2, padding: 1 }),
  'convolution 2': convolution(4, [3, 2], { stride: [2, 1], padding: [1, 0], dilation: [1, 2], groups: 2 }),
  'convolution 3': convolution(3, [2, 3, 2], { padding: [0, 1, 1], bias: false }),
  'convolution same': convolution(3, [4, 3], { padding: 'same' }),
  depthwise: depthwise([3, 3], { multiplier: 2, padding: 1 }),
  separable: separable(5, [3], { stride: 2, padding: 1 }),
  'batchNorm 0': batchNorm(),
  'batchNorm 1': batchNorm(),
  'batchNorm 2': batchNorm(),
  'batchNorm keras': batchNorm({ eps: 1e-3, momentum: 0.01 }),
  layerNorm: layerNorm(),
  groupNorm: groupNorm(3),
  'groupNorm 2': groupNorm(2),
  instanceNorm: instanceNorm(),
  'maxPool 1': maxPool(3, { stride: 2, padding: 1 }),
  'maxPool 2': maxPool([2, 3]),
  'maxPool 3': maxPool(2),
  'averagePool 1': averagePool(3, { stride: 2, padding: 1 }),
  'averagePool 2': averagePool([2, 3]),
  'averagePool 3': averagePool(2, { stride: 1 }),
  globalAverage,
  globalMax,
  timeAverage,
  'flatten, permute, reshape': chain(permute([2, 0, 1]), reshape([6, 4]), flatten),
  dropout: dropout(0.3),
  'dropout shared': dropout(0.3, { shared: [0] }),
  overTime: overTime(
    chain(named('conv', convolution(3, [3], { padding: 1, bias: false })), named('norm', batchNorm()), dropout(0.3)),
  ),
  embedding: embedding(5, 6),
  ...recurrents,
  'lstm one bias': lstm(3, { bidirectional: true, biases: 'input' }),
  'gru reset before': gru(3, { resetAfter: false }),
  selfAttention: selfAttention(2),
  'selfAttention causal': selfAttention(2, { causal: true }),
  'selfAttention dropout': selfAttention(2, { dropout: 0.2 }),
  'encoderBlock pre': encoderBlock(2, { inner: 6 }),
  'encoderBlock post': encoderBlock(2, { inner: 6, norm: 'post' }),
  learnedPositions,
  sinusoidalPositions,
  basicBlock: basicBlock(3),
  'basicBlock stride 2': basicBlock(3, { stride: 2 }),
  'bottleneck stride 2': bottleneck(2, { stride: 2 }),
  spike: spike(0.25),
  'lif hard': chain(twice, neuron({ threshold: 0.5 })),
  'lif soft': chain(twice, neuron({ tau: 1.5, threshold: 0.4, reset: 'soft' })),
  'lif one moment': chain(twice, neuron({ threshold: 0.5 })),
};

/** Steepness of the arctangent that the recorded case has; 2 unless said otherwise. */
const alphas: Readonly<Record<string, number>> = { spike: 3, 'lif soft': 4 };
const surrogatesOf = (name: string): readonly Surrogate[] => [trainingSurrogate('atan', alphas[name] ?? 2, 1)];

const runtime = createRuntime(ort, { threads: 1 });
const valuesOf = (t: Tensor): number[] => Array.from(t.data as Float32Array);
const distance = (a: readonly number[], b: readonly number[]): number => Math.hypot(...a.map((v, i) => v - b[i]!));

/** Relative where there is something to be relative to. */
function expectEqual(what: string, made: readonly number[], expected: readonly number[], tolerance = 5e-6): void {
  expect(made.length, what).toBe(expected.length);
  expect(distance(made, expected) / Math.max(1e-1, Math.hypot(...expected)), what).toBeLessThan(tolerance);
}

/** The layer alone, as a graph of x, with the tensors of the oracle for weights and statistics. */
function written(layer: Layer, { x: dims, mode, ids }: Pick<Case, 'x' | 'mode' | 'ids'>) {
  const { net, written: all } = openNet({ mode, seed: 0 });
  const y = layer(net, inputSignal(net, 'x', dims.slice(1), ids === undefined ? 'float32' : 'int64'));
  const { builder, parameters, statistics, noise } = all();
  const output = builder.op('Identity', [y.name], {}, 'y');
  builder.untypedOutput(output);
  for (const value of statistics.values()) if (builder.isComputed(value)) builder.untypedOutput(value);
  const graph = builder.build();
  const dimsOf = (name: string) => graph.initializers.get(name)!.dims;
  const initializers = new Map(graph.initializers);
  for (const name of parameters) initializers.set(name, chirp(name, dimsOf(name)));
  for (const name of statistics.keys())
    initializers.set(name, chirp(name, dimsOf(name), 0.5, name.endsWith('running_var') ? 1 : 0));
  return { graph: { ...graph, initializers }, shape: y.shape, parameters, statistics, noise, dimsOf };
}

describe('every layer is what PyTorch computes in float64', () => {
  it('and none is left out', () => {
    expect([...new Set(cases.map((c) => c.name))].sort()).toEqual(Object.keys(layers).sort());
  });

  it.each(cases.map((c) => [`${c.name}, ${c.mode}`, c] as const))('%s', async (_, c) => {
    const { graph, shape, parameters, statistics, noise, dimsOf } = written(layers[c.name]!, c);
    expect([c.x[0], ...shape]).toEqual(c.y.dims);
    expect(Object.fromEntries(parameters.map((name) => [name, dimsOf(name)]))).toEqual(c.parameters);
    const recorded = Object.entries(c.noise ?? {});
    expect(noise.map((n) => [c.x[0], ...n.shape])).toEqual(recorded.map(([, dims]) => dims));
    const count = sizeOf(c.x);
    const x =
      c.ids === undefined
        ? chirp('x', c.x, 1)
        : i64(
            Array.from({ length: count }, (_, i) => (7 * i) % c.ids!),
            c.x,
          );
    const feeds = { x, ...Object.fromEntries(noise.map((n, i) => [n.name, chirp(recorded[i]![0], recorded[i]![1], 0.5, 0.5)])) };

    const wrt = [...(c.ids === undefined ? ['x'] : []), ...parameters];
    const evaluator = await compile(graph, { of: ['y'], wrt, cotangents: true, runtime, surrogates: surrogatesOf(c.name) });
    const { of, grads } = await evaluator.run({ ...feeds, cotangent_y: chirp('cotangent', c.y.dims, 1) });
    await evaluator.release();
    expectEqual('y', valuesOf(of.y!), c.y.values);
    for (const name of wrt) expectEqual(`gradient of ${name}`, valuesOf(grads[name]!), c.gradients[name]!);

    const updated = [...statistics].filter(([name, value]) => name !== value);
    expect(updated.map(([name]) => name).sort()).toEqual(Object.keys(c.statistics ?? {}).sort());
    if (updated.length === 0) return;
    const after = await runtime.execute(graph, feeds);
    for (const [name, value] of updated) expectEqual(name, valuesOf(after[value]!), c.statistics![name]!);
  });
});
