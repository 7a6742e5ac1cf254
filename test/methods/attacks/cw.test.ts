/** @file C&W: on linear models it comes within a hundredth of the smallest l2 change, and where other implementations stand still or lose the image, it does not. */
import { describe, expect, it } from 'vitest';
import { leadOf } from '../../../src/kit/losses/loss.ts';
import { lpThreat } from '../../../src/kit/threat/lp.ts';
import type { Attack } from '../../../src/methods/attacks/attack.ts';
import { cw } from '../../../src/methods/attacks/cw.ts';
import { specOf } from '../../kit/threat/spec.ts';
import { smallestOverClasses } from './exact.ts';
import { jobOf, linearOracle, randomWeights, sampleOf, untargeted } from './linear.ts';
import { penalised } from './penalised.ts';

const { attacked, inside, binary } = penalised(cw as Attack, 'l2', { steps: 300 });

describe('on linear models, over the smallest l2 change there is', () => {
  it.each([
    ['two classes, options as they are', { given: {} }, 1.005],
    ['no bounds', { unbounded: true }, 1.005],
    ['200 elements, where the first steps of Adam overshoot the boundary with any c', { n: 200 }, 1.01],
    ['bounds in the way: every value is 0 or 1', { values: binary, gap: 1 }, 1.01],
    // the margin leads to the class that is next in logits, which need not be the nearest
    ['five classes', { classes: 5 }, 1.05],
  ] as const)('%s', async (_, scene, limit) => {
    const { ratio } = await attacked(scene);
    expect(ratio).toBeGreaterThan(1 - 1e-5);
    expect(ratio).toBeLessThan(limit);
  });

  it('mode reference reaches it too, within bounds that are not in the way', async () => {
    expect((await attacked({ given: { mode: 'reference', steps: 300 } })).ratio).toBeLessThan(1.01);
  });

  it('does not mind in what units the input is', async () => {
    const weights = randomWeights(2, 12, 'cw');
    const sizes = [];
    for (const width of [1, 255]) {
      const x = inside(12).map((value) => value * width);
      const scaled = weights.map((row) => row.map((w) => w / width));
      const bias = scaled.map((row, c) => (c === 0 ? 0.3 : 0) - row.reduce((sum, w, i) => sum + w * x[i]!, 0));
      const threat = lpThreat(specOf([12], { bounds: { lower: 0, upper: width } }), { norm: 'l2', eps: width });
      const job = jobOf(linearOracle({ x: scaled }, bias), [sampleOf('a', { x })], [untargeted(0)], [{ x: threat }]);
      const [outcome] = await cw.run(job, { ...cw.defaults, steps: 200 });
      sizes.push(Math.hypot(...outcome!.inputs!.x!.map((value, i) => value - x[i]!)) / width);
    }
    expect(sizes[1]! / sizes[0]!).toBeCloseTo(1, 3);
  });
});

describe('where others go wrong', () => {
  it('a model that cannot be attacked: failure, and nothing proposed (D3)', async () => {
    const oracle = linearOracle({ x: [new Array(4).fill(0), new Array(4).fill(0)] }, [1, 0]);
    const x = Float32Array.from([0, 1, 0.5, 0.5]);
    const threat = lpThreat(specOf([4]), { norm: 'l2', eps: 1 });
    for (const mode of ['ours', 'reference']) {
      const job = jobOf(oracle, [sampleOf('a', { x })], [untargeted(0)], [{ x: threat }]);
      const [outcome] = await cw.run(job, { ...cw.defaults, steps: 50, mode });
      expect(outcome!.status).toBe('failure');
      expect(outcome!.inputs).toBeUndefined();
    }
  });

  it('the margin of [-1, -5, -7] at class 0 is 4, and its gradient is used where all logits are negative (D4)', async () => {
    expect(leadOf(untargeted(0), [-1, -5, -7])).toBe(4);
    const weights = randomWeights(3, 8, 'negative');
    const x = new Float32Array(8).fill(0.5);
    const bias = weights.map((row, c) => [-101, -102, -103][c]! - row.reduce((sum, w, i) => sum + w * x[i]!, 0));
    const threat = lpThreat(specOf([8]), { norm: 'l2', eps: 1 });
    const job = jobOf(linearOracle({ x: weights }, bias), [sampleOf('a', { x })], [untargeted(0)], [{ x: threat }]);
    expect((await cw.run(job, { ...cw.defaults, steps: 100 }))[0]!.status).toBe('success');
  });

  it('an image of zeros and ones is moved (D5), by steps that leave it where it is through tanh', async () => {
    const { outcome, x } = await attacked({ values: binary, given: { steps: 200 } });
    expect(outcome.status).toBe('success');
    const moved = outcome.inputs!.x!.filter((value, i) => Math.abs(value - x[i]!) > 1e-3).length;
    expect(moved).toBeGreaterThan(3);
    const through = await attacked({ values: binary, given: { steps: 200, mode: 'reference' } });
    expect(through.outcome.status).toBe('failure');
  });

  it('abort is each sample its own: one that is done at once changes nothing for one that is not (D18)', async () => {
    const weights = randomWeights(2, 6, 'mates');
    const x = new Float32Array(6).fill(0.5);
    const at = (k: number) => weights.map((row, c) => (c === 0 ? k : 0) - row.reduce((sum, w, i) => sum + w * x[i]!, 0));
    const threat = lpThreat(specOf([6]), { norm: 'l2', eps: 1 });
    const oracle = () => linearOracle({ x: weights }, at(0.4));
    const flat = sampleOf('flat', { x: x.map((value, i) => value - 0.2 * Math.sign(weights[1]![i]! - weights[0]![i]!)) });
    const run = async (batch: readonly ReturnType<typeof sampleOf>[]) =>
      cw.run(
        jobOf(
          oracle(),
          batch,
          batch.map(() => untargeted(0)),
          batch.map(() => ({ x: threat })),
        ),
        { ...cw.defaults, steps: 100 },
      );
    const a = sampleOf('a', { x });
    const [alone] = await run([a]);
    expect((await run([flat, a, flat]))[1]).toEqual(alone);
  });

  it('targeted: the class asked for, at the smallest change that reaches it (D21)', async () => {
    for (const target of [1, 2, 3]) {
      const { outcome, oracle, size, x, weights, bias } = await attacked({
        classes: 4,
        n: 30,
        goal: { kind: 'targeted', label: 0, target },
        given: { steps: 150 },
      });
      expect(await oracle.labels([{ of: 0, inputs: outcome.inputs! }])).toEqual([target]);
      const toLabel = smallestOverClasses('l2', [weights[0]!, weights[target]!], [bias[0]!, bias[target]!], x, 0, {
        low: Array.from(x, (value) => -value),
        high: Array.from(x, (value) => 1 - value),
      });
      // the other classes may be in the way
      expect(size).toBeGreaterThan(toLabel * (1 - 1e-5));
      expect(size).toBeLessThan(toLabel * 1.3);
    }
  });

  it('kappa: examples are that many logits beyond the boundary', async () => {
    const { outcome, oracle, ratio } = await attacked({ given: { kappa: 0.3, steps: 300 } });
    const [z] = await oracle.logits([{ of: 0, inputs: outcome.inputs! }]);
    expect(leadOf(untargeted(0), z!)).toBeLessThanOrEqual(-0.3);
    // twice as far on a linear model whose lead is 0.3
    expect(ratio).toBeGreaterThan(1.99);
    expect(ratio).toBeLessThan(2.02);
  });
});

it('moves two inputs, weighing them by their budgets', async () => {
  const weights = { a: randomWeights(2, 5, 'a'), b: randomWeights(2, 7, 'b') };
  const inputs = { a: new Float32Array(5).fill(0.5), b: new Float32Array(7).fill(3) };
  const z = [0, 1].map((c) =>
    Object.entries(weights).reduce(
      (sum, [name, rows]) => sum + rows[c]!.reduce((s, w, i) => s + w * inputs[name as 'a']![i]!, 0),
      0,
    ),
  );
  const oracle = linearOracle(weights, [0.5 - z[0]!, -z[1]!]);
  const threats = {
    a: lpThreat(specOf([5]), { norm: 'l2', eps: 1 }),
    b: lpThreat(specOf([7], { bounds: 'unbounded' }), { norm: 'l2', eps: 2 }),
  };
  const [outcome] = await cw.run(jobOf(oracle, [sampleOf('a', inputs)], [untargeted(0)], [threats]), {
    ...cw.defaults,
    steps: 200,
  });
  const slopes = (name: 'a' | 'b') => weights[name][1]!.map((w, i) => w - weights[name][0]![i]!);
  const best = 0.5 / Math.hypot(...slopes('a'), ...slopes('b').map((s) => 2 * s));
  const deltas = (name: 'a' | 'b') => Array.from(outcome!.inputs![name]!, (value, i) => value - inputs[name][i]!);
  const size = Math.hypot(...deltas('a'), ...deltas('b').map((d) => d / 2));
  expect(size / best).toBeGreaterThan(1 - 1e-5);
  expect(size / best).toBeLessThan(1.01);
});
