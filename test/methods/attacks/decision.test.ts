/** @file The attacks that see labels only, on linear models whose nearest example is known. */
import { describe, expect, it } from 'vitest';
import { stream } from '../../../src/core/tensor/random.ts';
import type { Goal } from '../../../src/kit/losses/loss.ts';
import { decisionView } from '../../../src/kit/model/make-oracle.ts';
import { lpThreat } from '../../../src/kit/threat/lp.ts';
import type { Norm, Threat } from '../../../src/kit/threat/threat.ts';
import type { Attack } from '../../../src/methods/attacks/attack.ts';
import { boundary, hopSkipJump } from '../../../src/methods/attacks/index.ts';
import { startCosts } from '../../../src/methods/attacks/random-start.ts';
import { specOf } from '../../kit/threat/spec.ts';
import { jobOf, linearOracle, randomWeights, sampleOf, untargeted } from './linear.ts';

/** A model of labels alone: logits and gradients are not there to be read. */
function labelsOnly(weights: Record<string, number[][]>, bias: readonly number[]) {
  const recording = linearOracle(weights, bias);
  return { oracle: decisionView(recording), probes: recording.probes, counts: recording.counts };
}

/** Two classes, and samples inside (0.3, 0.7) with a lead of 1 along the weights. */
function scene(n: number, seed: number) {
  const weights = randomWeights(2, n, 'decision', seed);
  const random = stream('decision', seed);
  const x = Float32Array.from({ length: n }, () => 0.3 + 0.4 * random.uniform());
  const slope = weights[1]!.map((w, i) => w - weights[0]![i]!);
  const bias = [1 + slope.reduce((sum, w, i) => sum + w * x[i]!, 0), 0];
  return { weights, x, slope, bias, sample: sampleOf(`d${seed}`, { x }) };
}

const shortest: Partial<Record<Norm, (slope: readonly number[]) => number>> = {
  l2: (slope) => 1 / Math.hypot(...slope),
  linf: (slope) => 1 / slope.reduce((sum, w) => sum + Math.abs(w), 0),
};

const run = (attack: Attack<'decision'>, options: object, job: ReturnType<typeof jobOf>) =>
  attack.run(job as never, { ...attack.defaults, ...options });

const all = [
  [hopSkipJump as Attack<'decision'>, 'l2', {}],
  [hopSkipJump as Attack<'decision'>, 'linf', {}],
  [boundary as Attack<'decision'>, 'l2', {}],
] as const;
const named = all.map(([attack, norm]) => [attack.name, norm, attack] as const);

describe.each(named)('%s in %s', (_, norm, attack) => {
  const change = (x: Float32Array, x0: Float32Array) => x.map((value, i) => value - x0[i]!);

  it.each([
    [12, 'unbounded', 1.02],
    [12, { lower: 0, upper: 1 }, 1.02],
    [64, 'unbounded', 1.06],
    [64, { lower: 0, upper: 1 }, 1.06],
  ] as const)('%i elements, bounds %j: comes within a ratio of %f of the nearest example', async (n, bounds, ratio) => {
    const { weights, bias, x, slope, sample } = scene(n, 1);
    const { oracle } = labelsOnly({ x: weights }, bias);
    const threat = lpThreat(specOf([n], { bounds }), { norm, eps: 0.3 });
    const [outcome] = await run(attack, {}, jobOf(oracle, [sample], [untargeted(0)], [{ x: threat }]));
    const found = threat.size(change(outcome!.inputs!.x!, x)) / shortest[norm]!(slope);
    expect(found).toBeGreaterThan(1 - 1e-5);
    expect(found).toBeLessThan(ratio);
  });

  it('a sample without a start fails alone, after the tries (D23)', async () => {
    const { weights, bias, sample } = scene(12, 2);
    // a third class that never wins
    const { oracle, counts } = labelsOnly({ x: [...weights, new Array(12).fill(0)] }, [...bias, -1e6]);
    const threat = lpThreat(specOf([12]), { norm, eps: 0.3 });
    const never: Goal = { kind: 'targeted', label: 0, target: 2 };
    const other: Goal = { kind: 'targeted', label: 0, target: 1 };
    const batch = [sample, sampleOf('never', sample.inputs), sampleOf('too', sample.inputs)];
    const threats = batch.map(() => ({ x: threat }));
    const options = attack.name === 'boundary' ? { steps: 200 } : { queries: 400 };
    const outcomes = await run(attack, options, jobOf(oracle, batch, [other, never, untargeted(0)], threats));
    expect(outcomes.map(({ status }) => status)).toEqual(['success', 'failure', 'success']);
    expect(counts(1).queries).toBe(100);
    expect(startCosts(100)).toBeGreaterThanOrEqual(100);
  });

  it('asks no more than the run allows, and keeps what it had found by then', async () => {
    const { weights, bias, sample } = scene(12, 3);
    const threat = lpThreat(specOf([12]), { norm, eps: 0.3 });
    for (const limit of [1, 37, 200]) {
      const { oracle, counts } = labelsOnly({ x: weights }, bias);
      const job = { ...jobOf(oracle, [sample], [untargeted(0)], [{ x: threat }]), queries: [limit] };
      const [outcome] = await run(attack, {}, job);
      expect(counts(0).queries).toBeLessThanOrEqual(limit);
      expect(outcome!.status).toBe(limit === 1 ? 'failure' : 'success');
    }
  });

  it('two inputs, one of them unbounded, under mask and scale: what is masked stays', async () => {
    const weights = { image: randomWeights(2, 8, 'image'), pose: randomWeights(2, 6, 'pose') };
    const inputs = { image: Float32Array.from([0, 1, 0, 1, 1, 0, 0.5, 0.5]), pose: new Float32Array(6) };
    const z = [0, 1].map((c) => weights.image[c]!.reduce((sum, w, i) => sum + w * inputs.image[i]!, 0));
    const { oracle, probes } = labelsOnly(weights, [1 + z[1]! - z[0]!, 0]);
    const mask = Float32Array.from([1, 1, 1, 1, 1, 1, 1, 0]);
    const threats: Record<string, Threat> = {
      image: lpThreat(specOf([8]), { norm, eps: 0.5, mask }),
      pose: lpThreat(specOf([6], { bounds: 'unbounded' }), { norm, eps: 2, scale: new Float32Array(6).fill(3) }),
    };
    const options = attack.name === 'boundary' ? { steps: 1500 } : { queries: 1500 };
    const job = jobOf(oracle, [sampleOf('two', inputs)], [untargeted(0)], [threats]);
    const [outcome] = await run(attack, options, job);
    expect(outcome!.status).toBe('success');
    const { image, pose } = outcome!.inputs as typeof inputs;
    expect(pose.some((value) => value !== 0)).toBe(true);
    // values at the ends of the box move too (D5)
    expect([0, 1, 2, 3, 4, 5].some((i) => image[i] !== inputs.image[i])).toBe(true);
    for (const probe of probes) {
      expect(probe.inputs.image![7]).toBe(0.5);
      expect(probe.inputs.image!.every((value) => value >= 0 && value <= 1)).toBe(true);
    }
    // against the nearest example without bounds: two thirds of the image's elements can move one way only
    const slope = [
      ...weights.image[1]!.map((w, i) => (w - weights.image[0]![i]!) * mask[i]!),
      ...weights.pose[1]!.map((w, i) => (w - weights.pose[0]![i]!) * 12),
    ];
    const u = [...change(image, inputs.image), ...pose.map((value) => value / 12)];
    const size = norm === 'l2' ? Math.hypot(...u) : Math.max(...u.map(Math.abs));
    expect(size).toBeLessThan(1.25 * shortest[norm]!(slope));
  });

  it('an input whose budget is 0 stays as it is, and does not keep the other from the nearest example', async () => {
    const { weights, bias, x, slope } = scene(20, 3);
    const inputs = { x, still: new Float32Array(6).fill(0.5) };
    const { oracle } = labelsOnly({ x: weights, still: [new Array(6).fill(0), new Array(6).fill(0)] }, bias);
    const threat = lpThreat(specOf([20]), { norm, eps: 0.3 });
    const threats = { x: threat, still: lpThreat(specOf([6]), { norm, eps: 0 }) };
    const [outcome] = await run(attack, {}, jobOf(oracle, [sampleOf('still', inputs)], [untargeted(0)], [threats]));
    expect(outcome!.inputs!.still).toEqual(inputs.still);
    expect(threat.size(change(outcome!.inputs!.x!, x)) / shortest[norm]!(slope)).toBeLessThan(1.05);
  });
});

describe('options', () => {
  it.each([
    [hopSkipJump, { gamma: 0 }, /gamma is 0/],
    [hopSkipJump, { evaluations: 1 }, /evaluations is 1/],
    [hopSkipJump, { tries: 0 }, /tries is 0/],
    [boundary, { adaptation: 1 }, /adaptation is 1/],
    [boundary, { every: 0 }, /every is 0/],
  ] as const)('%o %j is refused', (attack, given, complaint) => {
    expect((attack as Attack).check!({ ...attack.defaults, ...given })).toMatch(complaint);
    expect((attack as Attack).check!(attack.defaults)).toBeUndefined();
  });
});
