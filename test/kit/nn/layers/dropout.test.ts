import fc from 'fast-check';
import * as ort from 'onnxruntime-node';
import { expect, it } from 'vitest';
import { createRuntime } from '../../../../src/core/runtime/runtime.ts';
import { stream } from '../../../../src/core/tensor/random.ts';
import { f32, sizeOf } from '../../../../src/core/tensor/tensor.ts';
import { dropout } from '../../../../src/kit/nn/layers/dropout.ts';
import { inputSignal, openNet } from '../../../../src/kit/nn/net.ts';

const runtime = createRuntime(ort, { threads: 1 });

const layer = (p: number, shape: readonly number[], mode: 'training' | 'inference', shared: readonly number[] = []) => {
  const { net, written } = openNet({ mode, seed: 0 });
  const x = inputSignal(net, 'x', shape);
  const y = dropout(p, { shared })(net, x);
  const { builder, noise } = written();
  builder.output(builder.op('Identity', [y.name], {}, 'y'), ['N', ...y.shape]);
  return { graph: builder.build(), noise, untouched: y === x };
};

const draw = (dims: readonly number[], seed: number) => {
  const random = stream(seed);
  return f32(
    Float32Array.from({ length: sizeOf(dims) }, () => random.uniform()),
    dims,
  );
};

it.each([0.1, 0.5, 0.9])(
  'keeps the mean: of 40000 ones at p = %f a share of 1 - p becomes 1 / (1 - p), the rest 0',
  async (p) => {
    const { graph, noise } = layer(p, [200], 'training');
    const x = f32(new Float32Array(40000).fill(1), [200, 200]);
    const { y } = await runtime.execute(graph, { x, [noise[0]!.name]: draw([200, 200], 1) });
    const values = [...(y!.data as Float32Array)];
    expect(new Set(values)).toEqual(new Set([0, Math.fround(1 / (1 - p))]));
    const mean = values.reduce((a, b) => a + b, 0) / values.length;
    expect(Math.abs(mean - 1)).toBeLessThan(4 * Math.sqrt(p / (1 - p) / values.length));
  },
);

it('is the identity in inference, and at p = 0', () => {
  expect(layer(0.5, [3], 'inference')).toMatchObject({ untouched: true, noise: [] });
  expect(layer(0, [3], 'training')).toMatchObject({ untouched: true, noise: [] });
});

it('what happens to a sample depends on its own numbers alone, not on the batch it runs in', async () => {
  const shape = [4, 5];
  const { graph, noise } = layer(0.4, shape, 'training', [0]);
  expect(noise[0]!.shape).toEqual([1, 5]);
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 2, max: 6 }), fc.nat(5), async (n, at) => {
      const own = at % n;
      const [x, u] = [draw([n, ...shape], 7), draw([n, 1, 5], 8)];
      const one = (t: typeof x) =>
        f32((t.data as Float32Array).slice((own * t.data.length) / n, ((own + 1) * t.data.length) / n), [1, ...t.dims.slice(1)]);
      const all = (await runtime.execute(graph, { x, [noise[0]!.name]: u })).y!.data as Float32Array;
      const alone = (await runtime.execute(graph, { x: one(x), [noise[0]!.name]: one(u) })).y!.data as Float32Array;
      expect([...all.slice(own * 20, (own + 1) * 20)]).toEqual([...alone]);
    }),
    { numRuns: 12 },
  );
});

it('a share of one, or below zero, cannot be dropped', () => {
  expect(() => dropout(1)(openNet({ mode: 'training', seed: 0 }).net, { name: 'x', shape: [1] })).toThrow(/share of 1/);
  expect(() => dropout(-0.1)(openNet({ mode: 'training', seed: 0 }).net, { name: 'x', shape: [1] })).toThrow(/share of -0.1/);
});
