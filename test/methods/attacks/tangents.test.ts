/** @file FAB and DeepFool on linear models: the optimum is known, with bounds and without, for two classes and for more. */
import { describe, expect, it } from 'vitest';
import { stream } from '../../../src/core/tensor/random.ts';
import type { Goal } from '../../../src/kit/losses/loss.ts';
import { argmax } from '../../../src/kit/model/oracle.ts';
import { lpThreat } from '../../../src/kit/threat/lp.ts';
import type { Attack } from '../../../src/methods/attacks/attack.ts';
import type { FlatNorm } from '../../../src/methods/attacks/hyperplane.ts';
import { deepfool, fab, readOptions } from '../../../src/methods/attacks/index.ts';
import { specOf } from '../../kit/threat/spec.ts';
import { type Room, smallestOverClasses } from './exact.ts';
import { jobOf, linearOracle, randomWeights, sampleOf, untargeted } from './linear.ts';

type Options = Readonly<Record<string, number | string | boolean>>;
interface Scene {
  readonly classes: number;
  readonly bounds: 'free' | 'tight' | 'binary';
  readonly seed: number;
}

const n = 20;
const inf = Number.POSITIVE_INFINITY;

/** A linear model and a sample of class `label`: without bounds, with elements near or on [0, 1], or of zeros and ones. */
function sceneOf({ classes, bounds, seed }: Scene) {
  const random = stream('tangents', classes, bounds, seed);
  const weights = randomWeights(classes, n, 'tangents', classes, seed);
  const x = Float32Array.from({ length: n }, () => {
    const value = 2 * random.uniform() - 0.5;
    return bounds === 'free' ? value : bounds === 'binary' ? +(value > 0.5) : Math.min(1, Math.max(0, value));
  });
  const bias = weights.map(() => 0);
  const z = weights.map((row) => row.reduce((sum, w, i) => sum + w * x[i]!, 0));
  const label = argmax(Float32Array.from(z));
  // a lead that takes more than one element to overcome
  bias[label] = 3;
  const room: Room =
    bounds === 'free'
      ? { low: new Array<number>(n).fill(-inf), high: new Array<number>(n).fill(inf) }
      : { low: Array.from(x, (value) => -value), high: Array.from(x, (value) => 1 - value) };
  return { weights, bias, x, label, room, spec: specOf([n], bounds === 'free' ? { bounds: 'unbounded' } : {}) };
}

async function sizeFound(attack: Attack, norm: FlatNorm, scene: ReturnType<typeof sceneOf>, given: Options = {}) {
  const oracle = linearOracle({ x: scene.weights }, scene.bias);
  const threat = lpThreat(scene.spec, { norm, eps: 1 });
  const job = jobOf(oracle, [sampleOf('a', { x: scene.x })], [untargeted(scene.label)], [{ x: threat }]);
  const [outcome] = await attack.run(job, readOptions(attack, given));
  const { inputs } = outcome!;
  if (inputs === undefined) return inf;
  expect(await oracle.labels([{ of: 0, inputs }])).not.toEqual([scene.label]);
  return threat.size(inputs.x!.map((value, i) => value - scene.x[i]!));
}

const cases = (
  [
    ['fab', fab, 1.01, ['linf', 'l2', 'l1'], { steps: 30 }],
    ['fab, targeted', fab, 1.01, ['linf', 'l2', 'l1'], { targets: 9, steps: 10 }],
    ['deepfool', deepfool, 1.0201, ['linf', 'l2'], {}],
  ] as const
).flatMap(([name, attack, ratio, norms, options]) =>
  norms.map((norm) => ({ name, attack: attack as Attack, ratio, norm, options: options as Options })),
);

describe.each(cases)('$name in $norm', ({ attack, ratio, norm, options }) => {
  it.each([
    ['two classes, no bounds', { classes: 2, bounds: 'free' }],
    ['six classes, no bounds', { classes: 6, bounds: 'free' }],
    ['two classes, elements at the bounds', { classes: 2, bounds: 'tight' }],
    ['six classes, elements at the bounds', { classes: 6, bounds: 'tight' }],
    ['six classes, values of 0 and 1 (D5)', { classes: 6, bounds: 'binary' }],
  ] as const)(`%s: at most ${ratio} of the smallest change (D21)`, async (_, facts) => {
    let active = 0;
    for (let seed = 0; seed < 4; seed++) {
      const scene = sceneOf({ ...facts, seed });
      const best = smallestOverClasses(norm, scene.weights, scene.bias, scene.x, scene.label, scene.room);
      const unbounded = { low: scene.room.low.map(() => -inf), high: scene.room.high.map(() => inf) };
      if (smallestOverClasses(norm, scene.weights, scene.bias, scene.x, scene.label, unbounded) < best * 0.999) active++;
      const found = await sizeFound(attack, norm, scene, options);
      expect(found / best).toBeLessThanOrEqual(ratio);
      // the model computes in float32: its boundary is not exactly the oracle's
      expect(found / best).toBeGreaterThan(1 - 1e-5);
    }
    if (facts.bounds !== 'free') expect(active).toBeGreaterThan(0);
  });
});

describe.each([
  ['fab', fab as Attack, 'l1'],
  ['fab', fab as Attack, 'linf'],
  ['deepfool', deepfool as Attack, 'l2'],
] as const)('%s in %s', (_, attack, norm) => {
  it.each([1, 3, 4])('reaches the target asked for, class %i, at about the smallest change', async (target) => {
    const { weights, x } = sceneOf({ classes: 5, bounds: 'free', seed: 3 });
    const oracle = linearOracle({ x: weights }, [40, 0, 0, 0, 0]);
    const goal: Goal = { kind: 'targeted', label: 0, target };
    const threat = lpThreat(specOf([n], { bounds: 'unbounded' }), { norm, eps: 1 });
    const [outcome] = await attack.run(jobOf(oracle, [sampleOf('a', { x })], [goal], [{ x: threat }]), readOptions(attack, {}));
    expect(await oracle.labels([{ of: 0, inputs: outcome!.inputs! }])).toEqual([target]);
    const pair = [weights[0]!, weights[target]!];
    const free = { low: new Array<number>(n).fill(-inf), high: new Array<number>(n).fill(inf) };
    // a lower limit: the other classes are left out
    const least = smallestOverClasses(norm, pair, [40, 0], x, 0, free);
    const found = threat.size(outcome!.inputs!.x!.map((value, i) => value - x[i]!));
    expect(found / least).toBeGreaterThan(1 - 1e-5);
    expect(found / least).toBeLessThan(1.3);
  });

  it('two inputs of unlike units, one with a mask and a scale: the smallest joint change', async () => {
    const near = {
      face: [
        [0.2, -1, 0.5],
        [0.7, 1, 2],
      ],
      voice: [
        [3, 0],
        [-1, 0.5],
      ],
    };
    const inputs = { face: Float32Array.of(0.5, 0.5, 0.5), voice: Float32Array.of(2, -1) };
    const oracle = linearOracle(near, [0, 0]);
    const face = lpThreat(specOf([3]), { norm, eps: 0.1, mask: Float32Array.of(1, 0, 1) });
    const voice = lpThreat(specOf([2], { bounds: 'unbounded' }), { norm, eps: 0.3, scale: Float32Array.of(2, 1) });
    const [label] = await oracle.labels([{ of: 0, inputs }]);
    const [outcome] = await attack.run(
      jobOf(oracle, [sampleOf('a', inputs)], [untargeted(label!)], [{ face, voice }]),
      readOptions(attack, {}),
    );
    expect(outcome!.inputs!.face![1]).toBe(0.5);
    // in joint units: face as it is (its mask leaves no room), voice 3 times its scale
    const units = [1, 1, 1, 6, 3];
    const w = [...near.face[1]!, ...near.voice[1]!].map((v, i) => units[i]! * (v - [...near.face[0]!, ...near.voice[0]!][i]!));
    const room = { low: [-0.5, 0, -0.5, -inf, -inf], high: [0.5, 0, 0.5, inf, inf] };
    const rows = [new Array<number>(5).fill(0), label === 0 ? w : w.map((v) => -v)];
    const z = (await oracle.logits([{ of: 0, inputs }]))[0]!;
    const lead = Math.abs(z[0]! - z[1]!);
    const best = smallestOverClasses(norm, rows, [lead, 0], new Float32Array(5), 0, room);
    const change = [
      ...outcome!.inputs!.face!.map((v, i) => v - inputs.face[i]!),
      ...outcome!.inputs!.voice!.map((v, i) => v - inputs.voice[i]!),
    ].map((d, i) => Math.abs(d) / units[i]!);
    const size =
      norm === 'linf' ? Math.max(...change) : norm === 'l2' ? Math.hypot(...change) : change.reduce((a, b) => a + b, 0);
    expect(size / best).toBeLessThan(1.0201);
    expect(size / best).toBeGreaterThan(1 - 1e-4);
  });
});

describe('fab', () => {
  const scene = sceneOf({ classes: 6, bounds: 'tight', seed: 1 });
  const spent = async (given: Options, eps = 1) => {
    const oracle = linearOracle({ x: scene.weights }, scene.bias);
    const threat = lpThreat(scene.spec, { norm: 'l2', eps });
    const job = jobOf(oracle, [sampleOf('a', { x: scene.x })], [untargeted(scene.label)], [{ x: threat }]);
    const options = { ...fab.defaults, ...given } as typeof fab.defaults;
    const [outcome] = await fab.run(job, options);
    return { outcome: outcome!, counts: oracle.counts(0), announced: fab.passes(options, { classes: 6, norms: ['l2'] }), oracle };
  };

  it.each([0, 2, 9])('with targets %i it asks just what it announced', async (targets) => {
    for (const mode of ['ours', 'reference']) {
      const { counts, announced } = await spent({ targets, steps: 7, restarts: 2, mode });
      expect(counts.forwards).toBe(announced.forwards);
      expect(counts.backwards).toBe(announced.backwards);
    }
  });

  it('the final search takes what the overshoot left: without it the example lies 0.4 % beyond the boundary or more', async () => {
    const best = smallestOverClasses('l2', scene.weights, scene.bias, scene.x, scene.label, scene.room);
    const ours = await sizeFound(fab as Attack, 'l2', scene, { steps: 20 });
    const reference = await sizeFound(fab as Attack, 'l2', scene, { steps: 20, mode: 'reference' });
    expect(ours / best).toBeLessThan(1 + 1e-5);
    expect(reference / best).toBeGreaterThan(1.003);
  });

  it('stopAt eps ends with the first example inside the budget', async () => {
    const best = smallestOverClasses('l2', scene.weights, scene.bias, scene.x, scene.label, scene.room);
    const whole = await spent({ targets: 5, steps: 30 }, best * 1.2);
    const stopped = await spent({ targets: 5, steps: 30, stopAt: 'eps' }, best * 1.2);
    expect(stopped.outcome.status).toBe('success');
    expect(stopped.counts.forwards).toBeLessThan(whole.counts.forwards / 10);
    const out = await spent({ targets: 5, steps: 30, stopAt: 'eps' }, best * 0.9);
    expect(out.outcome.status).toBe('success');
    expect(out.counts.forwards).toBe(whole.counts.forwards);
  });

  it('restarts begin at half the budget, or half of what was found; the authors take half the budget always', async () => {
    for (const [mode, share] of [
      ['ours', 0.1],
      ['reference', 0.5],
    ] as const) {
      const best = smallestOverClasses('l2', scene.weights, scene.bias, scene.x, scene.label, scene.room);
      const eps = 5 * best;
      const { oracle } = await spent({ steps: 30, restarts: 2, mode }, eps);
      // one point of the clean sample, 30 steps of 5 gradients and a prediction, then the start
      const start = oracle.probes[1 + 30 * 6]!.inputs.x!;
      const size = Math.hypot(...start.map((value, i) => value - scene.x[i]!));
      expect(size).toBeLessThanOrEqual(share * eps * 1.01);
      expect(size).toBeGreaterThan(share * eps * 0.5);
    }
  });

  it('a class that no input can reach does not stand in the way', async () => {
    const blocked = { ...scene, weights: [...scene.weights, scene.weights[scene.label]!], bias: [...scene.bias, -1e-3] };
    const best = smallestOverClasses('l2', scene.weights, scene.bias, scene.x, scene.label, scene.room);
    expect((await sizeFound(fab as Attack, 'l2', blocked)) / best).toBeLessThan(1.01);
    expect((await sizeFound(deepfool as Attack, 'l2', blocked)) / best).toBeLessThan(1.0201);
  });

  it('names the option it cannot use', () => {
    for (const [given, complaint] of [
      [{ eta: 0.9 }, /eta is 0.9/],
      [{ beta: 1 }, /beta is 1/],
      [{ alphaMax: 2 }, /alphaMax is 2/],
      [{ mode: 'theirs' }, /mode is "theirs"/],
      [{ targets: -1 }, /targets is -1/],
    ] as const)
      expect(fab.check!({ ...fab.defaults, ...given } as typeof fab.defaults)).toMatch(complaint);
  });
});

describe('deepfool', () => {
  it('pushes harder where a step is lost in rounding', async () => {
    // the lead is one step of float32; what would cross the plane does not change x + u
    const weights = [[1], [-1]];
    const x = Float32Array.of(1);
    const oracle = linearOracle({ x: weights }, [-1 + 2 ** -24, 1]);
    const threat = lpThreat(specOf([1], { bounds: 'unbounded' }), { norm: 'l2', eps: 1 });
    const [outcome] = await deepfool.run(
      jobOf(oracle, [sampleOf('a', { x })], [untargeted(0)], [{ x: threat }]),
      deepfool.defaults,
    );
    expect(outcome!.status).toBe('success');
    expect(threat.size(outcome!.inputs!.x!.map((value) => value - 1))).toBeLessThan(1e-6);
  });

  it('looks at the candidates only: with two, at the runner-up', async () => {
    const weights = [
      [0, 0],
      [1, 0],
      [0, 10],
    ];
    const oracle = linearOracle({ x: weights }, [1, 0.5, 0]);
    const spec = specOf([2], { bounds: 'unbounded' });
    const x = new Float32Array(2);
    const threat = lpThreat(spec, { norm: 'l2', eps: 1 });
    const run = async (candidates: number) => {
      const job = jobOf(oracle, [sampleOf('a', { x })], [untargeted(0)], [{ x: threat }]);
      const [outcome] = await deepfool.run(job, { ...deepfool.defaults, candidates });
      return Array.from(outcome!.inputs!.x!);
    };
    expect((await run(2))[0]).toBeCloseTo(0.51, 6);
    expect((await run(3))[1]).toBeCloseTo(0.102, 6);
  });
});
