import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { stream } from '../../../src/core/tensor/random.ts';
import { lpThreat } from '../../../src/kit/threat/lp.ts';
import type { Norm } from '../../../src/kit/threat/threat.ts';
import { specOf } from './spec.ts';

const normsToTry: readonly Norm[] = ['linf', 'l2', 'l1', 'l0'];
const flat = (n: number) => specOf([n]);
const free = (n: number) => specOf([n], { bounds: 'unbounded' });
const vector = (n: number, f: (i: number) => number) => Float32Array.from({ length: n }, (_, i) => f(i));

describe('size', () => {
  it('is the norm of delta / scale', () => {
    const delta = Float32Array.of(3, -4, 0);
    const scale = Float32Array.of(1, 2, 5);
    const sizes = normsToTry.map((norm) => [
      lpThreat(free(3), { norm, eps: 1 }).size(delta),
      lpThreat(free(3), { norm, eps: 1, scale }).size(delta),
    ]);
    expect(sizes).toEqual([
      [4, 3],
      [5, Math.sqrt(13)],
      [7, 5],
      [2, 2],
    ]);
  });
});

describe('projection', () => {
  const anything = fc.record({
    norm: fc.constantFrom(...normsToTry),
    eps: fc.oneof(fc.constant(0), fc.double({ min: 1e-4, max: 20, noNaN: true })),
    seed: fc.integer(),
    rank: fc.integer({ min: 1, max: 5 }),
    scaled: fc.boolean(),
    masked: fc.boolean(),
    bounded: fc.boolean(),
  });

  it('ends inside ball, mask and bounds on ranks 1 to 5, and leaves what is inside alone (D2)', () => {
    fc.assert(
      fc.property(anything, ({ norm, eps, seed, rank, scaled, masked, bounded }) => {
        const random = stream(seed, 'projection');
        const shape = [3, 2, 2, 3, 2].slice(0, rank);
        const n = shape.reduce((a, b) => a * b, 1);
        const spec = specOf(shape, { bounds: bounded ? { lower: -0.1, upper: 0.9 } : 'unbounded' });
        const threat = lpThreat(spec, {
          norm,
          eps,
          ...(scaled ? { scale: vector(n, () => 0.2 + random.uniform()) } : {}),
          ...(masked ? { mask: vector(n, () => random.integer(2)) } : {}),
        });
        const x = vector(n, () => 0.9 * random.uniform());
        const delta = vector(n, () => 3 * random.normal());
        const near = threat.project(x, delta);
        expect(threat.size(near)).toBeLessThanOrEqual(eps * (1 + 1e-6));
        near.forEach((d, i) => {
          const moved = Math.fround(x[i]! + d);
          if (bounded) expect(moved >= Math.fround(-0.1) && moved <= Math.fround(0.9)).toBe(true);
          if (d !== 0) expect(Math.sign(d)).toBe(Math.sign(delta[i]!));
        });
        const again = threat.project(x, near);
        again.forEach((d, i) => {
          // float32 rounding may leave the l1 sum a few units above eps: the second projection takes that back from every element
          expect(Math.abs(d - near[i]!)).toBeLessThanOrEqual(1e-6 * (Math.abs(near[i]!) + eps));
        });
      }),
      { numRuns: 300 },
    );
  });

  it('advance stays inside the bounds beside originals of any smallness', () => {
    const n = 2000;
    const random = stream(9, 'small');
    const x = vector(n, () => 10 ** (-40 * random.uniform()));
    const threat = lpThreat(specOf([n], { bounds: { lower: 0, upper: 1 } }), { norm: 'linf', eps: 0.03 });
    const down = vector(n, () => -1);
    const moved = threat.advance(
      x,
      vector(n, () => 0),
      down,
      0.08,
    );
    const sums = moved.map((d, i) => x[i]! + d);
    expect(Math.min(...sums)).toBe(0);
    expect(threat.project(x, moved)).toEqual(moved);
  });

  it('advance is the projection of delta plus step, bit for bit', () => {
    fc.assert(
      fc.property(anything, ({ norm, eps, seed, rank, scaled, masked, bounded }) => {
        const random = stream(seed, 'advance');
        const shape = [3, 2, 2, 3, 2].slice(0, rank);
        const n = shape.reduce((a, b) => a * b, 1);
        const threat = lpThreat(specOf(shape, { bounds: bounded ? { lower: -0.1, upper: 0.9 } : 'unbounded' }), {
          norm,
          eps,
          ...(scaled ? { scale: vector(n, () => 0.2 + random.uniform()) } : {}),
          ...(masked ? { mask: vector(n, () => random.integer(2)) } : {}),
        });
        const x = vector(n, () => 0.9 * random.uniform());
        const delta = threat.project(
          x,
          vector(n, () => random.normal()),
        );
        const gradient = vector(n, () => random.normal() * random.integer(2));
        const alpha = eps * random.uniform();
        const step = threat.step(gradient, alpha);
        const composed = threat.project(
          x,
          delta.map((d, i) => d + step[i]!),
        );
        expect(threat.advance(x, delta, gradient, alpha)).toEqual(composed);
      }),
      { numRuns: 300 },
    );
  });

  it('what lies between the ends is inside bounds, mask and linf budget, and the ends themselves are reached by projection', () => {
    fc.assert(
      fc.property(anything, ({ norm, eps, seed, rank, scaled, masked, bounded }) => {
        const random = stream(seed, 'ends');
        const shape = [3, 2, 2, 3, 2].slice(0, rank);
        const n = shape.reduce((a, b) => a * b, 1);
        const mask = vector(n, () => (masked ? random.integer(2) : 1));
        const threat = lpThreat(specOf(shape, { bounds: bounded ? { lower: 0, upper: 0.9 } : 'unbounded' }), {
          norm,
          eps,
          mask,
          ...(scaled ? { scale: vector(n, () => 0.2 + random.uniform()) } : {}),
        });
        const x = vector(n, () => 0.9 * 10 ** (-9 * random.uniform()));
        const { low, high } = threat.ends(x);
        for (const end of [low, high, vector(n, (i) => low[i]! / 2 + high[i]! / 2)]) {
          end.forEach((d, i) => {
            if (mask[i] === 0) expect(d).toBe(0);
            if (bounded) expect(Math.fround(x[i]! + d) >= 0 && Math.fround(x[i]! + d) <= Math.fround(0.9)).toBe(true);
          });
          if (norm !== 'linf') continue;
          expect(threat.size(end)).toBeLessThanOrEqual(eps * (1 + 1e-6));
          threat.project(x, end).forEach((d, i) => {
            expect(Math.abs(d - end[i]!)).toBeLessThanOrEqual(1e-6 * Math.abs(d));
          });
        }
      }),
      { numRuns: 200 },
    );
  });

  it('clips linf, shrinks l2 and keeps the largest elements in l0', () => {
    const delta = Float32Array.of(3, -4, 0.5);
    const x = new Float32Array(3);
    expect([...lpThreat(free(3), { norm: 'linf', eps: 1 }).project(x, delta)]).toEqual([1, -1, 0.5]);
    const near = lpThreat(free(2), { norm: 'l2', eps: 2.5 }).project(x.subarray(1), delta.subarray(0, 2));
    expect([...near]).toEqual([1.5, -2]);
    expect([...lpThreat(free(3), { norm: 'l0', eps: 1.9 }).project(x, delta)]).toEqual([0, -4, 0]);
  });

  it('l0 spends its budget where the bounds leave room', () => {
    const threat = lpThreat(flat(2), { norm: 'l0', eps: 1 });
    expect([...threat.project(Float32Array.of(1, 0.5), Float32Array.of(9, 0.25))]).toEqual([0, 0.25]);
  });

  it('l1 is the nearest point of ball and bounds together: equal to bisection on the multiplier', () => {
    fc.assert(
      fc.property(fc.integer(), fc.double({ min: 0, max: 12, noNaN: true }), fc.boolean(), (seed, eps, scaled) => {
        const random = stream(seed, 'l1');
        const n = 1 + random.integer(40);
        const scale = vector(n, () => (scaled ? 0.3 + random.uniform() : 1));
        const x = vector(n, () => (random.integer(4) === 0 ? random.integer(2) : random.uniform()));
        const delta = vector(n, () => (random.integer(5) === 0 ? 0 : random.normal()));
        const near = lpThreat(flat(n), { norm: 'l1', eps, scale }).project(x, delta);
        const expected = l1ByBisection(x, delta, scale, eps);
        near.forEach((d, i) => {
          expect(Math.abs(d - expected[i]!)).toBeLessThan(1e-6);
        });
      }),
      { numRuns: 300 },
    );
  });

  it('l1 beats clipping after the ball: the budget a saturated pixel cannot use goes to another', () => {
    const near = lpThreat(flat(2), { norm: 'l1', eps: 1 }).project(Float32Array.of(0.875, 0), Float32Array.of(2, 1.5));
    expect([...near]).toEqual([0.125, 0.875]);
  });

  it('reads bounds and scale per channel from the layout', () => {
    const spec = specOf([2, 2], { layout: 'NTC', bounds: { lower: [-1, -100], upper: [1, 100] } });
    const threat = lpThreat(spec, { norm: 'linf', eps: 1, scale: Float32Array.of(1, 50) });
    expect([...threat.project(Float32Array.of(0.5, 60, 0, 0), new Float32Array(4).fill(1000))]).toEqual([0.5, 40, 1, 50]);
  });

  it('lets an original outside the bounds stay, but not go further out', () => {
    const threat = lpThreat(flat(2), { norm: 'linf', eps: 1 });
    expect([...threat.project(Float32Array.of(1.5, 1.5), Float32Array.of(0.25, -0.25))]).toEqual([0, -0.25]);
  });
});

/** min |u - v|^2 in scaled coordinates over ball and box, by 200 halvings of the multiplier. */
function l1ByBisection(x: Float32Array, delta: Float32Array, scale: Float32Array, eps: number): number[] {
  const at = (lambda: number): number[] =>
    Array.from(delta, (d, i) => {
      const room = (d > 0 ? 1 - x[i]! : x[i]!) / scale[i]!;
      return Math.sign(d) * Math.min(room, Math.max(0, Math.abs(d) / scale[i]! - lambda));
    });
  const size = (u: number[]): number => u.reduce((sum, value) => sum + Math.abs(value), 0);
  let [low, high] = [0, 100];
  if (size(at(0)) > eps) {
    for (let k = 0; k < 200; k++) {
      const middle = (low + high) / 2;
      if (size(at(middle)) > eps) low = middle;
      else high = middle;
    }
  } else high = 0;
  return at(high).map((u, i) => u * scale[i]!);
}

describe('step', () => {
  it('is alpha sign(g), alpha g / |g|, or the largest coordinate', () => {
    const gradient = Float32Array.of(3, -4, 0);
    const step = (norm: Norm, alpha: number) => [...lpThreat(free(3), { norm, eps: 1 }).step(gradient, alpha)];
    expect(step('linf', 0.5)).toEqual([0.5, -0.5, 0]);
    expect(step('l2', 0.5)).toEqual([Math.fround(0.3), Math.fround(-0.4), 0]);
    expect(step('l1', 0.5)).toEqual([0, -0.5, 0]);
    expect(step('l0', 1)).toEqual([0, -1, 0]);
  });

  it('is zero, never NaN, for a zero gradient; and finite for one of 1e-30', () => {
    for (const norm of normsToTry) {
      const threat = lpThreat(free(3), { norm, eps: 1 });
      expect([...threat.step(new Float32Array(3), 1)]).toEqual([0, 0, 0]);
      expect(threat.size(threat.step(Float32Array.of(0, 1e-30, 0), 1))).toBe(1);
    }
  });

  it('rises fastest to first order among steps of its size, with scale and mask', () => {
    fc.assert(
      fc.property(fc.constantFrom<Norm>('linf', 'l2', 'l1'), fc.integer(), (norm, seed) => {
        const random = stream(seed, 'step');
        const options = { norm, eps: 1, scale: vector(6, () => 0.2 + random.uniform()), mask: Float32Array.of(1, 1, 1, 0, 1, 1) };
        const threat = lpThreat(free(6), options);
        const gradient = vector(6, () => random.normal());
        const gain = (delta: Float32Array) => delta.reduce((sum, d, i) => sum + d * gradient[i]!, 0);
        const step = threat.step(gradient, 1);
        expect(threat.size(step)).toBeCloseTo(1, 6);
        expect(step[3]).toBe(0);
        for (let k = 0; k < 50; k++) {
          const other = threat.project(
            new Float32Array(6),
            vector(6, () => 3 * random.normal()),
          );
          expect(gain(other)).toBeLessThanOrEqual(gain(step) + 1e-5);
        }
      }),
      { numRuns: 50 },
    );
  });
});

describe('random', () => {
  const draws = 4000;
  const sample = (norm: Norm, n: number, eps: number) => {
    const threat = lpThreat(free(n), { norm, eps });
    return Array.from({ length: draws }, (_, k) => threat.random(stream(norm, k)));
  };

  it.each([
    ['linf', 3],
    ['l2', 3],
    ['l1', 3],
  ] as const)('%s: uniform in the ball, so P(size <= r eps) = r^n and no orthant is favoured', (norm, n) => {
    const threat = lpThreat(free(n), { norm, eps: 2 });
    const points = sample(norm, n, 2);
    for (const r of [0.5, 0.8, 1]) {
      const share = points.filter((delta) => threat.size(delta) <= 2 * r * (1 + 1e-6)).length / draws;
      expect(Math.abs(share - r ** n)).toBeLessThan(4 * Math.sqrt((r ** n * (1 - r ** n)) / draws) + 1e-9);
    }
    const positive = points.filter((delta) => delta.every((value) => value > 0)).length / draws;
    expect(Math.abs(positive - 1 / 8)).toBeLessThan(4 * Math.sqrt(7 / 64 / draws));
  });

  it('l1: the first coordinate takes its share, E|u_1| = eps / (n + 1)', () => {
    const mean = sample('l1', 4, 5).reduce((sum, delta) => sum + Math.abs(delta[0]!), 0) / draws;
    expect(Math.abs(mean - 1)).toBeLessThan(0.05);
  });

  it('l0: every element is chosen equally often', () => {
    const points = sample('l0', 5, 2);
    for (const delta of points) expect(delta.filter((value) => value !== 0).length).toBe(2);
    for (let i = 0; i < 5; i++) {
      const share = points.filter((delta) => delta[i] !== 0).length / draws;
      expect(Math.abs(share - 0.4)).toBeLessThan(4 * Math.sqrt(0.24 / draws));
    }
  });

  it('keeps to the mask and is the same for the same stream', () => {
    for (const norm of normsToTry) {
      const threat = lpThreat(free(4), { norm, eps: 2, mask: Float32Array.of(0, 1, 0, 1) });
      const delta = threat.random(stream(1));
      expect([delta[0], delta[2]]).toEqual([0, 0]);
      expect(delta[1]).not.toBe(0);
      expect(threat.random(stream(1))).toEqual(delta);
    }
  });
});

describe('refused', () => {
  it.each([
    [{ norm: 'linf', eps: -1 }, /eps is -1/],
    [{ norm: 'linf', eps: Number.NaN }, /eps is NaN/],
    [{ norm: 'linf', eps: 1, scale: Float32Array.of(1, 0) }, /scale holds/],
    [{ norm: 'linf', eps: 1, scale: Float32Array.of(1, 1, 1) }, /scale has 3 values/],
    [{ norm: 'linf', eps: 1, mask: Float32Array.of(1, 0.5) }, /mask holds/],
    [{ norm: 'linf', eps: 1, mask: Float32Array.of(1) }, /mask has 1 values/],
    [{ norm: 'l3' as Norm, eps: 1 }, /norm is "l3"/],
  ] as const)('%j', (options, message) => {
    expect(() => lpThreat(free(2), options)).toThrow(message);
  });

  it('a gradient or perturbation with NaN', () => {
    const threat = lpThreat(free(1), { norm: 'l2', eps: 1 });
    expect(() => threat.step(Float32Array.of(Number.NaN), 1)).toThrow(/NaN/);
  });
});
