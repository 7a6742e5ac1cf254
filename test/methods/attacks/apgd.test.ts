/** @file APGD on models whose answer is known: schedules, closed forms, counts, norms side by side. apgd-peer.test.ts holds it against auto-attack. */
import { describe, expect, it } from 'vitest';
import { stream } from '../../../src/core/tensor/random.ts';
import type { Goal, Loss } from '../../../src/kit/losses/loss.ts';
import type { InputSpec } from '../../../src/kit/model/model.ts';
import type { GradientOracle } from '../../../src/kit/model/oracle.ts';
import { lpThreat } from '../../../src/kit/threat/lp.ts';
import type { Norm, ThreatOptions } from '../../../src/kit/threat/threat.ts';
import { apgd } from '../../../src/methods/attacks/apgd.ts';
import { halvingSchedule } from '../../../src/methods/attacks/halving-pace.ts';
import { specOf } from '../../kit/threat/spec.ts';
import { jobOf, linearOracle, randomWeights, sampleOf, untargeted } from './linear.ts';

const n = 12;
const { defaults } = apgd;
const norms = ['linf', 'l2', 'l1'] as const;
const random = stream('apgd');
const x = Float32Array.from({ length: n }, () => random.uniform());
const weights = randomWeights(2, n, 'apgd');
const slope = weights[1]!.map((w, i) => w - weights[0]![i]!);
/** The lead of class 0 at x is 1. */
const bias = [1 + slope.reduce((sum, w, i) => sum + w * x[i]!, 0), 0];
const radius: Readonly<Record<(typeof norms)[number], number>> = {
  linf: 1 / slope.reduce((sum, w) => sum + Math.abs(w), 0),
  l2: 1 / Math.hypot(...slope),
  l1: 1 / Math.max(...slope.map(Math.abs)),
};

interface Setting {
  readonly oracle?: GradientOracle;
  readonly goal?: Goal;
  readonly spec?: InputSpec;
  readonly more?: Partial<ThreatOptions>;
}

async function attacked(norm: Norm, eps: number, options: Partial<typeof defaults> = {}, setting: Setting = {}) {
  const {
    oracle = linearOracle({ x: weights }, bias),
    goal = untargeted(0),
    spec = specOf([n], { bounds: 'unbounded' }),
    more,
  } = setting;
  const threat = lpThreat(spec, { norm, eps, ...more });
  const [outcome] = await apgd.run(jobOf(oracle, [sampleOf('a', { x })], [goal], [{ x: threat }]), { ...defaults, ...options });
  return { outcome: outcome!, oracle, counts: oracle.counts(0), delta: outcome!.inputs?.x?.map((value, i) => value - x[i]!) };
}

describe('on a linear model without bounds', () => {
  it.each(norms)('%s: succeeds just above the smallest budget that can, and fails just below', async (norm) => {
    for (const loss of ['ce', 'margin', 'targeted-margin']) {
      expect((await attacked(norm, 1.001 * radius[norm], { loss })).outcome.status).toBe('success');
      expect((await attacked(norm, 0.999 * radius[norm], { loss })).outcome.status).toBe('failure');
    }
  });

  it.each(norms)('%s: without early stop it ends at the best point of the ball', async (norm) => {
    const eps = 3 * radius[norm];
    const { delta } = await attacked(norm, eps, { earlyStop: false });
    expect(delta!.reduce((sum, d, i) => sum + d * slope[i]!, 0)).toBeGreaterThan(3 * (norm === 'linf' ? 1 - 1e-6 : 0.999));
  });

  it('l1: ends in the one element of the largest slope', async () => {
    const { delta } = await attacked('l1', 2 * radius.l1, { earlyStop: false });
    const top = slope.map(Math.abs).indexOf(Math.max(...slope.map(Math.abs)));
    expect(delta![top]! / (2 * radius.l1 * Math.sign(slope[top]!))).toBeGreaterThan(0.999);
  });

  it.each(norms)('%s: bounds other than 0 and 1 are met where they bind', async (norm) => {
    const spec = specOf([n], { bounds: { lower: -0.5, upper: 1.25 } });
    const { outcome } = await attacked(norm, 50, { earlyStop: false }, { spec });
    // with so much budget the best point is the corner of the box; in l1 only two thirds of the elements are stepped along
    const steepest = slope.map(Math.abs).sort((p, q) => q - p)[norm === 'l1' ? 3 : n - 1]!;
    outcome.inputs!.x!.forEach((value, i) => {
      if (Math.abs(slope[i]!) >= steepest) expect(value).toBe(slope[i]! > 0 ? 1.25 : -0.5);
      else expect(value >= -0.5 && value <= 1.25).toBe(true);
    });
  });

  it.each(norms)('%s: succeeds wherever a smaller budget did', async (norm) => {
    const found = [];
    for (let k = 1; k <= 8; k++) found.push((await attacked(norm, 0.25 * k * radius[norm])).outcome.status === 'success');
    expect(found).toEqual([false, false, false, found[3], true, true, true, true]);
  });
});

describe('steps', () => {
  const checkpoints = (steps: number, loss: (k: number) => number): number[] => {
    const { hear } = halvingSchedule({ steps, rho: 0.75 });
    let best = Number.NEGATIVE_INFINITY;
    return Array.from({ length: steps }, (_, i) => i + 1).filter((k) => {
      best = Math.max(best, loss(k));
      return hear({ loss: loss(k), before: loss(k - 1), best });
    });
  };

  it('are checked after 22, 41, 57, 70, 80, 87, 93 and 99 of 100, and halved each time where nothing rises', () => {
    expect(checkpoints(100, () => 1)).toEqual([22, 41, 57, 70, 80, 87, 93, 99]);
    expect(checkpoints(10, () => 1)).toEqual([2, 3, 4, 5, 6, 7, 8, 9, 10]);
    expect(checkpoints(1, () => 1)).toEqual([1]);
  });

  it('stay as they are while more than three quarters raise the loss', () => {
    expect(checkpoints(100, (k) => k)).toEqual([]);
    // 16 of 22 steps rise: not more than 16.5; from then on all do
    expect(checkpoints(100, (k) => (k <= 6 ? -k : k))).toEqual([22]);
    expect(checkpoints(100, (k) => (k <= 5 ? -k : k))).toEqual([]);
  });

  it('are halved where the best loss stands still from one checkpoint to the next that did not halve', () => {
    // always rising, but below the best of the first window until step 82
    expect(checkpoints(100, (k) => (k <= 22 ? k : k - 60))).toEqual([41, 70]);
  });

  it.each(['linf', 'l2'] as const)('%s: the fused step is the plain one of threat and momentum, bit for bit', async (norm) => {
    for (const bounds of ['unbounded', { lower: 0.1, upper: 0.95 }] as const) {
      const spec = specOf([n], { bounds });
      // a scale of ones changes nothing, but takes the way of scaled threats: one operation of the threat after the other
      const plain = { more: { scale: new Float32Array(n).fill(1) }, spec };
      for (const eps of [0.5 * radius[norm], 5 * radius[norm]]) {
        const [fused, composed] = [linearOracle({ x: weights }, bias), linearOracle({ x: weights }, bias)];
        const options = { earlyStop: false };
        const ours = await attacked(norm, eps, options, { spec, oracle: fused });
        expect((await attacked(norm, eps, options, { ...plain, oracle: composed })).outcome).toEqual(ours.outcome);
        expect(fused.probes).toHaveLength(101);
        expect(composed.probes).toEqual(fused.probes);
      }
    }
  });

  it('go on past a zero gradient at the start (D6)', async () => {
    const oracle = linearOracle({ x: weights }, bias);
    let asked = 0;
    const late: GradientOracle = {
      ...oracle,
      async gradient(probes, losses) {
        const answer = await oracle.gradient(probes, losses);
        return asked++ > 0 ? answer : { ...answer, gradient: [{ x: new Float32Array(n) }] };
      },
    };
    for (const norm of norms) {
      asked = 0;
      expect((await attacked(norm, 1.01 * radius[norm], {}, { oracle: late })).outcome.status).toBe('success');
    }
  });
});

describe('costs', () => {
  const ask = async (norm: Norm, options: Partial<typeof defaults>, classes = 2) => {
    const rows = Array.from({ length: classes }, () => new Array<number>(n).fill(0));
    const lead = Array.from({ length: classes }, (_, c) => -c);
    const { counts } = await attacked(norm, 0.1, options, { oracle: linearOracle({ x: rows }, lead) });
    expect(apgd.passes({ ...defaults, ...options }, { classes, norms: [norm] })).toEqual({
      forwards: counts.forwards,
      backwards: counts.backwards,
    });
    return [counts.forwards, counts.backwards];
  };

  it('takes the 100 steps it says, and one look at the start; in l1 at three (D1)', async () => {
    expect(await ask('linf', {})).toEqual([101, 101]);
    expect(await ask('l2', { restarts: 3 })).toEqual([303, 303]);
    expect(await ask('l1', {})).toEqual([103, 103]);
    expect(await ask('l1', { steps: 2 })).toEqual([3, 3]);
    expect(await ask('linf', { draws: 4, steps: 5 })).toEqual([24, 24]);
  });

  it('walks once per target, nine at most, after one look at the original', async () => {
    expect(await ask('linf', { loss: 'targeted' }, 12)).toEqual([1 + 9 * 101, 9 * 101]);
    expect(await ask('linf', { loss: 'targeted', targets: 20, steps: 10 }, 5)).toEqual([1 + 4 * 11, 4 * 11]);
    expect(await ask('l1', { loss: 'targeted-margin', restarts: 2, steps: 10 }, 3)).toEqual([1 + 4 * 13, 4 * 13]);
  });

  it('without early stop a run is walked to its end, and is the last one once it succeeded', async () => {
    const { outcome, counts } = await attacked('linf', 2 * radius.linf, { earlyStop: false, restarts: 5 });
    expect([outcome.status, counts.forwards, counts.backwards]).toEqual(['success', 101, 101]);
    expect((await attacked('linf', 2 * radius.linf, {})).counts.forwards).toBeLessThan(5);
  });
});

describe('losses', () => {
  const five = randomWeights(5, n, 'five');

  it('targeted losses take the other classes in the order of the clean logits', async () => {
    for (const [loss, targetOf] of [
      ['targeted', ({ target }: Loss) => target],
      ['targeted-margin', ({ linear }: Loss) => linear!.indexOf(1)],
    ] as const) {
      const lead = five.map((row, c) => [20, 3, 9, 5, 1][c]! - row.reduce((sum, w, i) => sum + w * x[i]!, 0));
      const oracle = linearOracle({ x: five }, lead);
      const aims: (number | undefined)[] = [];
      const watching: GradientOracle = {
        ...oracle,
        gradient(probes, losses) {
          aims.push(...losses.map(targetOf));
          return oracle.gradient(probes, losses);
        },
      };
      await attacked('linf', 1e-3, { loss, steps: 2, targets: 3 }, { oracle: watching });
      expect(aims).toEqual([2, 2, 2, 3, 3, 3, 1, 1, 1]);
    }
  });

  it.each(['ce', 'dlr', 'margin', 'targeted', 'targeted-margin'])(
    '%s reaches the class asked for, not just another',
    async (loss) => {
      for (const target of [1, 2, 3, 4]) {
        const oracle = linearOracle({ x: five }, [20, 0, 0, 0, 0]);
        const goal = { kind: 'targeted', label: 0, target } as const;
        const { outcome } = await attacked('linf', 8, { loss }, { oracle, goal });
        expect(outcome.status).toBe('success');
        expect(await oracle.labels([{ of: 0, inputs: outcome.inputs! }])).toEqual([target]);
      }
    },
  );

  it.each([
    ['dlr', 2, /loss dlr needs at least 3 classes, the model has 2/, 'use loss: margin'],
    ['targeted', 3, /loss targeted needs at least 4 classes, the model has 3/, 'use loss: targeted-margin'],
  ])('%s with %i classes is refused before anything runs', async (loss, classes, message, remedy) => {
    const oracle = linearOracle({ x: randomWeights(classes, n, 'few') }, new Array<number>(classes).fill(0));
    const refused = attacked('linf', 0.1, { loss }, { oracle });
    await expect(refused).rejects.toThrow(message);
    await expect(refused).rejects.toMatchObject({ remedy });
    expect(oracle.probes).toEqual([]);
  });
});

describe('inputs', () => {
  const both = { a: randomWeights(2, 6, 'a'), b: randomWeights(2, 8, 'b'), c: randomWeights(2, 5, 'c') };
  const sample = sampleOf('s', {
    a: Float32Array.from({ length: 6 }, (_, i) => i % 2),
    b: new Float32Array(8),
    c: Float32Array.from({ length: 5 }, (_, i) => i / 4),
  });

  it('each keeps to its own norm, budget, bounds and mask; binary values move (D5)', async () => {
    const mask = Float32Array.of(1, 0, 1, 1, 0, 1, 1, 1);
    const threats = {
      a: lpThreat(specOf([6]), { norm: 'linf', eps: 0.2 }),
      b: lpThreat(specOf([8], { bounds: 'unbounded' }), { norm: 'l2', eps: 0.5, mask }),
      c: lpThreat(specOf([5]), { norm: 'l1', eps: 0.8 }),
    };
    const run = async (lead: number) => {
      const oracle = linearOracle(both, [0, 0]);
      const [z] = await oracle.logits([{ of: 0, inputs: sample.inputs }]);
      const even = linearOracle(both, [lead + z![1]! - z![0]!, 0]);
      const [outcome] = await apgd.run(jobOf(even, [sample], [untargeted(0)], [threats]), { ...defaults, earlyStop: false });
      return outcome!;
    };
    /** The most that the budgets can add to the lead of class 1, input by input. */
    const slopes = Object.fromEntries(
      Object.entries(both).map(([name, [zero, one]]) => [name, one!.map((w, i) => w - zero![i]!)]),
    );
    const gains = {
      a: slopes.a!.reduce((sum, w, i) => sum + Math.max(0, sample.inputs.a![i] === 0 ? w : -w) * 0.2, 0),
      b: 0.5 * Math.hypot(...slopes.b!.filter((_, i) => mask[i] === 1)),
      c:
        0.8 *
        Math.max(
          ...slopes.c!.map((w, i) => ((w > 0 ? 1 - sample.inputs.c![i]! : sample.inputs.c![i]!) >= 0.8 ? Math.abs(w) : 0)),
        ),
    };
    const most = gains.a + gains.b + gains.c;
    const outcome = await run(0.97 * most);
    expect(outcome.status).toBe('success');
    for (const [name, threat] of Object.entries(threats)) {
      const delta = outcome.inputs![name]!.map((value, i) => value - sample.inputs[name]![i]!);
      expect(threat.size(delta)).toBeLessThanOrEqual(threat.eps * (1 + 1e-6));
      expect(threat.size(delta)).toBeGreaterThan(0.5 * threat.eps);
    }
    expect(mask.every((free, i) => free === 1 || outcome.inputs!.b![i] === 0)).toBe(true);
  });

  it('a scale is a unit of its own for every element', async () => {
    const scale = Float32Array.from({ length: n }, (_, i) => 1 + (i % 3));
    for (const norm of norms) {
      const scaled = slope.map((w, i) => Math.abs(w * scale[i]!));
      const dual = { linf: scaled.reduce((a, b) => a + b, 0), l2: Math.hypot(...scaled), l1: Math.max(...scaled) }[norm];
      expect((await attacked(norm, 1.005 / dual, {}, { more: { scale } })).outcome.status).toBe('success');
      expect((await attacked(norm, 0.995 / dual, {}, { more: { scale } })).outcome.status).toBe('failure');
    }
  });
});

it('of a model that draws random numbers the mean gradient leads, and only the last draw counts as success', async () => {
  const oracle = linearOracle({ x: weights }, bias);
  let asked = 0;
  /** Says "fooled" in all draws but the last, and gradients whose noise cancels in the mean of four. */
  const noisy: GradientOracle = {
    ...oracle,
    async gradient(probes, losses) {
      const answer = await oracle.gradient(probes, losses);
      const draws = probes.map(() => asked++ % 4);
      return {
        ...answer,
        logits: answer.logits.map((z, k) => (draws[k] === 3 ? z : Float32Array.of(0, 1))),
        gradient: answer.gradient.map((g, k) => ({ x: g.x!.map((v) => v + [9, -9, 5, -5][draws[k]!]!) })),
      };
    },
  };
  expect((await attacked('linf', 0.99 * radius.linf, { draws: 4 }, { oracle: noisy })).outcome.status).toBe('failure');
  asked = 0;
  expect((await attacked('linf', 1.01 * radius.linf, { draws: 4 }, { oracle: noisy })).outcome.status).toBe('success');
});

it('in l1 an example outside eps is not taken', async () => {
  // the walk begins in 3 eps, where every point that gains more than the lead fools the model
  const { outcome, counts } = await attacked('l1', 0.6 * radius.l1);
  expect(outcome.status).toBe('failure');
  expect(outcome.foundAt).toBeUndefined();
  expect(counts.forwards).toBe(103);
});
