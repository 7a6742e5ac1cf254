import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compile } from '../../../../../src/core/runtime/compile.ts';
import { f32 } from '../../../../../src/core/tensor/tensor.ts';
import { type NeuronOptions, neuron, neuronDefaults } from '../../../../../src/kit/nn/layers/spiking/neuron.ts';
import { trainingSurrogate } from '../../../../../src/kit/nn/layers/spiking/training-curves.ts';
import { layerGraph, runtime } from './graph-of.ts';

/** One neuron, moment by moment, as the doc comment of `neuron` says. */
function plain(currents: readonly number[], options: NeuronOptions): number[] {
  const { kind, tau, decayInput, threshold, reset, rest, start, beta, tauAdaptation, tauSynapse } = {
    ...neuronDefaults,
    ...options,
  };
  const k = kind === 'if' ? 1 : 1 - 1 / tau;
  const rho = Math.exp(-1 / tauAdaptation);
  let [v, a, flowing] = [start as number, 0, 0];
  return currents.map((x) => {
    flowing = kind === 'cuba' ? (1 - 1 / tauSynapse) * flowing + x : x;
    v = k * v + (1 - k) * rest + (decayInput && kind !== 'if' ? flowing / tau : flowing);
    const theta = kind === 'alif' ? threshold + beta * a : threshold;
    const s = Number(v >= theta);
    if (s === 1) v = reset === 'hard' ? rest : v - theta;
    a = rho * a + (1 - rho) * s;
    return s;
  });
}

/** Numbers that sixteenths and halves keep exact, so that potentials meet their threshold exactly too; adaptation with an exact rho. */
const half = { tauAdaptation: 1 / Math.LN2 };

describe('neurons', () => {
  it.each<NeuronOptions>([
    {},
    { reset: 'soft' },
    { tau: 4, threshold: 0.5 },
    { tau: 1 },
    { decayInput: false },
    { rest: 0.25 },
    { rest: 0.25, decayInput: false, start: 0.5 },
    { resetGradient: 'through' },
    { kind: 'if' },
    { kind: 'if', reset: 'soft', threshold: 2 },
    { kind: 'cuba' },
    { kind: 'cuba', tauSynapse: 4, decayInput: false, rest: 0.5 },
  ])('%j is the plain loop', async (options) => {
    const [moments, cells] = [8, 6];
    const { graph } = layerGraph(neuron(options), [moments, cells]);
    const current = fc.integer({ min: -16, max: 64 }).map((n) => n / 16);
    await fc.assert(
      fc.asyncProperty(fc.array(current, { minLength: 2 * moments * cells, maxLength: 2 * moments * cells }), async (x) => {
        const { y } = await runtime.execute(graph, { x: f32(x, [2, moments, cells]) });
        const made = [...(y!.data as Float32Array)];
        for (let n = 0; n < 2; n++)
          for (let c = 0; c < cells; c++) {
            const line = Array.from({ length: moments }, (_, t) => (n * moments + t) * cells + c);
            expect(line.map((at) => made[at])).toEqual(
              plain(
                line.map((at) => x[at]!),
                options,
              ),
            );
          }
      }),
      { numRuns: 15 },
    );
  });

  it('an adaptive threshold rises by beta (1 - rho) with a spike and sinks again', async () => {
    const options: NeuronOptions = { kind: 'alif', tau: 1, beta: 2, ...half };
    const { graph } = layerGraph(neuron(options), [6, 1]);
    // tau 1: the potential is the current. thresholds 1, 1 + 2/2 = 2, 1 + 2/4 = 1.5, 1.25, then 1 + 2 (1/16 + 1/2) = 2.125
    const x = [1, 1.9, 1.4, 1.3, 2, 2.2];
    const { y } = await runtime.execute(graph, { x: f32(x, [1, 6, 1]) });
    expect([...(y!.data as Float32Array)]).toEqual([1, 0, 0, 1, 0, 1]);
    expect(plain(x, options)).toEqual([1, 0, 0, 1, 0, 1]);
  });

  it('a potential that just reaches the threshold fires, and starts again from 0', async () => {
    const { y } = await runtime.execute(layerGraph(neuron(), [4, 1]).graph, { x: f32([2, 1, 1.5, 0], [1, 4, 1]) });
    // potentials 1 (fires), 0.5, 1 (fires), 0
    expect([...(y!.data as Float32Array)]).toEqual([1, 0, 1, 0]);
  });

  it('without its surrogate a spike passes nothing on, with it the arctangent, and the reset stays detached', async () => {
    const { graph } = layerGraph(neuron(), [2, 1]);
    const x = f32([3, 1], [1, 2, 1]);
    const bare = await compile(graph, { of: ['y'], wrt: ['x'], runtime });
    expect([...((await bare.run({ x })).grads.x!.data as Float32Array)]).toEqual([0, 0]);
    expect(bare.cuts.length).toBeGreaterThan(0);
    const soft = await compile(graph, { of: ['y'], wrt: ['x'], runtime, surrogates: [trainingSurrogate('atan', 2, 1)] });
    // v = 1.5 fires and is reset, so the first current reaches the second moment by no way that counts; then v = 0.5
    const slope = (v: number) => 1 / (1 + (Math.PI * (v - 1)) ** 2);
    const expected = [slope(1.5) / 2, slope(0.5) / 2];
    const made = [...((await soft.run({ x })).grads.x!.data as Float32Array)];
    for (const [i, value] of expected.entries()) expect(made[i]).toBeCloseTo(value, 6);
    expect(soft.substitutes.map((s) => [s.at, s.label])).toEqual([
      ['cells.spike_1', 'atan, alpha 2'],
      ['cells.spike_0', 'atan, alpha 2'],
    ]);
    await Promise.all([bare.release(), soft.release()]);
  });

  it('the graph says nothing of the surrogate: a comparison and a cast per spike, and per reset unless it has a derivative', () => {
    const opsOf = (options: NeuronOptions) =>
      layerGraph(neuron(options), [3, 2]).graph.nodes.filter((n) => /Greater|Cast/.test(n.op));
    expect(opsOf({}).map((n) => [n.op, /reset/.test(n.name)])).toEqual(
      [false, true, false, true, false].flatMap((reset) => [
        ['GreaterOrEqual', reset],
        ['Cast', false],
      ]),
    );
    expect(opsOf({ resetGradient: 'through' })).toHaveLength(6);
  });

  it('refuses what no neuron has', () => {
    expect(() => layerGraph(neuron({ tau: 0.5 }), [2, 1])).toThrow(/tau is 0.5/);
    expect(() => layerGraph(neuron({ reset: 'soft', rest: 0.1 }), [2, 1])).toThrow(/soft reset/);
    expect(() => layerGraph(neuron({ kind: 'cuba', tauSynapse: 0 }), [2, 1])).toThrow(/tauSynapse/);
  });
});
