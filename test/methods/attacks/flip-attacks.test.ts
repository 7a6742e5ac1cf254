/** @file Attacks on inputs of zeros and ones, on linear models whose fewest flips are known, and what each of them does in particular. */
import { describe, expect, it } from 'vitest';
import { UserError } from '../../../src/core/errors.ts';
import { stream } from '../../../src/core/tensor/random.ts';
import type { Options } from '../../../src/kit/options.ts';
import { lpThreat } from '../../../src/kit/threat/lp.ts';
import type { Attack } from '../../../src/methods/attacks/attack.ts';
import { mostGaining } from '../../../src/methods/attacks/flip-gains.ts';
import { attackNamed, attacks, readOptions } from '../../../src/methods/attacks/registry.ts';
import { specOf } from '../../kit/threat/spec.ts';
import { briskOptions } from './brisk.ts';
import { binarySpec, type FlipScene, flipScene } from './flips.ts';
import { jobOf, linearOracle, randomWeights, sampleOf, untargeted } from './linear.ts';

const named = (name: string): Attack => attackNamed(name);
const flipping = ['random-flip', 'greedy-flip', 'top-k-flip', 'scg', 'spike-fool', 'gumbel-flip'];

async function found(name: string, scene: FlipScene, options: Options = {}) {
  const made = flipScene(scene);
  const outcomes = await made.run(named(name), options);
  return { ...made, outcomes, counts: outcomes.map((outcome, k) => made.flips(k, outcome)) };
}

describe('the fewest flips of a linear model', () => {
  // how many times the fewest: on a linear model the gradient tells them apart
  it.each([
    ['greedy-flip', {}, 1],
    ['greedy-flip', { k: 4 }, 1],
    ['greedy-flip', { reduce: 'none' }, 1],
    ['top-k-flip', { reduce: 'minimal' }, 1.1],
    ['top-k-flip', { reduce: 'prefix', loss: 'margin', gradient: 'once' }, 1.1],
    ['spike-fool', { reduce: 'minimal' }, 1.1],
    ['spike-fool', { lambda: 1 }, 1.25],
    ['scg', { reduce: 'minimal' }, 1.25],
    ['gumbel-flip', { reduce: 'minimal' }, 1.25],
    ['fmn', {}, 1],
    ['sigma-zero', {}, 1.1],
    ['jsma', {}, 1],
  ] as const)('%s %j', async (name, options, most) => {
    for (const [gap, shape] of [
      [12, [3, 2, 4, 4]],
      [60, [5, 2, 8, 8]],
    ] as const) {
      const { counts, fewest } = await found(name, { gap, shape, seed: gap }, options);
      counts.forEach((count, k) => {
        expect(count).toBeGreaterThanOrEqual(fewest[k]!);
        expect(count / fewest[k]!).toBeLessThanOrEqual(most);
      });
    }
  });

  it('the random control needs many times more, and its flips halve between success and failure', async () => {
    const { counts, fewest } = await found('random-flip', { gap: 3, seed: 3 });
    for (const [k, count] of counts.entries()) expect(count).toBeGreaterThan(2 * fewest[k]!);
  });
});

describe.each(flipping)('%s', (name) => {
  it('leaves what the mask holds, and fails where nothing else helps', async () => {
    const mask = Float32Array.from({ length: 96 }, (_, i) => i % 2);
    const { outcomes, batch, oracle, counts, fewest } = await found(name, { gap: 4, mask, seed: 5 });
    const points = outcomes.flatMap(({ inputs }, of) => (inputs ? [{ of, inputs }] : []));
    expect(points.length).toBeGreaterThan(0);
    for (const { of, inputs } of [...points, ...oracle.probes])
      for (let i = 0; i < 96; i += 2) expect(inputs.x![i]).toBe(batch[of]!.inputs.x![i]);
    counts.forEach((count, k) => {
      expect(count).toBeGreaterThanOrEqual(fewest[k]!);
    });
    const closed = await found(name, { gap: 1, mask: new Float32Array(96) });
    expect(closed.outcomes.every(({ status }) => status === 'failure')).toBe(true);
  });

  it.each([
    ['insert', 0],
    ['delete', 1],
  ] as const)('%s changes nothing but %is', async (flips, from) => {
    const { batch, oracle, counts, fewest } = await found(name, { gap: 2, seed: 8, may: (value) => value === from }, { flips });
    expect(counts.some(Number.isFinite)).toBe(true);
    for (const { of, inputs } of oracle.probes)
      inputs.x!.forEach((value, i) => {
        const x = batch[of]!.inputs.x![i]!;
        if (value !== x) expect(x).toBe(from);
      });
    counts.forEach((count, k) => {
      expect(count).toBeGreaterThanOrEqual(fewest[k]!);
    });
  });

  it('reduced to the minimum, no flip can be restored alone, and the cost stays within what is announced', async () => {
    const { outcomes, batch, oracle, n } = await found(name, { gap: 8, seed: 2 }, { reduce: 'minimal' });
    const announced = named(name).passes(
      { ...briskOptions(named(name)), reduce: 'minimal' },
      { classes: 2, norms: ['l0'], elements: n },
    );
    let tried = 0;
    for (const [of, { inputs }] of outcomes.entries()) {
      expect(oracle.counts(of).forwards).toBeLessThanOrEqual(announced.forwards);
      expect(oracle.counts(of).backwards).toBeLessThanOrEqual(announced.backwards);
      if (inputs === undefined) continue;
      const x = batch[of]!.inputs.x!;
      const restored = Array.from(x.keys())
        .filter((i) => inputs.x![i] !== x[i])
        .map((k) => ({ of, inputs: { ...batch[of]!.inputs, x: inputs.x!.map((value, i) => (i === k ? x[i]! : value)) } }));
      tried += restored.length;
      expect(outcomes[of]!.trace!.minimal).toBe(true);
      expect((await oracle.labels(restored)).every((label) => label === 0)).toBe(true);
    }
    expect(tried).toBeGreaterThan(0);
  });

  it('reaches a class aimed at', async () => {
    const oracle = linearOracle({ x: randomWeights(4, 96, 'aim') }, [0, 0, 0, 0]);
    const batch = [0, 1].map((k) => {
      const random = stream('aim', k);
      return sampleOf(`s${k}`, { x: Float32Array.from({ length: 96 }, () => +(random.uniform() < 0.3)) });
    });
    const labels = await oracle.labels(batch.map(({ inputs }, of) => ({ of, inputs })));
    const goals = labels.map((label) => ({ kind: 'targeted', label, target: (label + 2) % 4 }) as const);
    const threat = { x: lpThreat(binarySpec([3, 2, 4, 4]), { norm: 'l0', eps: 96 }) };
    const job = jobOf(
      oracle,
      batch,
      goals,
      batch.map(() => threat),
    );
    const outcomes = await named(name).run(job, {
      ...briskOptions(named(name)),
      ...(name === 'random-flip' ? { restarts: 40 } : {}),
    });
    for (const [of, { inputs, status }] of outcomes.entries()) {
      expect(status).toBe('success');
      expect(await oracle.labels([{ of, inputs: inputs! }])).toEqual([goals[of]!.target]);
    }
  });

  it('is refused where no input holds two values only, and leaves other inputs beside a binary one alone', async () => {
    const oracle = linearOracle(
      {
        x: [
          [0, 0],
          [3, 3],
        ],
        y: [
          [0, 0],
          [9, 9],
        ],
      },
      [1, 0],
    );
    const sample = sampleOf('a', { x: Float32Array.of(0, 0), y: Float32Array.of(0, 0) });
    const continuous = lpThreat(specOf([2]), { norm: 'l0', eps: 2 });
    const run = (threats: Record<string, typeof continuous>) =>
      named(name).run(jobOf(oracle, [sample], [untargeted(0)], [threats]), briskOptions(named(name)));
    await expect((async () => run({ y: continuous }))()).rejects.toThrow(UserError);
    const [outcome] = await run({ x: lpThreat(binarySpec([2]), { norm: 'l0', eps: 2 }), y: continuous });
    expect(outcome!.status).toBe('success');
    expect(outcome!.inputs!.y).toEqual(Float32Array.of(0, 0));
  });

  it('refuses options it does not know', () => {
    expect(() => readOptions(named(name), { flips: 'some' })).toThrow(
      /flips is "some", but must be one of: both, insert, delete/,
    );
    expect(() => readOptions(named(name), { reduce: 'all' })).toThrow(/reduce is "all"/);
  });
});

describe('queries', () => {
  it.each(flipping)(
    '%s: what was found before they run out is kept, and all of them may be spent on a reduction',
    async (name) => {
      const scene = flipScene({ gap: 3, seed: 3, samples: 1 });
      const job = (queries: number) => ({
        ...jobOf(scene.oracle, scene.batch, [untargeted(0)], [{ x: scene.threat }]),
        queries: [queries],
      });
      const options = { ...briskOptions(named(name)), reduce: 'minimal' };
      const spent = async (queries: number) => {
        const before = scene.oracle.counts(0).queries;
        const [outcome] = await named(name).run(job(queries), options);
        return { outcome: outcome!, asked: scene.oracle.counts(0).queries - before };
      };
      const whole = await spent(1e6);
      for (const queries of [1, whole.asked - 1]) expect((await spent(queries)).asked).toBeLessThanOrEqual(queries);
      expect(whole.outcome.trace!.minimal).toBe(true);
      const short = await spent(whole.asked - 1);
      expect(short.outcome.trace!.minimal).toBeUndefined();
      expect(short.outcome.status).toBe('success');
      expect(short.asked).toBeGreaterThan(whole.asked - 6);
    },
  );
});

describe('the largest gains', () => {
  it('are those of a full sort, the lower index first among equals', () => {
    for (let seed = 0; seed < 50; seed++) {
      const random = stream('gains', seed);
      const gains = Float64Array.from({ length: 40 }, () => random.integer(9) - 3);
      const sorted = Array.from(gains.keys())
        .filter((i) => gains[i]! > 0)
        .sort((a, b) => gains[b]! - gains[a]! || a - b);
      for (const k of [0, 1, 2, 7, 39, 60]) expect(mostGaining(gains, k)).toEqual(sorted.slice(0, k));
    }
  });
});

describe('what an attack does with chance', () => {
  it.each(['random-flip', 'scg', 'gumbel-flip'])('%s: the same seed gives the same flips, another seed others', async (name) => {
    const scene = flipScene({ gap: 10, seed: 4 });
    const points = async (seed: number) => {
      scene.oracle.probes.length = 0;
      await scene.run(named(name), {}, { which: [0], seed });
      return scene.oracle.probes.map(({ inputs }) => inputs.x!.join(''));
    };
    const first = await points(1);
    expect(await points(1)).toEqual(first);
    expect(await points(2)).not.toEqual(first);
  });

  it('scg keeps entries with the chance |g| / max |g|', async () => {
    // 1000 entries of slope 1/4 beside one of slope 1, all at 0: about a quarter of them are set in the first step
    const w = Float32Array.from({ length: 1001 }, (_, i) => (i === 0 ? 1 : 0.25));
    const oracle = linearOracle({ x: [[...w].map(() => 0), [...w]] }, [1e6, 0]);
    const threat = { x: lpThreat(binarySpec([1001]), { norm: 'l0', eps: 1001 }) };
    const job = jobOf(oracle, [sampleOf('a', { x: new Float32Array(1001) })], [untargeted(0)], [threat]);
    await attacks.scg!.run(job, { ...attacks.scg!.defaults, steps: 1, loss: 'margin' });
    const set = oracle.probes.at(-1)!.inputs.x!;
    expect(set[0]).toBe(1);
    const share = set.subarray(1).reduce((sum, v) => sum + v, 0) / 1000;
    // five standard deviations of a binomial share
    expect(Math.abs(share - 0.25)).toBeLessThan(5 * Math.sqrt((0.25 * 0.75) / 1000));
  });

  it('scg turns over a random twentieth where the gradient is 0', async () => {
    const n = 4000;
    const oracle = linearOracle({ x: [new Array(n).fill(0), new Array(n).fill(0)] }, [1, 0]);
    const threat = { x: lpThreat(binarySpec([n]), { norm: 'l0', eps: n }) };
    const x = Float32Array.from({ length: n }, (_, i) => i % 2);
    const job = jobOf(oracle, [sampleOf('a', { x })], [untargeted(0)], [threat]);
    await attacks.scg!.run(job, { ...attacks.scg!.defaults, steps: 1 });
    const turned = oracle.probes.at(-1)!.inputs.x!.filter((value, i) => value !== x[i]).length / n;
    expect(Math.abs(turned - 0.05)).toBeLessThan(5 * Math.sqrt((0.05 * 0.95) / n));
  });
});

describe('what an attack asks', () => {
  it('top-k-flip makes k, 2k, 3k more flips, by one gradient where told so', async () => {
    const { oracle, batch } = await found(
      'top-k-flip',
      { gap: 1e6, samples: 1 },
      { k: 5, steps: 3, gradient: 'once', loss: 'margin' },
    );
    const made = oracle.probes.map(({ inputs }) => inputs.x!.filter((value, i) => value !== batch[0]!.inputs.x![i]).length);
    expect(made).toEqual([0, 5, 15, 30]);
    expect(oracle.counts(0)).toEqual({ forwards: 4, backwards: 1, queries: 4 });
  });

  it('greedy-flip asks for one gradient per flip, and stops where no flip helps', async () => {
    const { oracle, fewest } = await found('greedy-flip', { gap: 12, samples: 1 }, { reduce: 'none' });
    expect(oracle.counts(0)).toEqual({ forwards: fewest[0]! + 1, backwards: fewest[0]! + 1, queries: fewest[0]! + 1 });
    const { outcomes, slope, batch, ...hopeless } = await found('greedy-flip', { gap: 1e6, samples: 1 });
    const helping = slope.filter((w, i) => w * (1 - 2 * batch[0]!.inputs.x![i]!) > 0).length;
    expect(outcomes[0]!.status).toBe('failure');
    expect(hopeless.oracle.counts(0).backwards).toBe(helping + 1);
  });

  it('spike-fool asks about points that round to the same once: few gradients for many steps', async () => {
    const { oracle, fewest, counts } = await found('spike-fool', { gap: 30, shape: [5, 2, 8, 8], samples: 1, seed: 1 });
    expect(counts[0]! / fewest[0]!).toBeLessThanOrEqual(1.25);
    expect(oracle.counts(0).backwards).toBeLessThan(20);
  });

  it('gumbel-flip finds few flips among many, whatever the scale of the logits', async () => {
    // per value changed a thousandth of a logit, or a thousand: what a flip costs follows
    for (const scale of [1e-3, 1, 1e3]) {
      const n = 4 * 2 * 32 * 32;
      const random = stream('scale');
      const slope = Array.from({ length: n }, () => scale * random.normal() ** 3);
      const x = Float32Array.from({ length: n }, () => +(random.uniform() < 0.05));
      const lead = slope.reduce((sum, w, i) => sum + w * x[i]!, 0);
      const gap = 400 * scale;
      const oracle = linearOracle({ x: [slope.map(() => 0), slope] }, [lead + gap, 0]);
      const gains = slope.map((w, i) => w * (1 - 2 * x[i]!)).sort((a, b) => b - a);
      let fewest = 0;
      for (let sum = 0; sum <= gap; fewest++) sum += gains[fewest]!;
      const threat = { x: lpThreat(binarySpec([4, 2, 32, 32]), { norm: 'l0', eps: n }) };
      const gumbel = named('gumbel-flip');
      const job = jobOf(oracle, [sampleOf('a', { x })], [untargeted(0)], [threat]);
      const [outcome] = await gumbel.run(job, { ...gumbel.defaults, samples: 2, reduce: 'prefix' });
      const flips = outcome!.inputs!.x!.filter((value, i) => value !== x[i]).length;
      expect(flips / fewest, `${flips} flips at scale ${scale}`).toBeLessThan(1.5);
    }
  });

  it('gumbel-flip looks no farther than `radius` from an event', async () => {
    const x = new Float32Array(3 * 2 * 8 * 8);
    x[0] = 1;
    const weights = Array.from(x, () => 1);
    const oracle = linearOracle({ x: [weights.map(() => 0), weights] }, [1e6, 0]);
    const spec = specOf([3, 2, 8, 8], { layout: 'NTCHW', domain: 'binary', storage: 'binary', modality: 'events' });
    const job = jobOf(oracle, [sampleOf('a', { x })], [untargeted(0)], [{ x: lpThreat(spec, { norm: 'l0', eps: 400 }) }]);
    await attacks['gumbel-flip']!.run(job, { ...attacks['gumbel-flip']!.defaults, steps: 20, start: 0.999, radius: 1 });
    const moved = new Set<number>();
    for (const { inputs } of oracle.probes) inputs.x!.forEach((value, i) => void (value !== x[i] && moved.add(i)));
    const expected = [0, 1].flatMap((t) =>
      [0, 1].flatMap((c) => [0, 1].flatMap((h) => [0, 1].map((w) => ((t * 2 + c) * 8 + h) * 8 + w))),
    );
    expect([...moved].sort((a, b) => a - b)).toEqual(expected);
  });
});
