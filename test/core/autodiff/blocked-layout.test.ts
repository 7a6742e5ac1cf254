import * as ort from 'onnxruntime-node';
import { describe, expect, it } from 'vitest';
import { resnet18 } from '../../../bench/models/resnet18.ts';
import { enterBlockedLayout } from '../../../src/core/autodiff/blocked-layout.ts';
import { gradient } from '../../../src/core/autodiff/gradient.ts';
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
});
