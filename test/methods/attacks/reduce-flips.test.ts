/** @file Needless changes are restored: what a prefix search and a minimal reduction leave of an example. */
import { describe, expect, it } from 'vitest';
import { stream } from '../../../src/core/tensor/random.ts';
import type { Answer, Question } from '../../../src/methods/attacks/frame/question.ts';
import { type Reduction, reduced, reductionPasses } from '../../../src/methods/attacks/reduce-flips.ts';
import { untargeted } from './linear.ts';

/** Reduces u where class 1 wins while `fools` says so; class 1's lead is `lead`. */
function reduce(how: Reduction, u: Float32Array, order: readonly number[], lead: (u: Float32Array) => number) {
  let asked = 0;
  /** What the driver would take for the result: the first of the smallest examples. */
  let kept = u;
  let proven: Float32Array | undefined;
  const work: Generator<Question, Float32Array, Answer> = reduced(how, {
    goal: untargeted(0),
    u,
    order,
    left: () => 3,
    proven(at) {
      proven = at;
    },
  });
  let step = work.next();
  while (!step.done) {
    const { at, scouting } = step.value;
    asked += at.length;
    expect(at.length).toBeLessThanOrEqual(3);
    for (const v of at) if (!scouting && lead(v) > 0 && changed(v).length < changed(kept).length) kept = v.slice();
    step = work.next({ loss: [], gradient: [], labels: [], logits: at.map((v) => Float32Array.of(0, lead(v))) });
  }
  return { left: step.value, asked, kept, proven };
}

const weighed = (weights: readonly number[], need: number) => (u: Float32Array) =>
  u.reduce((sum, v, i) => sum + v * weights[i]!, 0) - need;
const changed = (u: Float32Array) => Array.from(u.keys()).filter((i) => u[i] !== 0);

describe('the reduction of an example', () => {
  const weights = [1, 5, 2, 4, 3];
  const all = Float32Array.of(1, 1, 1, 1, 1);
  const ascending = [0, 2, 4, 3, 1];

  it('none leaves it, without a question', () => {
    expect(reduce('none', all, ascending, weighed(weights, 6))).toEqual({ left: all, asked: 0, kept: all });
  });

  it('prefix restores the longest prefix of the order where the model is monotone', () => {
    const { left, asked } = reduce('prefix', all, ascending, weighed(weights, 6.5));
    expect(changed(left)).toEqual([1, 3]);
    expect(asked).toBeLessThanOrEqual(reductionPasses('prefix', 5));
  });

  it('prefix finds nothing where the first of the order is needed; minimal then restores what it can', () => {
    const order = [1, 3, 4, 2, 0];
    const lead = weighed(weights, 8.5);
    expect(changed(reduce('prefix', all, order, lead).left)).toEqual([0, 2, 3, 4]);
    expect(changed(reduce('prefix', all, order, weighed(weights, 10.5)).left)).toHaveLength(5);
    expect(changed(reduce('minimal', all, order, weighed(weights, 10.5)).left).length).toBeLessThanOrEqual(4);
  });

  it('minimal: of what is left, which is the result, no change can be restored alone, on models that are not monotone, at no more than the cost announced', () => {
    for (let seed = 0; seed < 30; seed++) {
      const random = stream('reduce', seed);
      const n = 12;
      const w = Array.from({ length: n }, () => random.normal() + 0.4);
      const pairs = Array.from({ length: n * n }, () => random.normal() * 0.5);
      const u = new Float32Array(n).fill(1);
      const value = (v: Float32Array) =>
        v.reduce((sum, a, i) => sum + a * w[i]! + v.reduce((s, b, j) => s + a * b * pairs[i * n + j]!, 0), 0);
      const lead = (v: Float32Array) => value(v) - value(u) + 1;
      const order = Array.from(u.keys());
      const { left, asked, kept, proven } = reduce('minimal', u, order, lead);
      expect(lead(left)).toBeGreaterThan(0);
      expect(kept).toEqual(left);
      expect(proven).toEqual(left);
      for (const i of changed(left)) expect(lead(left.map((v, k) => (k === i ? 0 : v)))).toBeLessThanOrEqual(0);
      expect(asked).toBeLessThanOrEqual(reductionPasses('minimal', n));
      expect(u.every((v) => v === 1)).toBe(true);
    }
  });

  it('minimal claims no proof where its questions end first: flips that can be restored in one order only', () => {
    const n = 120;
    const u = new Float32Array(n).fill(1);
    const chain = (v: Float32Array): number => {
      const first = v.indexOf(0);
      return first < 0 || v.subarray(first).every((value) => value === 0) ? 1 : -1;
    };
    const { left, proven } = reduce('minimal', u, [...u.keys()], chain);
    expect(chain(left.map((value, i) => (i === changed(left).length - 1 ? 0 : value)))).toBe(1);
    expect(proven).toBeUndefined();
  });
});
