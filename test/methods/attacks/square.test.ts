/** @file Square attack: what it reaches on linear models, which regions it asks about, what it costs. */
import { describe, expect, it } from 'vitest';
import { stream } from '../../../src/core/tensor/random.ts';
import { sizeOf } from '../../../src/core/tensor/tensor.ts';
import type { Goal } from '../../../src/kit/losses/loss.ts';
import type { InputSpec } from '../../../src/kit/model/model.ts';
import { lpThreat } from '../../../src/kit/threat/lp.ts';
import type { Norm, Threat } from '../../../src/kit/threat/threat.ts';
import { readOptions, square } from '../../../src/methods/attacks/index.ts';
import { shareAt } from '../../../src/methods/attacks/square.ts';
import { specOf } from '../../kit/threat/spec.ts';
import { jobOf, linearOracle, randomWeights, sampleOf, untargeted, type Weights } from './linear.ts';

const image = specOf([3, 8, 8], { modality: 'image', bounds: 'unbounded' });

/** A linear model of two classes whose first leads by 1 at x, and the smallest change that reaches the other one. */
function linear(spec: InputSpec, key: string, values: (uniform: number) => number = (v) => v) {
  const n = sizeOf(spec.shape);
  const random = stream('square', key);
  const x = Float32Array.from({ length: n }, () => values(random.uniform()));
  const weights = randomWeights(2, n, key);
  const slope = weights[1]!.map((w, i) => w - weights[0]![i]!);
  const oracle = linearOracle({ x: weights }, [1 + slope.reduce((sum, w, i) => sum + w * x[i]!, 0), 0]);
  const radius = { linf: 1 / slope.reduce((sum, w) => sum + Math.abs(w), 0), l2: 1 / Math.hypot(...slope) };
  const run = async (norm: Norm, eps: number, options: Record<string, unknown> = {}, threat?: Threat) => {
    oracle.probes.length = 0;
    const threats = [{ x: threat ?? lpThreat(spec, { norm, eps }) }];
    const [outcome] = await square.run(
      jobOf(oracle, [sampleOf(key, { x })], [untargeted(0)], threats),
      readOptions(square, options),
    );
    return outcome!;
  };
  return { x, slope, oracle, radius, run };
}

describe('on a linear model', () => {
  const { radius, run } = linear(image, 'closed form');

  it('linf: succeeds at 1.1 times the smallest budget that can, and never below it', async () => {
    expect((await run('linf', 1.1 * radius.linf)).status).toBe('success');
    expect((await run('linf', 0.999 * radius.linf)).status).toBe('failure');
  });

  it('l2: succeeds at 2 times it, and never below', async () => {
    expect((await run('l2', 2 * radius.l2)).status).toBe('success');
    expect((await run('l2', 0.999 * radius.l2, { queries: 1000 })).status).toBe('failure');
  });

  it('more queries never lose a success, and begin with the same ones', async () => {
    for (const [norm, factor] of [
      ['linf', 1.6],
      ['l2', 3],
    ] as const) {
      const found = [];
      for (const queries of [5, 40, 150, 600, 2000]) found.push((await run(norm, factor * radius[norm], { queries })).foundAt);
      const first = found.find((at) => at !== undefined)!;
      found.forEach((at, k) => {
        expect(at).toBe(first <= [5, 40, 150, 600, 2000][k]! ? first : undefined);
      });
      expect(found.at(-1)).toBe(first);
      expect(first).toBeGreaterThan(5);
    }
  });

  it('a larger budget needs no more than a smaller one by much: success rises with eps', async () => {
    const statuses = [];
    for (const factor of [0.5, 0.9, 1.15, 1.5, 3]) statuses.push((await run('linf', factor * radius.linf)).status);
    expect(statuses).toEqual(['failure', 'failure', 'success', 'success', 'success']);
  });
});

describe('what it asks', () => {
  it('is one forward pass per query, and as many as announced (D12)', async () => {
    const flat = linearOracle({ x: [new Array(192).fill(0), new Array(192).fill(0)] }, [1, 0]);
    const options = readOptions(square, { queries: 70, restarts: 2 });
    const job = jobOf(
      flat,
      [sampleOf('a', { x: new Float32Array(192) })],
      [untargeted(0)],
      [{ x: lpThreat(image, { norm: 'l2', eps: 1 }) }],
    );
    expect((await square.run(job, options))[0]!.status).toBe('failure');
    expect(flat.counts(0)).toEqual({ forwards: 140, backwards: 0, queries: 140 });
    expect(square.passes(options, { classes: 2, norms: ['l2'] })).toEqual({ forwards: 140, backwards: 0 });
  });

  it('ends at the limit of the job', async () => {
    const { oracle, x } = linear(image, 'limit');
    const job = {
      ...jobOf(oracle, [sampleOf('a', { x })], [untargeted(0)], [{ x: lpThreat(image, { norm: 'linf', eps: 1e-6 }) }]),
      queries: [33],
    };
    await square.run(job, square.defaults);
    expect(oracle.counts(0).queries).toBe(33);
  });

  it('follows the schedule of the original, and stretches it where asked', () => {
    const changes = Array.from({ length: 9000 }, (_, k) => k).filter((k) => k > 0 && shareAt(k, 0.8) !== shareAt(k - 1, 0.8));
    expect(changes).toEqual([11, 51, 201, 501, 1001, 2001, 4001, 6001, 8001]);
    expect(shareAt(8001, 0.8)).toBe(0.8 / 512);
    expect(shareAt(6, 0.8, 5000)).toBe(0.4);
    expect(shareAt(4001, 0.8, 5000)).toBe(0.8 / 512);
  });

  it('a misclassified sample has a negative margin: two more classes behind the label do not count as its rivals (D12)', async () => {
    const oracle = linearOracle({ x: [[-1], [0], [0]] }, [0.05, 0, -1]);
    const job = jobOf(
      oracle,
      [sampleOf('a', { x: Float32Array.of(0) })],
      [untargeted(0)],
      [{ x: lpThreat(specOf([1]), { norm: 'linf', eps: 0.2 }) }],
    );
    const [outcome] = await square.run(job, square.defaults);
    expect(outcome!.status).toBe('success');
    expect(outcome!.trace!.lead.at(-1)).toBeCloseTo(-0.15, 6);
  });

  it('reference leaves the last row and column to the stripes, ours does not', async () => {
    const touched = async (mode: string) => {
      const { oracle, run } = linear(image, 'reach');
      await run('linf', 1e-6, { mode, queries: 400 });
      const [start, ...others] = oracle.probes.map(({ inputs }) => inputs.x!);
      return Array.from(start!.keys()).filter((i) => others.some((x) => x[i] !== start![i]));
    };
    const rows = (elements: number[]) => new Set(elements.map((i) => Math.floor(i / 8) % 8));
    expect(rows(await touched('reference')).has(7)).toBe(false);
    expect(rows(await touched('ours'))).toEqual(new Set([0, 1, 2, 3, 4, 5, 6, 7]));
  });

  it('reference asks about proposals that change nothing, ours does not', async () => {
    const { oracle, slope, run } = linear(specOf([1, 6, 6], { modality: 'image', bounds: 'unbounded' }), 'fresh');
    const idle = async (mode: string) => {
      await run('linf', 1e-6, { mode, queries: 300 });
      let best = Number.NEGATIVE_INFINITY;
      let kept = '';
      let count = 0;
      for (const { inputs } of oracle.probes) {
        const gain = slope.reduce((sum, w, i) => sum + w * inputs.x![i]!, 0);
        if (inputs.x!.join() === kept) count++;
        if (gain > best) [best, kept] = [gain, inputs.x!.join()];
      }
      return count;
    };
    expect(await idle('reference')).toBeGreaterThan(50);
    expect(await idle('ours')).toBe(0);
  });
});

describe('on any signal', () => {
  const signals = [
    specOf([5, 6, 6, 2], { modality: 'video', layout: 'NTHWC', bounds: 'unbounded' }),
    specOf([240], { modality: 'audio', layout: 'NT', bounds: 'unbounded' }),
    specOf([40, 6], { modality: 'physiology', layout: 'NTC', bounds: 'unbounded' }),
    specOf([3, 10, 8], { modality: 'skeleton', layout: 'NCTV', bounds: 'unbounded' }),
    specOf([30], { modality: 'features', layout: 'NF', bounds: 'unbounded' }),
  ];

  it.each(signals.map((spec) => [spec.modality, spec] as const))(
    '%s: succeeds above the radius, in linf and l2',
    async (modality, spec) => {
      const { radius, run } = linear(spec, modality);
      expect((await run('linf', 1.3 * radius.linf)).status).toBe('success');
      expect((await run('l2', 3 * radius.l2)).status).toBe('success');
      expect((await run('linf', 0.99 * radius.linf, { queries: 300 })).status).toBe('failure');
    },
  );

  it('a binary input is flipped, to exactly 0 or 1', async () => {
    const spec = specOf([4, 2, 6, 6], { modality: 'events', layout: 'NTPHW', domain: 'binary', storage: 'binary' });
    const { x, slope, oracle, run } = linear(spec, 'binary', (v) => (v < 0.1 ? 1 : 0));
    // the fewest flips: those that gain most, until 1 is made up for
    const gains = slope.map((w, i) => (x[i] === 0 ? w : -w)).sort((a, b) => b - a);
    let fewest = 0;
    for (let sum = 0; sum <= 1; fewest++) sum += gains[fewest]!;
    const found = await run('l2', Math.sqrt(2 * fewest));
    expect(found.status).toBe('success');
    expect((await run('l2', Math.sqrt(fewest - 1), { queries: 500 })).status).toBe('failure');
    expect((await run('linf', 1)).status).toBe('success');
    for (const { inputs } of oracle.probes) expect(inputs.x!.every((v) => v === 0 || v === 1)).toBe(true);
    const changed = found.inputs!.x!.filter((v, i) => v !== x[i]);
    expect(changed.length).toBeLessThanOrEqual(2 * fewest);
    expect(await run('linf', 0.9)).toMatchObject({ status: 'failure' });
  });

  it('keeps to the mask', async () => {
    const { x, oracle, run } = linear(image, 'masked');
    const mask = Float32Array.from({ length: 192 }, (_, i) => Number(i % 8 < 4));
    for (const norm of ['linf', 'l2'] as const) {
      await run(norm, 0.01, { queries: 200 }, lpThreat(image, { norm, eps: 0.01, mask }));
      for (const { inputs } of oracle.probes) expect(inputs.x!.every((v, i) => mask[i] === 1 || v === x[i])).toBe(true);
      expect(oracle.probes.at(-1)!.inputs.x).not.toEqual(x);
    }
  });

  it('two inputs: a query changes one of them, each keeps its own budget and norm, both are needed', async () => {
    const specs = {
      image: specOf([1, 6, 6], { modality: 'image' }),
      pose: specOf([9, 2], { modality: 'skeleton', layout: 'NVC', bounds: 'unbounded' }),
    };
    const weights: Weights = {
      image: [new Array(36).fill(0), new Array(36).fill(1)],
      pose: [new Array(18).fill(0), new Array(18).fill(1)],
    };
    const inputs = { image: new Float32Array(36).fill(0.5), pose: new Float32Array(18) };
    // at most 3.6 from the image, .5 sqrt(18) = 2.12 from the pose
    const oracle = linearOracle(weights, [18 + 5, 0]);
    const threats = {
      image: lpThreat(specs.image, { norm: 'linf', eps: 0.1 }),
      pose: lpThreat(specs.pose, { norm: 'l2', eps: 0.5 }),
    };
    const [outcome] = await square.run(jobOf(oracle, [sampleOf('a', inputs)], [untargeted(0)], [threats]), square.defaults);
    expect(outcome!.status).toBe('success');
    let both = 0;
    oracle.probes.forEach(({ inputs: point }, k) => {
      expect(threats.image.size(point.image!.map((v) => v - 0.5))).toBeLessThanOrEqual(0.1 + 1e-6);
      expect(threats.pose.size(point.pose!)).toBeLessThanOrEqual(0.5 + 1e-6);
      const before = oracle.probes[k - 1]?.inputs;
      if (before !== undefined && String(point.image) !== String(before.image) && String(point.pose) !== String(before.pose))
        both++;
    });
    // both where a rejected change of one input is taken back while the other one is tried
    expect(both).toBeLessThan(0.7 * oracle.probes.length);
    const alone = linearOracle({ image: weights.image! }, [18 + 3.7, 0]);
    const [never] = await square.run(
      jobOf(alone, [sampleOf('a', { image: inputs.image })], [untargeted(0)], [{ image: threats.image }]),
      readOptions(square, { queries: 300 }),
    );
    expect(never!.status).toBe('failure');
  });

  it('targeted: reaches the class asked for', async () => {
    const n = 192;
    const oracle = linearOracle({ x: randomWeights(4, n, 'targeted') }, [2, 0, 0, 0]);
    for (const target of [1, 2, 3]) {
      const goal: Goal = { kind: 'targeted', label: 0, target };
      const job = jobOf(
        oracle,
        [sampleOf('a', { x: new Float32Array(n) })],
        [goal],
        [{ x: lpThreat(image, { norm: 'linf', eps: 0.3 }) }],
      );
      const [outcome] = await square.run(job, square.defaults);
      expect(outcome!.status).toBe('success');
      expect(await oracle.labels([{ of: 0, inputs: outcome!.inputs! }])).toEqual([target]);
    }
  });
});

it('refuses options that mean nothing', () => {
  expect(() => readOptions(square, { p: 0 })).toThrow(/p is 0/);
  expect(() => readOptions(square, { queries: 0 })).toThrow(/queries/);
  expect(() => readOptions(square, { mode: 'other' })).toThrow(/mode/);
});
