import { describe, expect, it } from 'vitest';
import { compile } from '../../../../../src/core/runtime/compile.ts';
import { f32 } from '../../../../../src/core/tensor/tensor.ts';
import { latencyCode, poissonCode, repeated } from '../../../../../src/kit/nn/layers/spiking/encoders.ts';
import { codes } from '../../../../../src/kit/nn/layers/spiking/spike.ts';
import { trainingSurrogate } from '../../../../../src/kit/nn/layers/spiking/training-curves.ts';
import { layerGraph, runtime } from './graph-of.ts';

describe('codes', () => {
  it('direct: the same at every step, its gradient the sum over them', async () => {
    const evaluator = await compile(layerGraph(repeated(3), [2]).graph, { of: ['y'], wrt: ['x'], cotangents: true, runtime });
    const { of, grads } = await evaluator.run({ x: f32([0.2, 0.7], [1, 2]), cotangent_y: f32([1, 2, 3, 4, 5, 6], [1, 3, 2]) });
    expect([...(of.y!.data as Float32Array)]).toEqual(
      Array.from({ length: 3 }, () => [0.2, 0.7])
        .flat()
        .map(Math.fround),
    );
    expect([...(grads.x!.data as Float32Array)]).toEqual([9, 12]);
    await evaluator.release();
  });

  it('poisson: a spike where the draw is at most x, and backwards its probability', async () => {
    const { graph, noise } = layerGraph(poissonCode(4), [2]);
    expect(noise.map(({ shape, kind }) => [shape, kind])).toEqual([[[4, 2], 'uniform']]);
    const evaluator = await compile(graph, { of: ['y'], wrt: ['x'], cotangents: true, runtime, surrogates: [codes] });
    const draws = f32([0, 0.5, 0.3, 0.51, 0.2, 0.9, 0.25, 0.4], [1, 4, 2]);
    const { of, grads } = await evaluator.run({
      x: f32([0.25, 0.5], [1, 2]),
      [noise[0]!.name]: draws,
      cotangent_y: f32([1, 2, 3, 4, 5, 6, 7, 8], [1, 4, 2]),
    });
    expect([...(of.y!.data as Float32Array)]).toEqual([1, 1, 0, 0, 1, 0, 1, 1]);
    expect([...(grads.x!.data as Float32Array)]).toEqual([16, 20]);
    await evaluator.release();
  });

  it.each([1, 2, 5, 8])('latency over %i steps: one spike at round((T - 1)(1 - x)), none at 0', async (steps) => {
    const values = Array.from({ length: 33 }, (_, i) => i / 32);
    const { y } = await runtime.execute(layerGraph(latencyCode(steps), [33]).graph, { x: f32(values, [1, 33]) });
    const made = y!.data as Float32Array;
    for (const [i, x] of values.entries()) {
      const at = x === 0 ? -1 : Math.round((steps - 1) * (1 - x));
      const expected = Array.from({ length: steps }, (_, t) => Number(t === at));
      expect(Array.from({ length: steps }, (_, t) => made[t * 33 + i])).toEqual(expected);
    }
  });

  it('latency: a brighter value pulls its spike forward', async () => {
    const surrogates = [trainingSurrogate('triangle', 1, 1)];
    const { graph } = layerGraph(latencyCode(3), [1]);
    const evaluator = await compile(graph, { of: ['y'], wrt: ['x'], cotangents: true, runtime, surrogates });
    // bars at 0.75, 0.25 and 0, x = 0.5: slopes 1 - 0.25, 1 - 0.25, 1 - 0.5 of having spoken; spikes are their differences
    const { grads } = await evaluator.run({ x: f32([0.5], [1, 1]), cotangent_y: f32([100, 10, 1], [1, 3, 1]) });
    expect((grads.x!.data as Float32Array)[0]).toBeCloseTo(100 * 0.75 + 10 * 0 + 1 * (0.5 - 0.75), 5);
    await evaluator.release();
  });
});
