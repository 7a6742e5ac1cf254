/** The search of our own: fewest flips where they are known, 1-minimal everywhere, and what it may not touch stays. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { stream } from '../../../src/core/tensor/random.ts';
import { type Goal, reached } from '../../../src/kit/losses/loss.ts';
import { argmax, type GradientOracle } from '../../../src/kit/model/oracle.ts';
import { lpThreat } from '../../../src/kit/threat/lp.ts';
import { readOptions } from '../../../src/methods/attacks/registry.ts';
import { sda } from '../../../src/methods/attacks/sda.ts';
import { foremost } from '../../../src/methods/attacks/sparse-search/ranks.ts';
import { specOf } from '../../kit/threat/spec.ts';
import { type LayerCase, networkOf } from '../../oracles/spiking/network.ts';
import { jobOf, linearOracle, randomWeights, sampleOf, untargeted } from './linear.ts';
import { binaryScene, binarySpec, differing, frameShape, networkOracle, sceneOf, sdaCase, sdaCases } from './spiking-cases.ts';
import { openSpiking, type SpikingNet } from './spiking-engine.ts';

const bits = (n: number, ...key: (string | number)[]): Float32Array => {
  const random = stream('bits', ...key);
  return Float32Array.from({ length: n }, () => (random.uniform() < 0.3 ? 1 : 0));
};

/** A small net of random weights on 4 frames of 2x4x4. */
function randomNet(seed: number) {
  const random = stream('net', seed);
  const weight = (...shape: number[]) => ({
    shape,
    data: Array.from({ length: shape.reduce((a, b) => a * b) }, () => Math.round(40 * random.normal()) / 64),
  });
  const neuron = { tau: 2, decayInput: false, vThreshold: 1, vReset: 0, detachReset: false };
  const layers: LayerCase[] = [
    { op: 'conv2d', weight: weight(4, 2, 3, 3), bias: null, padding: 1, stride: 1 },
    { op: 'lif', neuron },
    { op: 'flatten' },
    { op: 'linear', weight: weight(4, 64), bias: null },
  ];
  return networkOf(layers, 4, [2, 4, 4]);
}

const shape = [4, 2, 4, 4];

async function attackNet(seed: number, options: Readonly<Record<string, unknown>> = {}, goalOf?: (label: number) => Goal) {
  const network = randomNet(seed);
  const inputs = [0, 1, 2].map((k) => bits(128, seed, k));
  const oracle = networkOracle(network, 4);
  const labels = inputs.map((x) => argmax(network.forward(x)));
  const goals = labels.map(goalOf ?? untargeted);
  const { batch, threats } = binaryScene(shape, inputs);
  const outcomes = await sda.run(jobOf(oracle, batch, goals, threats), readOptions(sda, options));
  return { network, inputs, goals, outcomes, oracle };
}

describe('sda, ours', () => {
  it('finds the fewest flips of a linear model', async () => {
    for (let seed = 0; seed < 12; seed++) {
      const n = 60;
      const weights = randomWeights(2, n, 'linear', seed);
      const oracle = linearOracle({ x: weights }, [0, 0]);
      const x = bits(n, 'linear', seed);
      const lead = (k: number): number => weights[k]!.reduce((sum, w, i) => sum + w * x[i]!, 0);
      const label = lead(0) >= lead(1) ? 0 : 1;
      const gains = Array.from(x, (value, i) => (1 - 2 * value) * (weights[1 - label]![i]! - weights[label]![i]!));
      let missing = lead(label) - lead(1 - label);
      let fewest = 0;
      for (const gain of gains.sort((a, b) => b - a)) {
        if (missing < 0) break;
        missing -= gain;
        fewest++;
      }
      const threats = [{ x: lpThreat(binarySpec([n]), { norm: 'l0', eps: 1 }) }];
      const [outcome] = await sda.run(jobOf(oracle, [sampleOf('a', { x })], [untargeted(label)], threats), sda.defaults);
      expect(differing(outcome!.inputs!.x!, x)).toHaveLength(fewest);
    }
  });

  const ways: [string, Readonly<Record<string, unknown>>, ((label: number) => Goal)?][] = [
    ['untargeted', {}],
    ['with a target', {}, (label) => ({ kind: 'targeted', label, target: (label + 1) % 4 })],
    ['inserting only', { flips: 'insert' }],
    ['deleting only', { flips: 'delete' }],
    ['in on events', { polarity: 'on' }],
    ['in steps 1 and 2', { from: 1, until: 3 }],
    ['with k beyond the number of elements', { k: 1000 }],
    ['reference, reduced to the end', { mode: 'reference', reduce: 'minimal', iterations: 20 }],
  ];
  it.each(ways)('finds examples in which every flip is needed and allowed: %s', async (_, options, goalOf) => {
    let found = 0;
    for (let seed = 0; seed < 6; seed++) {
      const { network, inputs, goals, outcomes } = await attackNet(seed, options, goalOf);
      for (const [k, outcome] of outcomes.entries()) {
        if (outcome.status !== 'success') {
          expect(outcome.inputs).toBeUndefined();
          continue;
        }
        found++;
        const [x, y] = [inputs[k]!, outcome.inputs!.x!];
        const holds = (at: ArrayLike<number>): boolean => reached(goals[k]!, argmax(Float32Array.from(network.forward(at))));
        expect(holds(y)).toBe(true);
        expect(outcome.trace!.minimal).toBe(true);
        for (const i of differing(x, y)) {
          const without = y.slice();
          without[i] = x[i]!;
          expect(holds(without)).toBe(false);
          expect([0, 1]).toContain(y[i]);
          if (options.flips !== undefined) expect(y[i]).toBe(options.flips === 'insert' ? 1 : 0);
          if (options.polarity === 'on') expect(Math.floor(i / 16) % 2).toBe(1);
          if (options.from !== undefined) expect([1, 2]).toContain(Math.floor(i / 32));
        }
      }
    }
    expect(found).toBeGreaterThanOrEqual(6);
  });

  it('finds fewer flips with learned chances than without, and fewer yet with exchanges: over random nets', async () => {
    const flips = async (options: Readonly<Record<string, unknown>>): Promise<number> => {
      let sum = 0;
      for (let seed = 20; seed < 32; seed++) {
        const { inputs, outcomes } = await attackNet(seed, options);
        sum += outcomes.reduce((s, { inputs: found }, k) => s + (found ? differing(found.x!, inputs[k]!).length : 0), 0);
      }
      return sum;
    };
    const [without, learned, exchanged] = [await flips({ steps: 0 }), await flips({}), await flips({ exchanges: 2 })];
    expect(learned).toBeLessThan(without);
    expect(exchanged).toBeLessThan(learned);
  });

  it('learns from a tie, where the original has no lead', async () => {
    const weights = [new Array(100).fill(0), Array.from({ length: 100 }, (_, i) => (i === 7 ? 1 : -1))];
    const oracle = linearOracle({ x: weights }, [0, 0]);
    const { batch, threats } = binaryScene([1, 1, 10, 10], [new Float32Array(100)]);
    const [outcome] = await sda.run(jobOf(oracle, batch, [untargeted(0)], threats), sda.defaults);
    expect(differing(outcome!.inputs!.x!, new Float32Array(100))).toEqual([7]);
  });

  it('keeps to the mask of the sample', async () => {
    const network = randomNet(1);
    const x = bits(128, 1, 0);
    const mask = Float32Array.from({ length: 128 }, (_, i) => (i % 3 === 0 ? 0 : 1));
    const { batch, threats } = binaryScene(shape, [x], { mask });
    const goals = [untargeted(argmax(network.forward(x)))];
    const [outcome] = await sda.run(jobOf(networkOracle(network, 4), batch, goals, threats), sda.defaults);
    expect(outcome!.status).toBe('success');
    for (const i of differing(outcome!.inputs!.x!, x)) expect(i % 3).not.toBe(0);
  });

  it('ends without an example where the gradient is zero everywhere and no flip helps', async () => {
    const oracle = linearOracle({ x: [new Array(128).fill(0), new Array(128).fill(0)] }, [1, 0]);
    const { batch, threats } = binaryScene(shape, [bits(128, 'dead')]);
    for (const mode of ['ours', 'reference']) {
      const options = { ...sda.defaults, mode, iterations: 20 };
      const [outcome] = await sda.run(jobOf(oracle, batch, [untargeted(0)], threats), options);
      expect(outcome!.status).toBe('failure');
      expect(outcome!.inputs).toBeUndefined();
    }
  });

  it('comes to an example by chance where the gradient is zero and flips help', async () => {
    const network = randomNet(2);
    const dead = (oracle: GradientOracle): GradientOracle => ({
      ...oracle,
      async gradient(probes, losses) {
        const answer = await oracle.gradient(probes, losses);
        return { ...answer, gradient: answer.gradient.map(() => ({ x: new Float32Array(128) })) };
      },
    });
    const x = bits(128, 2, 0);
    const { batch, threats } = binaryScene(shape, [x]);
    const goals = [untargeted(argmax(network.forward(x)))];
    const [outcome] = await sda.run(jobOf(dead(networkOracle(network, 4)), batch, goals, threats), sda.defaults);
    expect(outcome!.status).toBe('success');
  });

  it('gives a sample up that needs more than the budget only where told to', async () => {
    const weights = [new Array(100).fill(0), new Array(100).fill(1)];
    const run = async (beyond: boolean) => {
      const oracle = linearOracle({ x: weights }, [89.5, 0]);
      const { batch, threats } = binaryScene([1, 1, 10, 10], [new Float32Array(100)], { eps: 3 });
      const [outcome] = await sda.run(jobOf(oracle, batch, [untargeted(0)], threats), { ...sda.defaults, beyond });
      return { outcome: outcome!, forwards: oracle.counts(0).forwards };
    };
    const [with_, without] = [await run(true), await run(false)];
    expect(differing(with_.outcome.inputs!.x!, new Float32Array(100))).toHaveLength(90);
    expect(without.outcome.status).toBe('failure');
    expect(without.forwards).toBeLessThan(with_.forwards / 2);
  });

  it('claims a proof in the trace only where its questions were allowed to give it', async () => {
    const network = randomNet(3);
    const x = bits(128, 3, 0);
    const goals = [untargeted(argmax(network.forward(x)))];
    const run = async (queries: number, options = {}) => {
      const oracle = networkOracle(network, 4);
      const { batch, threats } = binaryScene(shape, [x]);
      const job = { ...jobOf(oracle, batch, goals, threats), queries: [queries] };
      const [outcome] = await sda.run(job, { ...sda.defaults, ...options });
      return { outcome: outcome!, asked: oracle.counts(0).queries };
    };
    const whole = await run(1e6);
    expect(whole.outcome.trace!.minimal).toBe(true);
    const short = await run(whole.asked - 1);
    expect(short.outcome.status).toBe('success');
    expect(short.outcome.trace!.minimal).toBeUndefined();
    expect((await run(1e6, { reduce: 'prefix' })).outcome.trace!.minimal).toBeUndefined();
  });

  it('refuses what it cannot flip, naming the input', async () => {
    const oracle = linearOracle({ x: randomWeights(2, 12, 'levels') }, [0, 0]);
    const batch = [sampleOf('a', { x: new Float32Array(12) })];
    const counts = [{ x: lpThreat(specOf([12]), { norm: 'l0', eps: 3 }) }];
    await expect(async () => sda.run(jobOf(oracle, batch, [untargeted(0)], counts), sda.defaults)).rejects.toThrow(/"x"/);
    const flat = [{ x: lpThreat(binarySpec([12]), { norm: 'l0', eps: 3 }) }];
    const polar = { ...sda.defaults, polarity: 'on' };
    await expect(async () => sda.run(jobOf(oracle, batch, [untargeted(0)], flat), polar)).rejects.toThrow(/polarity.*"x"/);
    const timed = binaryScene(shape, [new Float32Array(128)]);
    const late = { ...sda.defaults, from: 4 };
    const zeros = linearOracle({ x: randomWeights(2, 128, 'late') }, [0, 0]);
    await expect(async () => sda.run(jobOf(zeros, timed.batch, [untargeted(0)], timed.threats), late)).rejects.toThrow(
      /from is 4, but input "x" has 4 time steps/,
    );
  });
});

describe('the fixtures through ONNX, PDSG and the runtime', () => {
  const nets = new Map<string, SpikingNet>();
  beforeAll(async () => {
    for (const of of sdaCases)
      nets.set(of.name, await openSpiking(of as unknown as Parameters<typeof openSpiking>[0], of.expected.cleanLogits.length));
  });
  afterAll(async () => {
    for (const net of nets.values()) await net.release();
  });

  it.each(sdaCases.map((of) => [of.name, of] as const))(
    'mode reference flips what the golden case flips: %s',
    async (name, of) => {
      const { batch, goals, threats } = sceneOf(of);
      const options = { ...sda.defaults, mode: 'reference', k: of.sda.kInit, iterations: of.sda.maxIterations };
      const [outcome] = await sda.run(jobOf(nets.get(name)!.oracle(), batch, goals, threats), options);
      expect(outcome!.inputs === undefined ? [] : differing(outcome!.inputs.x!, of.input)).toEqual(of.expected.flips);
    },
  );

  it('gives the same bits for any split of the batch, and needs no more flips than the reference', async () => {
    const of = sdaCase('sda-conv');
    const net = nets.get(of.name)!;
    const inputs = [of.input, ...[0, 1, 2].map((k) => bits(of.input.length, 'split', k))];
    const { batch, threats } = binaryScene([of.T, ...frameShape(of)], inputs);
    const labels = await net.oracle().labels(batch.map(({ inputs: x }, index) => ({ of: index, inputs: x })));
    const goals = labels.map(untargeted);
    const together = await sda.run(jobOf(net.oracle(), batch, goals, threats), sda.defaults);
    for (const k of batch.keys()) {
      const alone = jobOf(net.oracle(), [batch[k]!], [goals[k]!], [threats[k]!]);
      expect(await sda.run(alone, sda.defaults)).toEqual([together[k]]);
    }
    expect(differing(together[0]!.inputs!.x!, of.input).length).toBeLessThanOrEqual(of.expected.L0);
  });
});

describe('foremost', () => {
  it('is a stable sort cut short, without what is below 0', () => {
    const random = stream('foremost');
    for (const k of [0, 1, 3, 10, 50, 100]) {
      const values = Float64Array.from({ length: 50 }, () => random.integer(20) - 5);
      const sorted = Array.from(values.keys())
        .filter((i) => values[i]! >= 0)
        .sort((a, b) => values[b]! - values[a]! || a - b);
      expect(foremost(values, k)).toEqual(sorted.slice(0, k));
    }
  });
});
