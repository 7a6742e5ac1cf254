import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { signedRank } from '../../../src/kit/metrics/signed-rank.ts';

const infinite = Number.POSITIVE_INFINITY;

describe('signedRank', () => {
  it('has the exact tail of small samples', () => {
    // all five differences point the same way: one pattern of 32
    expect(signedRank([1, 2, 3, 4, 5], [2, 4, 6, 8, 10])).toEqual({ n: 5, firstSmaller: 15, secondSmaller: 0, p: 1 / 32 });
    // scipy.stats.wilcoxon([-1, 2, 3, 4], alternative="greater", method="exact"): statistic 9, p 0.125
    expect(signedRank([1, 0, 0, 0], [0, 2, 3, 4])).toMatchObject({ firstSmaller: 9, p: 0.125 });
  });

  it('leaves out ties and ranks a failure above every finite difference', () => {
    const { n, firstSmaller } = signedRank([3, 7, infinite, 1, 100], [3, infinite, infinite, 2, 1]);
    expect(n).toBe(3);
    expect(firstSmaller).toBe(1 + 3);
    expect(signedRank([infinite], [infinite])).toMatchObject({ n: 0, p: 1 });
  });

  it('agrees with SciPy beyond the exact range', () => {
    // scipy 1.17.1: wilcoxon(d, alternative="greater", correction=True, method="asymptotic") of d = [((37 * i) % 101) - 40 for i in range(1, 81)]
    const d = Array.from({ length: 80 }, (_, i) => ((37 * (i + 1)) % 101) - 40);
    const zeros = d.map(() => 0);
    const tested = signedRank(zeros, d);
    expect(tested).toMatchObject({ n: 79, firstSmaller: 2168.5 });
    expect(tested.p).toBeCloseTo(0.0020284991394334158, 12);
  });

  it('gives both directions complementary tails, whatever is ranked', () => {
    const value = fc.oneof(fc.integer({ min: 0, max: 9 }), fc.constant(infinite));
    fc.assert(
      fc.property(fc.array(fc.tuple(value, value), { minLength: 1, maxLength: 80 }), (pairs) => {
        const [a, b] = [pairs.map(([x]) => x), pairs.map(([, y]) => y)];
        const [forth, back] = [signedRank(a, b), signedRank(b, a)];
        expect(forth.firstSmaller).toBe(back.secondSmaller);
        expect(forth.p).toBeGreaterThanOrEqual(0);
        // the pattern itself belongs to both tails
        expect(forth.p + back.p).toBeGreaterThanOrEqual(1 - 1e-12);
      }),
    );
  });
});
