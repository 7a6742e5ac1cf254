import { describe, expect, it } from 'vitest';
import { compareDistances, compareRobustness, type Judged } from '../../../src/kit/metrics/compare.ts';
import { median, quantile } from '../../../src/kit/metrics/quantile.ts';
import type { Status } from '../../../src/kit/record/outcome.ts';

const letters: Readonly<Record<string, Status>> = { F: 'failure', S: 'success', k: 'skipped', i: 'invalid' };
/** One letter per sample: F holds, S is broken, k was wrong before, i could not be judged. */
const run = (text: string, group = (i: number) => `g${i}`): Judged[] =>
  [...text].map((letter, i) => ({ sample: `s${i}`, group: group(i), status: letters[letter]! }));

describe('robust accuracy of two', () => {
  it('is counted on the samples both could judge, whatever their order', () => {
    const first = run('FFFFSSki');
    const second = run('FSSFFSkF').reverse();
    const found = compareRobustness(first, second)!;
    expect(found).toMatchObject({ n: 7, onlyFirst: 2, onlySecond: 1, p: 1 });
    expect([found.first, found.second]).toEqual([4 / 7, 3 / 7]);
    expect(found.difference).toBeCloseTo(-1 / 7, 12);
  });

  it('has the exact p of a one-sided split: 6 of 6', () => {
    expect(compareRobustness(run('FFFFFF'), run('SSSSSS'))!.p).toBeCloseTo(2 / 2 ** 6, 12);
  });

  it('has the interval of the mean of paired differences', () => {
    // 30 of 100 differ, all one way: the standard error is sqrt(.3 .7 / 100)
    const { difference, interval } = compareRobustness(
      run(`${'F'.repeat(60)}${'S'.repeat(40)}`),
      run('F'.repeat(90) + 'S'.repeat(10)),
    )!;
    const spread = 1.96 * Math.sqrt((0.3 * 0.7) / 100);
    expect(difference).toBeCloseTo(0.3, 12);
    expect(Math.abs(interval[0] - (0.3 - spread))).toBeLessThan(0.015);
    expect(Math.abs(interval[1] - (0.3 + spread))).toBeLessThan(0.015);
  });

  it('is unsurer where samples stand and fall together', () => {
    const [a, b] = ['F'.repeat(40), `${'S'.repeat(20)}${'F'.repeat(20)}`];
    const width = (group?: (i: number) => string): number => {
      const [low, high] = compareRobustness(run(a, group), run(b, group))!.interval;
      return high - low;
    };
    expect(width((i) => `person ${Math.floor(i / 10)}`)).toBeGreaterThan(2 * width());
  });

  it('is nothing where no sample was judged in both', () => {
    expect(compareRobustness(run('iF'), run('Fi'))).toBeUndefined();
  });
});

describe('distances of two', () => {
  const at = (text: string, distances: readonly (number | null)[]) =>
    run(text).map((row, i) => ({ ...row, distance: distances[i]! }));

  it('have medians over failures too, and a sign test over the samples', () => {
    const first = at('SSFkF', [1, 2, 3, null, null]);
    const second = at('SSFkF', [2, 2, null, null, null]);
    expect(compareDistances(first, second)).toEqual({
      n: 4,
      first: 2.5,
      second: Number.POSITIVE_INFINITY,
      firstSmaller: 2,
      secondSmaller: 0,
      p: 0.5,
    });
  });
});

describe('quantiles', () => {
  it('lie on straight lines between neighbours, and are infinite where they lean on infinity', () => {
    expect(quantile([0, 1, 2, 3], 0.5)).toBe(1.5);
    expect(quantile([0, 10], 0.25)).toBe(2.5);
    expect(median([3, Number.POSITIVE_INFINITY, 1])).toBe(3);
    expect(median([1, Number.POSITIVE_INFINITY])).toBe(Number.POSITIVE_INFINITY);
    expect(quantile([Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY], 0.3)).toBe(Number.POSITIVE_INFINITY);
    expect(() => median([])).toThrow('nothing has no quantile');
  });
});
