import fc from 'fast-check';
import { expect, it } from 'vitest';
import { mcnemar } from '../../../src/kit/metrics/paired.ts';

it('sums the binomial tail: closed forms', () => {
  expect(mcnemar(0, 0)).toBe(1);
  expect(mcnemar(0, 5)).toBeCloseTo(2 / 32, 14);
  expect(mcnemar(2, 10)).toBeCloseTo((2 * (1 + 12 + 66)) / 4096, 14);
  expect(mcnemar(17, 0)).toBeCloseTo(2 ** -16, 14);
});

it('does not care which attack is called the first, stays in 0..1, and is 1 for an even split', () => {
  fc.assert(
    fc.property(fc.nat(3000), fc.nat(3000), (b, c) => {
      const p = mcnemar(b, c);
      expect(p).toBe(mcnemar(c, b));
      expect(p).toBeGreaterThanOrEqual(0);
      expect(p).toBeLessThanOrEqual(1);
      expect(mcnemar(b, b)).toBe(1);
    }),
    { numRuns: 50 },
  );
});

it('falls as the split gets more uneven, for thousands of pairs too', () => {
  const p = [2500, 2450, 2400, 2300].map((b) => mcnemar(b, 5000 - b));
  expect(p).toEqual([...p].sort((a, b) => b - a));
  expect(p[3]).toBeGreaterThan(0);
  // 2300 of 5000: the normal approximation with continuity correction, |b - c| - 1 = 399 over sqrt(5000).
  expect(p[3]! / 1.68e-8).toBeCloseTo(1, 0);
});
