/** @file Restoring until nothing can be restored alone: proved at the very result, with few questions where flips are alike, within the announced bound. */
import { describe, expect, it } from 'vitest';
import { stream } from '../../../src/core/tensor/random.ts';
import { around } from '../../../src/methods/attacks/sparse-search/around.ts';
import { prune, prunePasses } from '../../../src/methods/attacks/sparse-search/prune.ts';
import { untargeted } from './linear.ts';

/** Prunes an example of n flips where class 1 leads by `lead`; `kept` is what the driver takes for the result. */
function pruned(n: number, worth: (i: number) => number, lead: (u: Float32Array) => number) {
  const points = around({ n, flip: new Float32Array(n).fill(1) }, () => Number.POSITIVE_INFINITY);
  points.flip(Array.from({ length: n }, (_, i) => i));
  let kept = points.all();
  let asked = 0;
  const work: ReturnType<typeof prune> = prune(untargeted(0), points, new Map(points.all().map((i) => [i, worth(i)])), 0);
  let step = work.next();
  while (!step.done) {
    const { at } = step.value;
    asked += at.length;
    for (const u of at) {
      const flips = [...u.keys()].filter((i) => u[i] !== 0);
      if (lead(u) > 0 && flips.length < kept.length) kept = flips;
    }
    step = work.next({ loss: [], gradient: [], labels: [], logits: at.map((u) => Float32Array.of(0, lead(u))) });
  }
  const isNeeded = (i: number): boolean => {
    const u = points.u.slice();
    u[i] = 0;
    return lead(u) <= 0;
  };
  return { all: points.all(), kept, asked, proven: step.value !== undefined, minimal: points.all().every(isNeeded) };
}

describe('restoring until nothing can be restored alone', () => {
  it('ends at the result, which is 1-minimal, on models that are not monotone, within the announced questions', () => {
    for (let seed = 0; seed < 40; seed++) {
      const random = stream('prune', seed);
      const n = 4 + random.integer(20);
      const w = Array.from({ length: n }, () => random.normal() + 0.4);
      const pairs = Array.from({ length: n * n }, () => random.normal() * 0.5);
      const value = (u: Float32Array) =>
        u.reduce((sum, a, i) => sum + a * w[i]! + u.reduce((s, b, j) => s + a * b * pairs[i * n + j]!, 0), 0);
      const whole = value(new Float32Array(n).fill(1));
      // some flips are said to be alike that are not, and some to be worth nothing
      const { all, kept, asked, minimal, proven } = pruned(
        n,
        (i) => Math.max(0, Math.round(2 * w[i]!)),
        (u) => value(u) - whole + 1,
      );
      expect(kept).toEqual(all);
      expect(minimal).toBe(true);
      expect(proven).toBe(true);
      expect(asked).toBeLessThanOrEqual(prunePasses(n));
    }
  });

  it('asks about one of many that are alike, and about the others in the proof only', () => {
    const n = 48;
    const weight = (i: number): number => 1 + (i % 6);
    // what is thought of them is wrong, as gradients of spikes are: what needs finding out is found out once per kind
    const guess = (i: number): number => 7 - weight(i);
    const sum = (u: Float32Array) => u.reduce((s, v, i) => s + v * weight(i), 0);
    const alike = pruned(n, guess, (u) => sum(u) - 130.5);
    const apart = pruned(
      n,
      (i) => guess(i) + i / 1000,
      (u) => sum(u) - 130.5,
    );
    expect(alike.minimal && apart.minimal).toBe(true);
    expect(alike.asked).toBeLessThan(apart.asked);
  });

  it('says so where its questions end before the proof does', () => {
    const n = 120;
    // flips can be restored in one order only, and the one whose turn it is always comes last among those asked about
    const { all, kept, asked, minimal, proven } = pruned(
      n,
      (i) => 1 + i / 1000,
      (u) => {
        const first = u.indexOf(0);
        return first < 0 || u.subarray(first).every((v) => v === 0) ? 1 : -1;
      },
    );
    expect(asked).toBeLessThanOrEqual(prunePasses(n));
    expect(kept).toEqual(all);
    expect(all.length).toBeGreaterThan(0);
    expect(minimal).toBe(false);
    expect(proven).toBe(false);
  });

  it('announces a bound that is linear in the flips where there are many', () => {
    expect(prunePasses(100_000) / prunePasses(10_000)).toBeCloseTo(10, 2);
    expect(prunePasses(1)).toBe(1);
  });
});
