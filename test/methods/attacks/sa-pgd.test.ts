/** @file SA-PGD against its update rule stated a second time in plain numbers, and on linear models whose answer is known. */
import { describe, expect, it } from 'vitest';
import { stream } from '../../../src/core/tensor/random.ts';
import type { Goal } from '../../../src/kit/losses/loss.ts';
import type { GradientOracle } from '../../../src/kit/model/oracle.ts';
import { lpThreat } from '../../../src/kit/threat/lp.ts';
import type { ThreatOptions } from '../../../src/kit/threat/threat.ts';
import { apgd } from '../../../src/methods/attacks/apgd.ts';
import { windowsOf } from '../../../src/methods/attacks/halving-pace.ts';
import { saPgd } from '../../../src/methods/attacks/sa-pgd.ts';
import { specOf } from '../../kit/threat/spec.ts';
import { jobOf, linearOracle, randomWeights, sampleOf, untargeted } from './linear.ts';

const { defaults } = saPgd;
const n = 12;
const random = stream('sa-pgd');
const x = Float32Array.from({ length: n }, () => random.uniform());

/** Answers with the gradients of a script, one after the other, whatever the point; never fooled. */
function scripted(script: readonly (readonly number[])[]): GradientOracle & { readonly points: Float32Array[] } {
  const points: Float32Array[] = [];
  return {
    points,
    classes: 2,
    counts: () => ({ forwards: 0, backwards: 0, queries: 0 }),
    labels: async (probes) => probes.map(() => 0),
    logits: async (probes) => {
      points.push(...probes.map(({ inputs }) => inputs.x!.slice()));
      return probes.map(() => Float32Array.of(1, 0));
    },
    gradient: async (probes) => {
      const gradient = probes.map(() => ({ x: Float32Array.from(script[points.length]!) }));
      points.push(...probes.map(({ inputs }) => inputs.x!.slice()));
      return { loss: probes.map(() => 0), logits: probes.map(() => Float32Array.of(1, 0)), gradient };
    },
  };
}

const eps = 0.2;

async function points(
  script: readonly (readonly number[])[],
  options: Partial<typeof defaults>,
  more: Partial<ThreatOptions> = {},
) {
  const oracle = scripted(script);
  const threat = { x: lpThreat(specOf([n]), { norm: 'linf', eps, ...more }) };
  await saPgd.run(jobOf(oracle, [sampleOf('a', { x })], [untargeted(0)], [threat]), {
    ...defaults,
    steps: script.length,
    ...options,
  });
  return oracle.points.map((point) => Array.from(point));
}

/** The points after the first, from the paper's sentences: L1-normalised momentum, second moment, clipped step, ball, bounds. */
function stated(
  from: readonly number[],
  script: readonly (readonly number[])[],
  lengths: readonly number[],
  { momentum = 0.5, squares = 0.8, mask = new Float32Array(n).fill(1) } = {},
): number[][] {
  const free = mask.reduce((sum, may) => sum + may, 0);
  let m = new Array<number>(n).fill(0);
  let v = new Array<number>(n).fill(0);
  let at = [...from];
  return script.map((slopes, k) => {
    const g = slopes.map((value, i) => value * mask[i]!);
    const mean = g.reduce((sum, value) => sum + Math.abs(value), 0) / free;
    const power = g.reduce((sum, value) => sum + value ** 2, 0) / free;
    m = m.map((value, i) => momentum * value + (mean === 0 ? 0 : g[i]! / mean));
    v = v.map((value, i) => squares * value + (power === 0 ? 0 : g[i]! ** 2 / power));
    const length = lengths[k]!;
    at = at.map((value, i) => {
      const step = Math.max(-length, Math.min(length, (length * m[i]!) / (Math.sqrt(v[i]!) + 1e-12)));
      const inBall = Math.max(x[i]! - eps, Math.min(x[i]! + eps, value + step));
      return Math.max(0, Math.min(1, inBall));
    });
    return at;
  });
}

/** Gradients of all sizes and signs, some elements zero now and then, one gradient all zeros. */
const script = Array.from({ length: 25 }, (_, k) =>
  Array.from({ length: n }, (__, i) => {
    const value = Math.fround(random.normal() * 10 ** (3 * random.uniform() - 2));
    return k === 7 || (i === 3 && k % 3 === 0) ? 0 : value;
  }),
);
/** 25 steps: the first window has 5, and the others (0.03 x 25 < 1, so 1 less each) 4, 3, 2, then 1 each. */
const lengths = [1, 1, 1, 1, 1, 2, 2, 2, 2, 4, 4, 4, 8, 8, ...Array.from({ length: 11 }, (_, i) => 2 ** (4 + i))].map(
  (by) => eps / by,
);

describe('the update rule', () => {
  it.each([{}, { momentum: 0, squares: 0.3 }, { momentum: 0.9, squares: 0 }])('on scripted gradients, %j', async (keep) => {
    const [start, ...walked] = await points(script, keep);
    const expected = stated(start!, script, lengths, keep);
    expect(walked).toHaveLength(script.length);
    walked.forEach((point, k) => {
      point.forEach((value, i) => {
        expect(Math.abs(value - expected[k]![i]!), `step ${k}, element ${i}`).toBeLessThan(1e-6);
      });
    });
    // the script moves every element, and not all of them to the ends of the ball
    const inside = walked.at(-1)!.filter((value, i) => Math.abs(value - x[i]!) < 0.99 * eps);
    expect(inside.length).toBeGreaterThan(2);
  });

  it('begins on the surface of the ball, another place for every restart', async () => {
    const twice = [...script.slice(0, 3), script[0]!, ...script.slice(0, 4)];
    const all = await points(twice, { steps: 3, restarts: 2 }, {});
    const starts = [all[0]!, all[4]!];
    for (const start of starts) {
      const change = start.map((value, i) => Math.abs(value - x[i]!));
      expect(Math.max(...change)).toBeLessThanOrEqual(eps + 1e-6);
    }
    expect(starts[0]).not.toEqual(starts[1]);
    // momentum and lengths begin anew
    const again = stated(starts[1]!, twice.slice(4, 5), [eps]);
    all[5]!.forEach((value, i) => {
      expect(value).toBeCloseTo(again[0]![i]!, 6);
    });
  });

  it('what a mask forbids counts in no mean, and a scale is a unit of length', async () => {
    const mask = Float32Array.from({ length: n }, (_, i) => +(i % 3 !== 0));
    const [start, ...walked] = await points(script, {}, { mask });
    for (const i of [0, 3, 6, 9]) expect(start![i]).toBe(x[i]);
    const expected = stated(start!, script, lengths, { mask });
    walked.forEach((point, k) => {
      point.forEach((value, i) => {
        expect(Math.abs(value - expected[k]![i]!), `step ${k}, element ${i}`).toBeLessThan(1e-6);
      });
    });
    // a gradient twice as steep in an element twice as free is the same step in its own unit
    const scale = Float32Array.from({ length: n }, (_, i) => (i < 6 ? 1 : 0.5));
    const wide = specOf([n], { bounds: 'unbounded' });
    const walk = async (s: Float32Array, gradients: readonly (readonly number[])[]) => {
      const oracle = scripted(gradients);
      const threat = { x: lpThreat(wide, { norm: 'linf', eps, scale: s }) };
      await saPgd.run(jobOf(oracle, [sampleOf('a', { x })], [untargeted(0)], [threat]), { ...defaults, steps: gradients.length });
      return oracle.points.map((point) => point.map((value, i) => (value - x[i]!) / s[i]!));
    };
    const plain = await walk(new Float32Array(n).fill(1), script);
    const scaled = await walk(
      scale,
      script.map((g) => g.map((value, i) => value / scale[i]!)),
    );
    scaled.forEach((u, k) => {
      u.forEach((value, i) => {
        expect(Math.abs(value - plain[k]![i]!)).toBeLessThan(2e-6);
      });
    });
  });

  it('windows of 100 steps are those of APGD: 22, 19, 16, 13, 10, 7, then 6', () => {
    const windows = windowsOf(100);
    expect(Array.from({ length: 9 }, () => windows.next().value)).toEqual([22, 19, 16, 13, 10, 7, 6, 6, 6]);
  });
});

describe('on linear models', () => {
  const weights = randomWeights(2, n, 'sa-pgd');
  const slope = weights[1]!.map((w, i) => w - weights[0]![i]!);
  const bias = [1 + slope.reduce((sum, w, i) => sum + w * x[i]!, 0), 0];
  const radius = 1 / slope.reduce((sum, w) => sum + Math.abs(w), 0);
  const attack = async (size: number, goal: Goal, loss: string, model = { weights, bias }) => {
    const oracle = linearOracle({ x: model.weights }, model.bias);
    const threat = { x: lpThreat(specOf([n], { bounds: 'unbounded' }), { norm: 'linf', eps: size }) };
    const [outcome] = await saPgd.run(jobOf(oracle, [sampleOf('a', { x })], [goal], [threat]), { ...defaults, loss, steps: 30 });
    return { outcome: outcome!, oracle };
  };

  it.each(['ce', 'margin'])(
    '%s: succeeds just above the smallest budget that can, 1 / |w|_1, and fails just below',
    async (loss) => {
      expect((await attack(1.001 * radius, untargeted(0), loss)).outcome.status).toBe('success');
      const { outcome, oracle } = await attack(0.999 * radius, untargeted(0), loss);
      expect(outcome.status).toBe('failure');
      expect(oracle.counts(0)).toMatchObject({ forwards: 31, backwards: 30 });
    },
  );

  it('targeted: reaches the class asked for', async () => {
    const five = { weights: randomWeights(5, n, 'sa-pgd'), bias: [20, 0, 0, 0, 0] };
    for (const target of [1, 2, 3, 4]) {
      const { outcome, oracle } = await attack(5, { kind: 'targeted', label: 0, target }, 'ce', five);
      expect(outcome.status).toBe('success');
      expect(await oracle.labels([{ of: 0, inputs: outcome.inputs! }])).toEqual([target]);
    }
  });

  it.each([
    [{ momentum: 1 }, 'momentum is 1, but must be 0 or more and below 1'],
    [{ squares: -0.1 }, 'squares is -0.1'],
    [{ steps: 0 }, 'steps is 0'],
    [{ loss: 'dlr' }, 'loss is'],
  ])('refuses %j', (given, message) => {
    expect(saPgd.check!({ ...defaults, ...given })).toContain(message);
  });

  it('starts where APGD starts', async () => {
    const first = async (which: typeof saPgd | typeof apgd) => {
      const oracle = scripted(script);
      const threat = { x: lpThreat(specOf([n]), { norm: 'linf', eps }) };
      await which.run(jobOf(oracle, [sampleOf('a', { x })], [untargeted(0)], [threat]), { ...which.defaults, steps: 2 } as never);
      return oracle.points[0];
    };
    expect(await first(saPgd)).toEqual(await first(apgd));
  });
});
