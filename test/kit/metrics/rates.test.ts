import { describe, expect, it } from 'vitest';
import { jointNorm, norms } from '../../../src/kit/metrics/norms.ts';
import { wilson } from '../../../src/kit/metrics/rates.ts';

describe('wilson', () => {
  it('has the published bounds for 81 of 263 (Newcombe 1998, table 1, method 3) and 15 of 148', () => {
    const [low, high] = wilson(81, 263);
    expect(low).toBeCloseTo(0.2553, 4);
    expect(high).toBeCloseTo(0.3662, 4);
    const [low2, high2] = wilson(15, 148);
    expect(low2).toBeCloseTo(0.0624, 4);
    expect(high2).toBeCloseTo(0.1605, 4);
  });

  it('solves |p - k/n| = z sqrt(p (1 - p) / n) at both ends', () => {
    for (const [k, n] of [
      [1, 7],
      [50, 100],
      [999, 1000],
    ] as const) {
      for (const p of wilson(k, n)) expect(Math.abs(p - k / n)).toBeCloseTo(1.959963984540054 * Math.sqrt((p * (1 - p)) / n), 12);
    }
  });

  it('ends at 0 and 1 exactly, is z^2 / (n + z^2) wide there, and says nothing of nothing', () => {
    const z2 = 1.959963984540054 ** 2;
    expect(wilson(0, 20)[0]).toBe(0);
    expect(wilson(0, 20)[1]).toBeCloseTo(z2 / (20 + z2), 12);
    expect(wilson(20, 20)).toEqual([expect.closeTo(20 / (20 + z2), 12), 1]);
    expect(wilson(0, 0)).toEqual([0, 1]);
  });
});

describe('norms', () => {
  it('of a change, and of several inputs as one vector', () => {
    expect(norms(Float32Array.of(1, 1, 1), Float32Array.of(4, -3, 1))).toEqual({ linf: 4, l2: 5, l1: 7, l0: 2 });
    expect(jointNorm('linf', [3, 4])).toBe(4);
    expect(jointNorm('l2', [3, 4])).toBe(5);
    expect(jointNorm('l1', [3, 4])).toBe(7);
    expect(jointNorm('l0', [3, 4])).toBe(7);
  });
});
