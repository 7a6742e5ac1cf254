/** @file DDN, FMN and sigma-zero where the smallest change is known: linear models, with bounds and without, in several units, masked, scaled, with two inputs. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { stream } from '../../../src/core/tensor/random.ts';
import { balls, lpThreat } from '../../../src/kit/threat/lp.ts';
import type { Attack } from '../../../src/methods/attacks/attack.ts';
import { ddn, fmn, readOptions, sigmaZero } from '../../../src/methods/attacks/index.ts';
import { nearest } from '../../../src/methods/attacks/nearest.ts';
import { specOf } from '../../kit/threat/spec.ts';
import { jobOf, linearOracle, randomWeights, sampleOf, untargeted } from './linear.ts';
import { type Facts, found, n, optimum, sceneOf } from './linear-scenes.ts';

const inf = Number.POSITIVE_INFINITY;

const all = (
  [
    [ddn, 'l2'],
    [fmn, 'linf'],
    [fmn, 'l2'],
    [fmn, 'l1'],
    [fmn, 'l0'],
    [sigmaZero, 'l0'],
  ] as const
).map(([attack, norm]) => [attack.name, norm, attack as Attack] as const);

const kinds = [
  ['two classes, bounds out of the way', {}],
  ['two classes, no bounds', { bounds: 'unbounded' }],
  ['two classes, elements at the bounds', { values: 'tight' }],
  ['two classes, values of 0 and 1 (D5)', { values: 'binary' }],
  ['sound from -1 to 1', { values: 'tight', bounds: { lower: -1, upper: 1 }, width: 2 }],
  ['bytes', { values: 'tight', bounds: { lower: 0, upper: 255 }, width: 255 }],
  ['unbounded microvolts', { bounds: 'unbounded', width: 80 }],
  ['unbounded volts', { bounds: 'unbounded', width: 8e-5 }],
] as const satisfies readonly (readonly [string, Facts])[];

/** With several classes the nearest by margin need not be the nearest by distance, and these attacks walk towards the former. */
const sixClasses = [
  ['six classes, bounds out of the way', { classes: 6 }],
  ['six classes, no bounds', { classes: 6, bounds: 'unbounded' }],
  ['six classes, elements at the bounds', { classes: 6, values: 'tight' }],
] as const satisfies readonly (readonly [string, Facts])[];

describe.each(all)('%s in %s on a linear model', (name, norm, attack) => {
  const ratio = name === 'sigma-zero' ? 1.25 : 1.01;
  // a thousand steps with an easy answer
  const given = name === 'sigma-zero' ? { steps: 400 } : {};

  it.each([
    ...kinds.map(([title, facts]) => [title, ratio, facts] as const),
    ...sixClasses.map(([title, facts]) => [title, 1.25, facts] as const),
  ])('%s: at most %d of the smallest change (D21)', async (_, most, facts) => {
    for (let seed = 0; seed < 3; seed++) {
      const scene = sceneOf({ ...facts, seed });
      const least = optimum(norm, scene);
      const { size } = await found(attack, norm, scene, given);
      expect(size / least).toBeLessThanOrEqual(most);
      // the model computes in float32: its boundary is not exactly the oracle's
      expect(size / least).toBeGreaterThan(1 - 1e-4);
    }
  });

  it('leaves alone what a mask forbids, as if it were not there', async () => {
    const scene = sceneOf({ values: 'tight' });
    const mask = scene.x.map((__, i) => (i % 3 === 0 ? 0 : 1));
    const { low, high } = scene.room;
    const inside = { low: low.map((v, i) => mask[i]! * v), high: high.map((v, i) => mask[i]! * v) };
    const { size, change } = await found(attack, norm, scene, given, { mask });
    expect(change.every((value, i) => mask[i] === 1 || value === 0)).toBe(true);
    expect(size / optimum(norm, { ...scene, room: inside })).toBeLessThanOrEqual(ratio);
  });

  it('measures in units of the scale', async () => {
    const scene = sceneOf({ bounds: 'unbounded' });
    const scale = scene.x.map((__, i) => 0.5 + (i % 4));
    const { size } = await found(attack, norm, scene, given, { scale });
    const inUnits = {
      ...scene,
      weights: scene.weights.map((row) => row.map((w, i) => w * scale[i]!)),
      x: scene.x.map((v, i) => v / scale[i]!),
    };
    expect(size / optimum(norm, inUnits)).toBeLessThanOrEqual(ratio);
  });

  it('spreads one change over two inputs of unlike units, weighed by their budgets', async () => {
    const scene = sceneOf({ bounds: 'unbounded' });
    const half = n / 2;
    const halves = (row: ArrayLike<number>) =>
      [
        Array.from(row).slice(0, half),
        Array.from(row)
          .slice(half)
          .map((w) => w / 50),
      ] as const;
    const parts = scene.weights.map(halves);
    const oracle = linearOracle({ face: parts.map(([a]) => a), voice: parts.map(([, b]) => b) }, scene.bias);
    const inputs = { face: scene.x.slice(0, half), voice: scene.x.slice(half).map((v) => 50 * v) };
    const spec = specOf([half], { bounds: 'unbounded' });
    const threats = { face: lpThreat(spec, { norm, eps: 2 }), voice: lpThreat(spec, { norm, eps: norm === 'l0' ? 2 : 100 }) };
    const job = jobOf(oracle, [sampleOf('a', inputs)], [untargeted(scene.label)], [threats]);
    const [outcome] = await attack.run(job, readOptions(attack, given));
    const joint = Float32Array.from([
      ...outcome!.inputs!.face!.map((v, i) => v - inputs.face[i]!),
      ...outcome!.inputs!.voice!.map((v, i) => (v - inputs.voice[i]!) / 50),
    ]);
    expect(balls[norm].size(Float64Array.from(joint)) / optimum(norm, scene)).toBeLessThanOrEqual(ratio);
  });

  it.each([1, 3, 4])('reaches the target asked for, class %i (D10)', async (target) => {
    const weights = randomWeights(5, n, 'target');
    const scene = { ...sceneOf({ bounds: 'unbounded' }), weights, bias: [20, 0, 0, 0, 0], label: 0 };
    const { size } = await found(attack, norm, scene, given, {}, { kind: 'targeted', label: 0, target });
    // a lower limit: the other classes are left out
    const least = optimum(norm, { ...scene, weights: [weights[0]!, weights[target]!], bias: [20, 0] });
    expect(size).toBeGreaterThan(least * (1 - 1e-4));
    expect(size).toBeLessThan(norm === 'l0' ? least + 4 : 2 * least);
  });

  it('asks what it announced, no more and no less, and every point once (D19)', async () => {
    const scene = sceneOf({});
    const oracle = linearOracle({ x: scene.weights }, scene.bias);
    const job = jobOf(
      oracle,
      [sampleOf('a', { x: scene.x })],
      [untargeted(scene.label)],
      [{ x: lpThreat(scene.spec, { norm, eps: 1 }) }],
    );
    await attack.run(job, readOptions(attack, { steps: 30 }));
    expect(oracle.counts(0)).toEqual({ forwards: 30, backwards: 29, queries: 30 });
    expect(attack.passes(readOptions(attack, { steps: 30 }), { classes: 2, norms: [norm] })).toEqual({
      forwards: 30,
      backwards: 29,
    });
  });

  it('a gradient of zero is replaced by noise of the sample, not by a standstill', async () => {
    const scene = sceneOf({});
    const run = async () => {
      const oracle = linearOracle({ x: scene.weights }, scene.bias);
      let asked = 0;
      const flat = {
        ...oracle,
        gradient: async (...question: Parameters<typeof oracle.gradient>) => {
          const answer = await oracle.gradient(...question);
          return asked++ < 3 ? { ...answer, gradient: [{ x: new Float32Array(n) }] } : answer;
        },
      };
      const job = jobOf(
        flat,
        [sampleOf('a', { x: scene.x })],
        [untargeted(scene.label)],
        [{ x: lpThreat(scene.spec, { norm, eps: 1 }) }],
      );
      const [outcome] = await attack.run(job, readOptions(attack, given));
      const second = oracle.probes[1]!.inputs.x!;
      return { outcome: outcome!, moved: second.some((value, i) => value !== scene.x[i]) };
    };
    const { outcome, moved } = await run();
    expect(moved).toBe(true);
    expect(outcome.status).toBe('success');
    expect((await run()).outcome).toEqual(outcome);
  });
});

describe('fmn', () => {
  /** Class 0 leads by `lead` on an input of `count` elements between 0 and 1. */
  function sparseScene(count: number, lead: number, seed: number) {
    const weights = randomWeights(2, count, 'fewest', seed);
    const random = stream('fewest', seed);
    const x = Float32Array.from({ length: count }, () => random.uniform());
    const bias = [lead + weights[1]!.reduce((sum, w, i) => sum + (w - weights[0]![i]!) * x[i]!, 0), 0];
    const room = { low: Array.from(x, (v) => -v), high: Array.from(x, (v) => 1 - v) };
    return { weights, bias, x, label: 0, room, spec: specOf([count]) };
  }

  it('l0 finds the fewest elements where several are needed, among many', async () => {
    for (let seed = 0; seed < 5; seed++) {
      const scene = sparseScene(100, 15, seed);
      const least = optimum('l0', scene);
      expect(least).toBeGreaterThan(6);
      expect((await found(fmn as Attack, 'l0', scene)).size).toBe(least);
      expect((await found(sigmaZero as Attack, 'l0', scene)).size).toBeLessThanOrEqual(1.25 * least);
    }
  });

  it("l0 reaches hundreds of elements, which the paper's count cannot grow to", async () => {
    const scene = sparseScene(1000, 300, 0);
    const least = optimum('l0', scene);
    expect(least).toBeGreaterThan(150);
    expect((await found(fmn as Attack, 'l0', scene)).size).toBeLessThanOrEqual(1.01 * least);
    expect((await found(fmn as Attack, 'l0', scene, { mode: 'reference' })).size).toBe(inf);
  });

  it("crosses the boundary where the paper's estimate ends on it", async () => {
    const sizes = { ours: [] as number[], reference: [] as number[] };
    for (let seed = 0; seed < 8; seed++) {
      for (const mode of ['ours', 'reference'] as const)
        sizes[mode].push((await found(fmn as Attack, 'l2', sceneOf({ seed }), { mode })).size);
    }
    expect(sizes.ours.every(Number.isFinite)).toBe(true);
    expect(sizes.reference.some((size) => size === inf)).toBe(true);
  });

  it('a projection asked for eps returns at most eps, inside the box, in every norm (D2)', () => {
    const element = fc.double({ min: -3, max: 3, noNaN: true });
    fc.assert(
      fc.property(
        fc.array(element, { minLength: 1, maxLength: 30 }),
        fc.double({ min: 0.01, max: 5, noNaN: true }),
        (values, eps) => {
          for (const norm of ['linf', 'l2', 'l1', 'l0'] as const) {
            const low = Float32Array.from(values, (_, i) => -(i % 3));
            const high = Float32Array.from(values, (_, i) => (i % 4 === 0 ? inf : i % 2));
            const near = nearest({ norm, low, high }, Float64Array.from(values), eps);
            expect(balls[norm].size(Float64Array.from(near))).toBeLessThanOrEqual(eps * (1 + 1e-6));
            expect(near.every((value, i) => value >= low[i]! && value <= high[i]!)).toBe(true);
          }
        },
      ),
    );
  });
});

describe('ddn', () => {
  const attack = ddn as Attack;

  it('does not stand still where the cross-entropy has underflowed', async () => {
    const scene = sceneOf({});
    const steep = {
      ...scene,
      weights: scene.weights.map((row) => row.map((w) => 1e4 * w)),
      bias: scene.bias.map((b) => 1e4 * b),
    };
    expect((await found(attack, 'l2', steep)).size / optimum('l2', steep)).toBeLessThanOrEqual(1.01);
  });

  it('rounds to levels where asked, and refuses where there are no bounds', async () => {
    const scene = sceneOf({ values: 'binary' });
    const { change } = await found(attack, 'l2', scene, { levels: 11 });
    for (const value of change) expect(Math.abs(10 * value - Math.round(10 * value))).toBeLessThan(1e-5);
    await expect(found(attack, 'l2', sceneOf({ bounds: 'unbounded' }), { levels: 11 })).rejects.toThrow(/no bounds/);
    expect(() => readOptions(attack, { levels: 1 })).toThrow(/at least 2/);
  });
});
