import * as ort from 'onnxruntime-node';
import { describe, expect, it } from 'vitest';
import { graphBuilder } from '../../../src/core/onnx/builder.ts';
import { createRuntime } from '../../../src/core/runtime/runtime.ts';
import { modelCost, suggestBatch } from '../../../src/kit/model/cost.ts';
import { convolutional, features, modelOf, perceptron, weights } from './toys.ts';

const { execute } = createRuntime(ort);
const net = modelOf(convolutional(), { image: features([3, 8, 8], 'NCHW') }, 4);

describe('modelCost', () => {
  it('counts parameters and multiplications of convolution and classifier', async () => {
    const { parameters, macs } = await modelCost(net, execute);
    expect(parameters).toBe(6 * 3 * 9 + 6 + 6 * 4 + 4);
    expect(macs).toBe(6 * 8 * 8 * 3 * 9 + 4 * 6);
  });

  it('counts what every value of a sample takes, twice for a gradient step', async () => {
    const { activationBytes, gradientBytes } = await modelCost(net, execute);
    expect(activationBytes).toBe(4 * (6 * 64 + 6 * 64 + 6 + 4));
    expect(gradientBytes).toBe(2 * activationBytes);
  });

  it('is that of one sample where rows of batch and time are multiplied at once, and for a fixed batch', async () => {
    const g = graphBuilder();
    const rows = g.op('Reshape', [g.input('x', ['N', 6, 5]), g.ints([-1, 5])]);
    const scores = g.op('Reshape', [g.op('MatMul', [rows, g.constant(weights('W', [5, 3]))]), g.ints([-1, 6, 3])]);
    g.output(g.op('ReduceMean', [scores, g.ints([1])], { keepdims: 0 }, 'logits'), ['N', 3]);
    expect((await modelCost(modelOf(g.build(), { x: features([6, 5], 'NTC') }, 3), execute)).macs).toBe(6 * 5 * 3);
    const fixed = modelOf(perceptron(4), { x: features([5]) }, 3, { fixedBatch: 4 });
    expect((await modelCost(fixed, execute)).macs).toBe(5 * 16 + 16 * 3);
  });

  it('counts a transposed convolution by its input', async () => {
    const g = graphBuilder();
    const y = g.op('ConvTranspose', [g.input('x', ['N', 2, 5]), g.constant(weights('W', [2, 3, 4]))], { strides: [2] });
    g.output(g.op('ReduceMean', [y, g.ints([2])], { keepdims: 0 }, 'logits'), ['N', 3]);
    expect((await modelCost(modelOf(g.build(), { x: features([2, 5], 'NCT') }, 3), execute)).macs).toBe(2 * 5 * 3 * 4);
  });
});

describe('modelCost of recurrent nets', () => {
  it.each([
    ['LSTM', 4],
    ['GRU', 3],
    ['RNN', 1],
  ] as const)('%s: both directions, every moment, every gate', async (op, gates) => {
    const [time, inputs, hidden] = [6, 5, 3];
    const g = graphBuilder();
    const x = g.op('Transpose', [g.input('x', ['N', time, inputs])], { perm: [1, 0, 2] });
    const w = g.constant(weights('W', [2, gates * hidden, inputs]));
    const r = g.constant(weights('R', [2, gates * hidden, hidden]));
    const [y] = g.ops(op, [x, w, r], 1, { hidden_size: hidden, direction: 'bidirectional' });
    g.output(g.op('ReduceMean', [y!, g.ints([0, 1])], { keepdims: 0 }, 'logits'), ['N', hidden]);
    const { macs } = await modelCost(modelOf(g.build(), { x: features([time, inputs], 'NTC') }, hidden), execute);
    expect(macs).toBe(time * 2 * gates * hidden * (inputs + hidden));
  });
});

describe('suggestBatch', () => {
  it('is what fits into the memory, at least 1, at most the limit, and a fixed batch as it is', async () => {
    const { gradientBytes } = await modelCost(net, execute);
    expect(await suggestBatch(net, execute, { memory: 5.5 * gradientBytes })).toBe(5);
    expect(await suggestBatch(net, execute, { memory: 1 })).toBe(1);
    expect(await suggestBatch(net, execute, { most: 7 })).toBe(7);
    expect(await suggestBatch(modelOf(perceptron(4), { x: features([5]) }, 3, { fixedBatch: 4 }), execute)).toBe(4);
  });
});
