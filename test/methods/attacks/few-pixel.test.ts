/** @file Few-pixel attack: what it reaches on linear models, what a pixel is in every modality, what it costs. */
import { describe, expect, it } from 'vitest';
import { stream } from '../../../src/core/tensor/random.ts';
import { sizeOf } from '../../../src/core/tensor/tensor.ts';
import type { Goal } from '../../../src/kit/losses/loss.ts';
import type { InputSpec } from '../../../src/kit/model/model.ts';
import { lpThreat } from '../../../src/kit/threat/lp.ts';
import { evolve } from '../../../src/methods/attacks/evolution.ts';
import { fewPixel, readOptions } from '../../../src/methods/attacks/index.ts';
import { specOf } from '../../kit/threat/spec.ts';
import { jobOf, linearOracle, randomWeights, sampleOf, untargeted } from './linear.ts';

const image = specOf([3, 6, 6], { modality: 'image' });
const quick = { population: 100, generations: 30 };

/** A linear model of two classes whose first leads by `lead` at x, and the change it takes to make that up. */
function linear(spec: InputSpec, key: string, lead: number, values: (uniform: number) => number = (v) => v) {
  const n = sizeOf(spec.shape);
  const random = stream('few-pixel', key);
  const x = Float32Array.from({ length: n }, () => values(random.uniform()));
  const weights = randomWeights(2, n, key);
  const slope = weights[1]!.map((w, i) => w - weights[0]![i]!);
  const oracle = linearOracle({ x: weights }, [lead + slope.reduce((sum, w, i) => sum + w * x[i]!, 0), 0]);
  /** What an element can gain between 0 and 1. */
  const gains = slope.map((w, i) => (w > 0 ? w * (1 - x[i]!) : -w * x[i]!));
  const run = async (eps: number, options: Record<string, unknown> = quick, mask?: Float32Array) => {
    oracle.probes.length = 0;
    const threats = [{ x: lpThreat(spec, { norm: 'l0', eps, ...(mask === undefined ? {} : { mask }) }) }];
    const [outcome] = await fewPixel.run(
      jobOf(oracle, [sampleOf(key, { x })], [untargeted(0)], threats),
      readOptions(fewPixel, options),
    );
    return outcome!;
  };
  const changed = (point: Float32Array): number[] => Array.from(x.keys()).filter((i) => point[i] !== x[i]);
  return { x, oracle, gains, run, changed };
}

describe('on a linear model', () => {
  it('one pixel: succeeds where the best one just can, never where none can; the best is known', async () => {
    const { gains } = linear(image, 'one', 0);
    const best = Math.max(...Array.from({ length: 36 }, (_, place) => gains[place]! + gains[place + 36]! + gains[place + 72]!));
    const { run, changed } = linear(image, 'one', 0.9 * best);
    const found = await run(3, {});
    expect(found.status).toBe('success');
    expect(new Set(changed(found.inputs!.x!).map((i) => i % 36)).size).toBe(1);
    expect((await linear(image, 'one', 1.001 * best).run(3)).status).toBe('failure');
  });

  it('several: succeeds comfortably above the fewest that can, never below', async () => {
    const spec = specOf([40], { modality: 'features' });
    const { gains } = linear(spec, 'several', 0);
    const ordered = [...gains].sort((a, b) => b - a);
    const lead = ordered.slice(0, 4).reduce((a, b) => a + b) - 0.01;
    const { run, changed } = linear(spec, 'several', lead);
    expect((await run(3)).status).toBe('failure');
    const found = await run(8, {});
    expect(found.status).toBe('success');
    expect(changed(found.inputs!.x!).length).toBeLessThanOrEqual(8);
  });

  it('eps pays for elements: pixels are eps / channels, at most those asked for; single elements where it does not pay for one', async () => {
    const { oracle, run, changed } = linear(image, 'paid', 1e6);
    const most = async (eps: number, pixels: string | number) => {
      await run(eps, { population: 30, generations: 3, pixels });
      const all = oracle.probes.map(({ inputs }) => changed(inputs.x!));
      return [Math.max(...all.map((c) => c.length)), Math.max(...all.map((c) => new Set(c.map((i) => i % 36)).size))];
    };
    expect(await most(3, 'auto')).toEqual([3, 1]);
    expect(await most(11, 'auto')).toEqual([9, 3]);
    expect(await most(11, 2)).toEqual([6, 2]);
    expect(await most(5, 4)).toEqual([3, 1]);
    expect(await most(2, 'auto')).toEqual([2, 2]);
    oracle.probes.length = 0;
    expect((await run(0.9)).status).toBe('failure');
    expect(oracle.probes).toHaveLength(0);
  });

  it('more generations and more queries never lose a success', async () => {
    const { gains } = linear(image, 'monotone', 0);
    const best = Math.max(...Array.from({ length: 36 }, (_, place) => gains[place]! + gains[place + 36]! + gains[place + 72]!));
    const { run } = linear(image, 'monotone', 0.85 * best);
    const found = [];
    for (const generations of [1, 3, 8, 20, 40])
      found.push((await run(3, { population: 100, generations, base: 'random' })).foundAt);
    const first = found.find((at) => at !== undefined)!;
    expect(first).toBeGreaterThan(100);
    expect(found.slice(found.indexOf(first))).toEqual(found.slice(found.indexOf(first)).map(() => first));
  });

  it('targeted: reaches the class asked for', async () => {
    const oracle = linearOracle({ x: randomWeights(4, 108, 'targeted') }, [2, 0, 0, 0]);
    for (const target of [1, 2, 3]) {
      const goal: Goal = { kind: 'targeted', label: 0, target };
      const threats = [{ x: lpThreat(image, { norm: 'l0', eps: 24 }) }];
      const job = jobOf(oracle, [sampleOf('a', { x: new Float32Array(108) })], [goal], threats);
      const [outcome] = await fewPixel.run(job, readOptions(fewPixel, quick));
      expect(outcome!.status).toBe('success');
      expect(await oracle.labels([{ of: 0, inputs: outcome!.inputs! }])).toEqual([target]);
    }
  });
});

describe('a pixel', () => {
  /** Elements changed together in every question, for one pixel. */
  const together = async (spec: InputSpec, eps: number, values?: (uniform: number) => number) => {
    const { oracle, run, changed } = linear(spec, `${spec.modality} ${spec.layout}`, 1e6, values);
    await run(eps, { population: 40, generations: 2, pixels: 1 });
    return oracle.probes.map(({ inputs }) => changed(inputs.x!));
  };

  it.each([
    ['NCHW', [3, 4, 5], 20],
    ['NHWC', [4, 5, 3], 1],
  ] as const)('of a picture %s is all channels at a place', async (layout, shape, step) => {
    for (const elements of await together(specOf(shape, { modality: 'image', layout }), 3))
      expect(elements).toEqual([0, 1, 2].map((c) => elements[0]! + c * step));
  });

  it('of a signal is all channels at a time step; of features one element', async () => {
    for (const elements of await together(specOf([4, 25], { modality: 'physiology', layout: 'NCT' }), 4))
      expect(elements).toEqual([0, 1, 2, 3].map((c) => elements[0]! + c * 25));
    for (const elements of await together(specOf([25], { modality: 'features' }), 1)) expect(elements).toHaveLength(1);
  });

  it('of a skeleton is a joint at a time step', async () => {
    for (const elements of await together(specOf([3, 5, 7], { modality: 'skeleton', layout: 'NCTV' }), 3))
      expect(elements).toEqual([0, 1, 2].map((c) => elements[0]! + c * 35));
    for (const elements of await together(specOf([5, 21], { modality: 'skeleton', layout: 'NTC' }), 3)) {
      expect(elements).toEqual([0, 1, 2].map((c) => elements[0]! + c));
      expect(elements[0]! % 3).toBe(0);
    }
  });

  it('of events is a bin of both polarities, which flip or stay', async () => {
    const spec = specOf([2, 2, 4, 4], { modality: 'events', layout: 'NTPHW', domain: 'binary', storage: 'binary' });
    const { oracle, gains, run, changed } = linear(spec, 'events', 1e6, Math.round);
    await run(2, { population: 60, generations: 2 });
    const sizes = new Set<number>();
    for (const { inputs } of oracle.probes) {
      const elements = changed(inputs.x!);
      sizes.add(elements.length);
      expect(inputs.x!.every((v) => v === 0 || v === 1)).toBe(true);
      if (elements.length === 2) expect(elements[1]! - elements[0]!).toBe(16);
    }
    expect(sizes).toEqual(new Set([0, 1, 2]));
    const best = Math.max(...gains);
    const single = linear(spec, 'events', 0.99 * best, Math.round);
    expect((await single.run(1)).status).toBe('success');
  });

  it('stays within what the sample holds where there are no bounds, and outside the mask nothing changes', async () => {
    const spec = specOf([2, 20], { modality: 'physiology', layout: 'NCT', bounds: 'unbounded' });
    const { x, oracle, run, changed } = linear(spec, 'unbounded', 1e6, (v) => 6 * v - 3);
    const mask = Float32Array.from({ length: 40 }, (_, i) => Number(i % 20 < 10));
    await run(6, { population: 60, generations: 3 }, mask);
    const seen = new Set(oracle.probes.flatMap(({ inputs }) => changed(inputs.x!)));
    expect(Math.max(...Array.from(seen, (i) => i % 20))).toBe(9);
    const values = oracle.probes.flatMap(({ inputs }) => Array.from(inputs.x!));
    expect(Math.min(...values)).toBeGreaterThanOrEqual(Math.min(...x) - 1e-6);
    expect(Math.max(...values)).toBeLessThanOrEqual(Math.max(...x) + 1e-6);
    const flat = linear(spec, 'constant', 0.5, () => 0);
    expect((await flat.run(20)).status).toBe('success');
  });

  it('of two inputs: each has its own eps', async () => {
    const weights = {
      image: [new Array(48).fill(0), new Array(48).fill(1)],
      pose: [new Array(10).fill(0), new Array(10).fill(1)],
    };
    const oracle = linearOracle(weights, [5, 0]);
    const threats = {
      image: lpThreat(specOf([3, 4, 4], { modality: 'image' }), { norm: 'l0', eps: 6 }),
      pose: lpThreat(specOf([10]), { norm: 'l0', eps: 1 }),
    };
    const sample = sampleOf('a', { image: new Float32Array(48), pose: new Float32Array(10) });
    const [outcome] = await fewPixel.run(jobOf(oracle, [sample], [untargeted(0)], [threats]), readOptions(fewPixel, quick));
    expect(outcome!.status).toBe('success');
    for (const { inputs } of oracle.probes) {
      expect(threats.image.size(inputs.image!)).toBeLessThanOrEqual(6);
      expect(threats.pose.size(inputs.pose!)).toBeLessThanOrEqual(1);
    }
    const beyond = linearOracle(weights, [7.01, 0]);
    const [never] = await fewPixel.run(jobOf(beyond, [sample], [untargeted(0)], [threats]), readOptions(fewPixel, quick));
    expect(never!.status).toBe('failure');
  });
});

describe('differential evolution', () => {
  it.each([
    ['random', 60],
    ['best', 30],
  ] as const)('with the base %s finds the minimum of a sphere', (base, generations) => {
    const cost = (genes: Float64Array): number => genes.reduce((sum, g, k) => sum + (g - 0.2 - 0.15 * k) ** 2, 0);
    const evolution = evolve({ genes: 4, population: 40, mutation: 0.5, recombination: 1, base }, stream('sphere', base));
    evolution.select(evolution.individuals, evolution.individuals.map(cost));
    for (let g = 0; g < generations; g++) {
      const trials = evolution.mutants();
      for (const trial of trials) expect(trial.every((gene) => gene >= 0 && gene < 1)).toBe(true);
      evolution.select(trials, trials.map(cost));
    }
    expect(Math.min(...evolution.individuals.map(cost))).toBeLessThan(1e-4);
  });

  it('says when its costs have come together', () => {
    const evolution = evolve({ genes: 2, population: 20, mutation: 0.5, recombination: 1, base: 'best' }, stream('converged'));
    const cost = (genes: Float64Array): number => (genes[0]! - 0.5) ** 2 + genes[1]!;
    evolution.select(evolution.individuals, evolution.individuals.map(cost));
    expect(evolution.converged()).toBe(false);
    let generations = 0;
    for (; !evolution.converged() && generations < 200; generations++) {
      const trials = evolution.mutants();
      evolution.select(trials, trials.map(cost));
    }
    expect(generations).toBeGreaterThan(5);
    expect(generations).toBeLessThan(100);
  });

  it('recombination 0 changes exactly one gene; a worse trial does not live', () => {
    const evolution = evolve({ genes: 6, population: 10, mutation: 0.5, recombination: 0, base: 'random' }, stream('single'));
    const before = evolution.individuals.slice();
    const trials = evolution.mutants();
    trials.forEach((trial, i) => {
      expect(trial.filter((gene, g) => gene !== before[i]![g])).toHaveLength(1);
    });
    evolution.select(
      before,
      before.map(() => 1),
    );
    evolution.select(
      trials,
      trials.map((_, i) => (i === 3 ? 0 : 2)),
    );
    expect(evolution.individuals.map((individual, i) => individual === before[i])).toEqual(before.map((_, i) => i !== 3));
  });
});

it('costs what it announces, and stops at the limit of the job', async () => {
  const { oracle, x } = linear(image, 'limit', 1e6);
  const options = readOptions(fewPixel, { population: 70, generations: 4 });
  const job = jobOf(oracle, [sampleOf('a', { x })], [untargeted(0)], [{ x: lpThreat(image, { norm: 'l0', eps: 3 }) }]);
  await fewPixel.run(job, options);
  expect(oracle.counts(0)).toEqual({ forwards: 350, backwards: 0, queries: 350 });
  expect(fewPixel.passes(options, { classes: 2, norms: ['l0'] })).toEqual({ forwards: 350, backwards: 0 });
  await fewPixel.run({ ...job, queries: [101] }, options);
  expect(oracle.counts(0).queries).toBe(451);
});

it('refuses options that mean nothing', () => {
  expect(() => readOptions(fewPixel, { pixels: 0 })).toThrow(/pixels/);
  expect(() => readOptions(fewPixel, { population: 3 })).toThrow(/population/);
  expect(() => readOptions(fewPixel, { base: 'worst' })).toThrow(/base/);
});
