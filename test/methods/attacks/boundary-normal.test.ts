/** @file The estimate of a boundary's normal, alone: its mean, its memory, its box. */
import { describe, expect, it } from 'vitest';
import { stream } from '../../../src/core/tensor/random.ts';
import { boundaryNormal } from '../../../src/methods/attacks/boundary-normal.ts';
import type { Answer, Question } from '../../../src/methods/attacks/frame/question.ts';
import { askerOf } from '../../../src/methods/attacks/random-start.ts';
import { untargeted } from './linear.ts';

/** Answers the questions of a generator with class 1 where `inside` holds and 0 elsewhere. */
function answered<T>(asking: Generator<Question, T, Answer>, inside: (u: Float32Array) => boolean, sizes: number[] = []): T {
  let next = asking.next();
  while (!next.done) {
    const { at } = next.value;
    sizes.push(at.length);
    next = asking.next({ labels: at.map((u) => +inside(u)), logits: [], loss: [], gradient: [] });
  }
  return next.value;
}

const ask = askerOf(untargeted(0), () => 0);
const d = 8;
const free = {
  low: new Float32Array(d).fill(Number.NEGATIVE_INFINITY),
  high: new Float32Array(d).fill(Number.POSITIVE_INFINITY),
};
const key = stream('normal');
const w = Float64Array.from({ length: d }, () => key.normal());
const norm = Math.hypot(...w);
const u = Float32Array.from({ length: d }, () => key.normal());
const product = (a: ArrayLike<number>, b: ArrayLike<number>) => Array.from(a).reduce((sum, x, i) => sum + x * b[i]!, 0);

/** Gamma(4) / (sqrt(pi) Gamma(4.5)): the mean of |v_1| on the unit sphere of 8 dimensions. */
const expected = 6 / (Math.sqrt(Math.PI) * 11.631728396567448);

/** Mean and standard error, coordinate by coordinate, of 400 estimates from 40 points each. */
function moments(inside: (u: Float32Array) => boolean) {
  const estimates = Array.from({ length: 400 }, (_, k) =>
    answered(boundaryNormal(free, ask, stream('estimate', k), u, { delta: 1e-2, count: 40 }), inside),
  );
  return Array.from({ length: d }, (_, i) => {
    const values = estimates.map((e) => e[i]!);
    const mean = values.reduce((a, b) => a + b) / values.length;
    const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (values.length - 1);
    return { mean, error: Math.sqrt(variance / values.length) };
  });
}

describe('the mean of the estimate is the unit normal times Gamma(d/2) / (sqrt(pi) Gamma((d+1)/2)), within 3 standard errors (D24)', () => {
  // a plane through u, and a paraboloid through u whose gradient there is w
  const shift = (point: Float32Array) => point.map((value, i) => value - u[i]!);
  it.each([
    ['plane', (point: Float32Array) => product(shift(point), w) > 0],
    ['quadratic', (point: Float32Array) => product(shift(point), w) + 2 * product(shift(point), shift(point)) > 0],
  ])('%s', (_, inside) => {
    for (const [i, { mean, error }] of moments(inside).entries()) {
      expect(error).toBeLessThan(0.005);
      expect(Math.abs(mean - (expected * w[i]!) / norm)).toBeLessThan(3 * error);
    }
  });
});

describe('boundaryNormal', () => {
  it('where all points are on one side, is the mean of the directions towards it', () => {
    const out = answered(boundaryNormal(free, ask, stream('one side'), u, { delta: 0.1, count: 64 }), () => true);
    const back = answered(boundaryNormal(free, ask, stream('one side'), u, { delta: 0.1, count: 64 }), () => false);
    expect(back).toEqual(out.map((value) => -value));
    expect(Math.hypot(...out)).toBeGreaterThan(0);
  });

  it('asks for points inside the box only, and moves nothing the mask holds', () => {
    const low = new Float32Array(d).fill(-0.5);
    const high = new Float32Array(d).fill(0.5);
    low[2] = 0;
    high[2] = 0;
    const at = new Float32Array(d).fill(0.5);
    at[2] = 0;
    const inside = (point: Float32Array): boolean => {
      expect(point.every((value, i) => value >= low[i]! && value <= high[i]!)).toBe(true);
      return product(point, w) > product(at, w);
    };
    const out = answered(boundaryNormal({ low, high }, ask, stream('box'), at, { delta: 0.3, count: 200 }), inside);
    expect(out[2]).toBe(0);
    expect(out.some((value) => value !== 0)).toBe(true);
  });

  it('asks for at most 64 points at a time where inputs are large', () => {
    const n = 100_001;
    const sizes: number[] = [];
    const space = { low: new Float32Array(n).fill(-1), high: new Float32Array(n).fill(1) };
    answered(boundaryNormal(space, ask, stream('large'), new Float32Array(n), { delta: 1, count: 70 }), (p) => p[0]! > 0, sizes);
    expect(sizes.reduce((a, b) => a + b)).toBe(70);
    expect(Math.max(...sizes)).toBeLessThanOrEqual(64);
  });
});
