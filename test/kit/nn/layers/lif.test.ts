import fc from 'fast-check';
import * as ort from 'onnxruntime-node';
import { describe, expect, it } from 'vitest';
import { compile } from '../../../../src/core/runtime/compile.ts';
import { createRuntime } from '../../../../src/core/runtime/runtime.ts';
import { f32 } from '../../../../src/core/tensor/tensor.ts';
import { arctangent, type LifOptions, lif, lifDefaults, spike } from '../../../../src/kit/nn/layers/spiking.ts';
import { inputSignal, type Layer, openNet } from '../../../../src/kit/nn/net.ts';

const runtime = createRuntime(ort, { threads: 1 });

const graphOf = (layer: Layer, shape: readonly number[]) => {
  const { net, written } = openNet({ mode: 'training', seed: 0 });
  const y = layer(net.within('cells'), inputSignal(net, 'x', shape));
  const { builder } = written();
  builder.output(builder.op('Identity', [y.name], {}, 'y'), ['N', ...y.shape]);
  return builder.build();
};

/** One neuron, moment by moment. */
function plain(currents: readonly number[], options: LifOptions): number[] {
  const { tau, threshold, reset } = { ...lifDefaults, ...options };
  let v = 0;
  return currents.map((x) => {
    v += (x - v) / tau;
    const fired = v >= threshold;
    if (fired) v = reset === 'hard' ? 0 : v - threshold;
    return Number(fired);
  });
}

describe('leaky integrate-and-fire', () => {
  it.each<LifOptions>([{}, { reset: 'soft' }, { tau: 4, threshold: 0.5 }, { tau: 1 }])(
    '%j is the plain loop',
    async (options) => {
      const [moments, cells] = [8, 6];
      const graph = graphOf(lif(options), [moments, cells]);
      // sixteenths: sums and halves of them are exact, so that potentials meet their threshold exactly too
      const current = fc.integer({ min: -16, max: 64 }).map((k) => k / 16);
      await fc.assert(
        fc.asyncProperty(fc.array(current, { minLength: 2 * moments * cells, maxLength: 2 * moments * cells }), async (x) => {
          const { y } = await runtime.execute(graph, { x: f32(x, [2, moments, cells]) });
          const made = [...(y!.data as Float32Array)];
          for (let n = 0; n < 2; n++)
            for (let c = 0; c < cells; c++) {
              const at = (t: number) => (n * moments + t) * cells + c;
              const times = Array.from({ length: moments }, (_, t) => t);
              expect(times.map((t) => made[at(t)])).toEqual(
                plain(
                  times.map((t) => x[at(t)]!),
                  options,
                ),
              );
            }
        }),
        { numRuns: 20 },
      );
    },
  );

  it('a potential that just reaches the threshold fires, and starts again from 0', async () => {
    const { y } = await runtime.execute(graphOf(lif(), [4, 1]), { x: f32([2, 1, 1.5, 0], [1, 4, 1]) });
    // potentials 1 (fires), 0.5, 1 (fires), 0
    expect([...(y!.data as Float32Array)]).toEqual([1, 0, 1, 0]);
  });

  it('without its surrogate a spike passes nothing on, with it the arctangent, and the reset stays detached', async () => {
    const graph = graphOf(lif(), [2, 1]);
    const x = f32([3, 1], [1, 2, 1]);
    const bare = await compile(graph, { of: ['y'], wrt: ['x'], runtime });
    expect([...((await bare.run({ x })).grads.x!.data as Float32Array)]).toEqual([0, 0]);
    expect(bare.cuts.length).toBeGreaterThan(0);
    const soft = await compile(graph, { of: ['y'], wrt: ['x'], runtime, surrogates: [arctangent()] });
    // v = 1.5 fires and is reset, so the first current reaches the second moment by no way that counts; then v = 0.5
    const slope = (v: number) => 1 / (1 + (Math.PI * (v - 1)) ** 2);
    const expected = [slope(1.5) / 2, slope(0.5) / 2];
    const made = [...((await soft.run({ x })).grads.x!.data as Float32Array)];
    for (const [i, value] of expected.entries()) expect(made[i]).toBeCloseTo(value, 6);
    expect(soft.substitutes.map((s) => s.label)).toEqual(['arctangent, alpha 2', 'arctangent, alpha 2']);
    expect(soft.substitutes.every((s) => s.at.startsWith('cells.spike_alpha2_'))).toBe(true);
    await Promise.all([bare.release(), soft.release()]);
  });

  it('a surrogate stands in for the spikes of its own alpha only', async () => {
    const both: Layer = (net, x) => spike(0.5, 2.5)(net.within('b'), spike(0, 2)(net.within('a'), x));
    const evaluator = await compile(graphOf(both, [1]), { of: ['y'], wrt: ['x'], runtime, surrogates: [arctangent(2.5)] });
    expect(evaluator.substitutes.map((s) => s.at)).toEqual(['cells.b.spike_alpha2.5_0']);
    expect(evaluator.cuts.map((c) => c.node)).toEqual(['cells.a.spike_alpha2_0']);
    await evaluator.release();
  });
});
