/** @file Exchanging flips: what is likely takes the place of more that were needed, and what is returned is true of the very result. */
import { describe, expect, it } from 'vitest';
import { stream } from '../../../src/core/tensor/random.ts';
import { around } from '../../../src/methods/attacks/sparse-search/around.ts';
import { exchange, exchangePasses } from '../../../src/methods/attacks/sparse-search/exchange.ts';
import { prune } from '../../../src/methods/attacks/sparse-search/prune.ts';
import { untargeted } from './linear.ts';

type Value = (u: Float32Array) => number;

/** Prunes an example and exchanges its flips, where class 1's lead is `value`. */
function exchanged(
  n: number,
  flips: readonly number[],
  candidates: readonly number[],
  value: Value,
  most = Number.POSITIVE_INFINITY,
) {
  let asked = 0;
  const left = () => most - asked;
  const points = around({ n, flip: new Float32Array(n).fill(1) }, left);
  points.flip(flips);
  const proofs: number[][] = [];
  const answer = <T>(work: Generator<{ readonly at: readonly Float32Array[] }, T, never>): T => {
    let step = work.next();
    while (!step.done) {
      const { at } = step.value;
      asked += at.length;
      step = work.next({ logits: at.map((u) => Float32Array.of(0, value(u))) } as never);
    }
    return step.value;
  };
  const goal = untargeted(0);
  const alone = answer(prune(goal, points, new Map(points.all().map((i) => [i, 1 + i / n])), 0) as never) as ReadonlyMap<
    number,
    number
  >;
  const before = points.all();
  const from = asked;
  const proven = (): void => {
    proofs.push(points.all());
  };
  const known = answer(exchange({ goal, left, proven }, points, alone, candidates) as never) as ReadonlyMap<number, number>;
  return { before, after: points.all(), known, asked: asked - from, u: points.u, proofs };
}

const without = (u: Float32Array, i: number): Float32Array => u.map((v, k) => (k === i ? 0 : v));

describe('exchanging flips of a minimal example', () => {
  const weights = [...new Array(10).fill(1), 4, 4, 4, ...new Array(20).fill(0.1)];
  const value: Value = (u) => u.reduce((sum, v, i) => sum + v * weights[i]!, 0) - 9.5;
  const weak = Array.from({ length: 10 }, (_, i) => i);

  it('finds three strong flips in place of ten weak ones, and knows that each is needed', () => {
    const { before, after, known, u, proofs } = exchanged(33, weak, [20, 10, 25, 11, 30, 12], value);
    expect(before).toEqual(weak);
    expect(after).toEqual([10, 11, 12]);
    expect([...known.keys()].sort((a, b) => a - b)).toEqual(after);
    for (const [i, lead] of known) expect(lead).toBeCloseTo(-value(without(u, i)), 5);
    expect(proofs.at(-1)).toEqual(after);
  });

  it('leaves an example alone where no candidate is worth more than what is there, and asks nothing without candidates', () => {
    expect(exchanged(33, weak, [20, 21, 22], value).after).toEqual(weak);
    expect(exchanged(33, weak, [], value).asked).toBe(0);
  });

  it('never ends at more flips, and at a minimal example, on models that are not monotone, within the announced questions', () => {
    let fewer = 0;
    for (let seed = 0; seed < 40; seed++) {
      const random = stream('exchange', seed);
      const n = 30;
      const w = Array.from({ length: n }, () => random.normal() + 0.4);
      const pairs = Array.from({ length: n * n }, () => random.normal() * 0.2);
      const sum: Value = (u) => u.reduce((s, a, i) => s + a * w[i]! + u.reduce((t, b, j) => t + a * b * pairs[i * n + j]!, 0), 0);
      const flips = Array.from({ length: 15 }, (_, i) => i);
      const need = sum(Float32Array.from({ length: n }, (_, i) => +(i < 15))) - 1;
      const lead: Value = (u) => sum(u) - need;
      const { before, after, known, asked, u } = exchanged(
        n,
        flips,
        Array.from({ length: n }, (_, i) => i),
        lead,
      );
      expect(after.length).toBeLessThanOrEqual(before.length);
      expect(lead(u)).toBeGreaterThan(0);
      expect([...known.keys()].sort((a, b) => a - b)).toEqual(after);
      for (const i of after) expect(lead(without(u, i))).toBeLessThanOrEqual(0);
      expect(asked).toBeLessThanOrEqual(1 + exchangePasses(before.length));
      fewer += +(after.length < before.length);
    }
    expect(fewer).toBeGreaterThan(10);
  });

  it('stops where its questions end, at what it had', () => {
    const { before, after, asked } = exchanged(33, weak, [20, 10, 25, 11, 30, 12], value, 25);
    expect(after).toEqual(before);
    expect(asked).toBeLessThanOrEqual(25);
  });
});
