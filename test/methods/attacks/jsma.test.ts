/** @file JSMA: on linear models it changes as few elements as can be, whatever the number of classes; the right class never gains; pairs are found without a table of pairs. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { stream } from '../../../src/core/tensor/random.ts';
import type { Goal } from '../../../src/kit/losses/loss.ts';
import { logSumExp } from '../../../src/kit/losses/score-loss.ts';
import { lpThreat } from '../../../src/kit/threat/lp.ts';
import { jsma } from '../../../src/methods/attacks/jsma.ts';
import { readOptions } from '../../../src/methods/attacks/registry.ts';
import { bestPair } from '../../../src/methods/attacks/saliency-pair.ts';
import { specOf } from '../../kit/threat/spec.ts';
import { jobOf, linearOracle, randomWeights, sampleOf, untargeted } from './linear.ts';

interface Scene {
  readonly n?: number;
  readonly classes?: number;
  readonly unbounded?: boolean;
  readonly gap?: number;
  readonly binary?: boolean;
  readonly seed?: number;
  readonly goal?: Goal;
  readonly given?: Record<string, unknown>;
}

async function attacked(scene: Scene) {
  const { n = 60, classes = 2, unbounded = false, gap = 10, binary = false, seed = 0, goal = untargeted(0), given = {} } = scene;
  const weights = randomWeights(classes, n, 'jsma', seed);
  const random = stream('jsma', seed);
  const x = Float32Array.from({ length: n }, () => (binary ? random.integer(2) : random.uniform()));
  const bias = weights.map((row, c) => (c === 0 ? gap : -0.1 * (c - 1)) - row.reduce((sum, w, i) => sum + w * x[i]!, 0));
  const oracle = linearOracle({ x: weights }, bias);
  const threat = lpThreat(specOf([n], unbounded ? { bounds: 'unbounded' } : {}), { norm: 'l0', eps: 5 });
  const [outcome] = await jsma.run(jobOf(oracle, [sampleOf('a', { x })], [goal], [{ x: threat }]), readOptions(jsma, given));
  const found = outcome!.inputs?.x;
  const count = found === undefined ? Number.POSITIVE_INFINITY : found.filter((value, i) => value !== x[i]).length;
  return { outcome: outcome!, count, fewest: fewest(weights, x, gap), oracle, x };
}

/** The fewest elements whose way to a bound brings another class level with class 0: the largest gains first, for each class. */
function fewest(weights: readonly (readonly number[])[], x: Float32Array, gap: number): number {
  const needed = weights.slice(1).map((row, c) => {
    const gains = row.map((w, i) => {
      const slope = w - weights[0]![i]!;
      return slope > 0 ? slope * (1 - x[i]!) : -slope * x[i]!;
    });
    gains.sort((a, b) => b - a);
    let left = gap + 0.1 * c;
    const k = gains.findIndex((gain) => {
      left -= gain;
      return left < 0;
    });
    return k < 0 ? Number.POSITIVE_INFINITY : k + 1;
  });
  return Math.min(...needed);
}

describe('on linear models, over the fewest elements that can do', () => {
  it.each([
    ['two classes', {}, 1],
    ['every value 0 or 1 (D5)', { binary: true }, 1],
    ['five classes, all aimed at', { classes: 5, given: { targets: 4 } }, 1.1],
    ['60 classes (D9)', { classes: 60 }, 1.25],
  ] as const)('%s', async (_, scene, limit) => {
    for (const seed of [0, 1, 2]) {
      const { count, fewest } = await attacked({ ...scene, seed });
      expect(fewest).toBeGreaterThan(2);
      expect(count).toBeGreaterThanOrEqual(fewest);
      expect(count / fewest).toBeLessThanOrEqual(limit);
    }
  });

  it('without bounds one element is enough', async () => {
    expect((await attacked({ unbounded: true })).count).toBe(1);
  });

  it('moves of theta add up: elements move again and again, so few are enough', async () => {
    const { count, fewest, outcome, x } = await attacked({ given: { theta: 0.1 } });
    // steeper elements before those with more room, so not the fewest
    expect(count).toBeLessThanOrEqual(1.5 * fewest);
    const farthest = Math.max(...outcome.inputs!.x!.map((value, i) => Math.abs(value - x[i]!)));
    expect(farthest).toBeGreaterThan(0.5);
  });

  it('gamma limits the share of elements', async () => {
    const { fewest } = await attacked({});
    expect((await attacked({ given: { gamma: (fewest + 0.5) / 60 } })).outcome.status).toBe('success');
    expect((await attacked({ given: { gamma: (fewest - 0.5) / 60 } })).outcome.status).toBe('failure');
  });
});

describe('where others go wrong', () => {
  it.each([2, 60])('with %i classes and no target it goes for a class that is there (D9)', async (classes) => {
    const { outcome, oracle } = await attacked({ classes });
    const [label] = await oracle.labels([{ of: 0, inputs: outcome.inputs! }]);
    expect(label).toBeGreaterThan(0);
    expect(label).toBeLessThan(classes);
  });

  it('20000 elements in pairs, without 400 million pairs (D9)', async () => {
    const { count } = await attacked({
      n: 20000,
      classes: 3,
      gap: 3,
      goal: { kind: 'targeted', label: 0, target: 1 },
      given: { mode: 'reference' },
    });
    expect(count).toBe(2);
  });

  it.each([
    ['untargeted', untargeted(0)],
    ['targeted', { kind: 'targeted', label: 0, target: 2 }],
  ] as const)('%s: the right class is never made likelier (D16)', async (_, goal) => {
    for (const seed of [0, 1, 2]) {
      const { oracle, x } = await attacked({ classes: 6, seed, goal, given: { targets: 1 } });
      const asked = oracle.probes.filter(
        (probe, k, all) => k === 0 || probe.inputs.x!.some((v, i) => v !== all[k - 1]!.inputs.x![i]),
      );
      const changed = (point: Float32Array) => point.filter((value, i) => value !== x[i]).length;
      // on the way there; what is taken back afterwards is another matter
      const there = asked.filter((probe, k, all) => k === 0 || changed(probe.inputs.x!) > changed(all[k - 1]!.inputs.x!));
      const chances = (await oracle.logits(there)).map((z) => z[0]! - logSumExp(Array.from(z)));
      expect(chances.length).toBeGreaterThan(2);
      for (let k = 1; k < chances.length; k++) expect(chances[k]!).toBeLessThanOrEqual(chances[k - 1]! + 1e-6);
    }
  });

  it('a model that cannot be attacked: failure, and nothing proposed (D3)', async () => {
    const oracle = linearOracle({ x: [new Array(4).fill(0), new Array(4).fill(0)] }, [1, 0]);
    const x = Float32Array.from([0, 1, 0.5, 0.5]);
    for (const mode of ['ours', 'reference']) {
      const job = jobOf(oracle, [sampleOf('a', { x })], [untargeted(0)], [{ x: lpThreat(specOf([4]), { norm: 'l0', eps: 1 }) }]);
      const [outcome] = await jsma.run(job, { ...jsma.defaults, mode });
      expect(outcome!.status).toBe('failure');
      expect(outcome!.inputs).toBeUndefined();
    }
  });

  it('targeted: the class asked for', async () => {
    for (const target of [1, 2, 3]) {
      const { outcome, oracle } = await attacked({ classes: 4, goal: { kind: 'targeted', label: 0, target } });
      expect(await oracle.labels([{ of: 0, inputs: outcome.inputs! }])).toEqual([target]);
    }
  });
});

describe('the best pair', () => {
  /** All pairs, as the paper writes it. */
  function byTable(rise: Float64Array, fall: Float64Array, allowed: Uint8Array): number {
    let most = 0;
    for (let p = 0; p < rise.length; p++) {
      for (let q = p + 1; q < rise.length; q++) {
        const [up, down] = [rise[p]! + rise[q]!, fall[p]! + fall[q]!];
        if (allowed[p] && allowed[q] && up > 0 && down > 0) most = Math.max(most, up * down);
      }
    }
    return most;
  }

  it('is as good as the best of a table of all pairs', () => {
    const value = fc.double({ min: -3, max: 3, noNaN: true });
    fc.assert(
      fc.property(fc.array(fc.tuple(value, value, fc.boolean()), { maxLength: 30 }), (elements) => {
        const rise = Float64Array.from(elements, ([a]) => a);
        const fall = Float64Array.from(elements, ([, b]) => b);
        const allowed = Uint8Array.from(elements, ([, , c]) => +c);
        const pair = bestPair(rise, fall, allowed);
        const most = byTable(rise, fall, allowed);
        if (pair === undefined) expect(most).toBe(0);
        else {
          const [p, q] = pair;
          expect(p).toBeLessThan(q);
          expect(allowed[p]! + allowed[q]!).toBe(2);
          expect((rise[p]! + rise[q]!) * (fall[p]! + fall[q]!)).toBe(most);
        }
      }),
    );
  });
});

it('moves two inputs', async () => {
  const weights = { a: [new Array(3).fill(0), [1, 5, 1]], b: [new Array(2).fill(0), [4, 1]] };
  const inputs = { a: new Float32Array(3), b: new Float32Array(2) };
  const threats = {
    a: lpThreat(specOf([3]), { norm: 'l0', eps: 2 }),
    b: lpThreat(specOf([2]), { norm: 'l0', eps: 2 }),
  };
  const job = jobOf(linearOracle(weights, [8.5, 0]), [sampleOf('a', inputs)], [untargeted(0)], [threats]);
  const [outcome] = await jsma.run(job, jsma.defaults);
  expect(outcome!.inputs).toEqual({ a: Float32Array.of(0, 1, 0), b: Float32Array.of(1, 0) });
});
