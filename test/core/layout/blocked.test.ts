import * as ort from 'onnxruntime-node';
import { describe, expect, it } from 'vitest';
import { resnet18 } from '../../../bench/models/resnet18.ts';
import { gradient } from '../../../src/core/autodiff/gradient.ts';
import { enterBlockedLayout } from '../../../src/core/layout/blocked.ts';
import { graphBuilder } from '../../../src/core/onnx/builder.ts';
import { prepare } from '../../../src/core/onnx/passes/prepare.ts';
import { createRuntime } from '../../../src/core/runtime/runtime.ts';
import { stream } from '../../../src/core/tensor/random.ts';
import { f32 } from '../../../src/core/tensor/tensor.ts';

const runtime = createRuntime(ort);

describe('enterBlockedLayout', () => {
  it('copies a plain cotangent where a residual stage begins, and changes no bit of the gradient', async () => {
    const graph = await prepare(resnet18(64), runtime.execute);
    const options = { of: ['logits'], wrt: ['image'] };
    const plain = await gradient(graph, runtime.execute, { ...options, provider: 'wasm' });
    const blocked = { ...plain, graph: enterBlockedLayout(plain.graph) };
    expect(blocked.graph.nodes.length - plain.graph.nodes.length).toBe(3);
    expect(enterBlockedLayout(blocked.graph)).toBe(blocked.graph);
    const random = stream(3, 'blocked');
    const image = f32(Float32Array.from({ length: 2 * 3 * 64 * 64 }, random.uniform), [2, 3, 64, 64]);
    const run = async ({ graph: g, gradients }: typeof plain) => (await runtime.execute(g, { image }))[gradients.image!]!.data;
    expect(await run(blocked)).toEqual(await run(plain));
  });

  it('copies a cotangent once where two blocked values are multiplied with it', async () => {
    const g = graphBuilder();
    const [x, dy] = [g.input('x', ['N', 16, 6, 6]), g.input('dy', ['N', 16, 6, 6])];
    const weights = g.constant(f32(Float32Array.from({ length: 16 * 16 }, stream(5, 'weights').normal), [16, 16, 1, 1]));
    const y = g.op('Conv', [x, weights]);
    const gate = g.op('Sigmoid', [y]);
    const cotangent = g.op('Neg', [dy]);
    g.declare({ name: cotangent, dtype: 'float32', dims: ['N', 16, 6, 6] });
    g.output(g.op('Mul', [cotangent, y], {}, 'to_gate'), ['N', 16, 6, 6]);
    g.output(g.op('Mul', [cotangent, gate], {}, 'to_value'), ['N', 16, 6, 6]);
    const plain = g.build();
    const blocked = enterBlockedLayout(plain);
    expect(blocked.nodes.length - plain.nodes.length).toBe(1);
    const image = (name: string) => f32(Float32Array.from({ length: 2 * 16 * 36 }, stream(5, name).normal), [2, 16, 6, 6]);
    const feeds = { x: image('x'), dy: image('dy') };
    expect(await runtime.execute(blocked, feeds)).toEqual(await runtime.execute(plain, feeds));
  });

  it('takes no name a value or a node has', async () => {
    const g = graphBuilder();
    const x = g.input('x', ['N', 16, 4, 4]);
    const cotangent = g.op('Neg', [x], {}, 'dy');
    g.declare({ name: cotangent, dtype: 'float32', dims: ['N', 16, 4, 4] });
    const weights = g.constant(f32(Float32Array.from({ length: 256 }, stream(5, 'weights').normal), [16, 16, 1, 1]));
    const mask = g.op('Relu', [g.op('Conv', [x, weights], {}, 'dy_blocked')], {}, 'dy_blocked_0');
    g.output(g.op('Mul', [cotangent, mask], {}, 'y'), ['N', 16, 4, 4]);
    const plain = g.build();
    const feeds = { x: f32(Float32Array.from({ length: 256 }, stream(5, 'x').normal), [1, 16, 4, 4]) };
    const blocked = enterBlockedLayout(plain);
    expect(blocked.nodes.length - plain.nodes.length).toBe(1);
    expect(await runtime.execute(blocked, feeds)).toEqual(await runtime.execute(plain, feeds));
  });

  it('copies nothing for a product that only a transposed convolution reads', () => {
    const g = graphBuilder();
    const [x, dy] = [g.input('x', ['N', 16, 6, 6]), g.input('dy', ['N', 16, 6, 6])];
    const weights = g.constant(f32(new Float32Array(16 * 16).fill(1), [16, 16, 1, 1]));
    const cotangent = g.op('Neg', [dy]);
    g.declare({ name: cotangent, dtype: 'float32', dims: ['N', 16, 6, 6] });
    const product = g.op('Mul', [cotangent, g.op('Sigmoid', [g.op('Conv', [x, weights])])]);
    g.output(g.op('ConvTranspose', [product, weights]), ['N', 16, 6, 6]);
    const graph = g.build();
    expect(enterBlockedLayout(graph)).toBe(graph);
  });
});
