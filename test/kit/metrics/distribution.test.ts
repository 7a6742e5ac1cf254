import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { distribution, shareWithin } from '../../../src/kit/metrics/distribution.ts';

describe('distribution', () => {
  it('has a jump per value, in order, of the share that lies there', () => {
    expect(distribution([3, 1, 3, 8])).toEqual([
      { x: 1, share: 0.25 },
      { x: 3, share: 0.75 },
      { x: 8, share: 1 },
    ]);
    expect(distribution([])).toEqual([]);
  });

  it('counts what was never found, and nothing is there', () => {
    const { POSITIVE_INFINITY: never } = Number;
    expect(distribution([2, never, never, 1])).toEqual([
      { x: 1, share: 0.25 },
      { x: 2, share: 0.5 },
    ]);
    expect(distribution([never])).toEqual([]);
    expect(distribution([5], 10)).toEqual([{ x: 5, share: 0.1 }]);
  });

  it('says the share within anything, by counting', () => {
    const value = fc.oneof(fc.integer({ min: 0, max: 20 }), fc.constant(Number.POSITIVE_INFINITY));
    fc.assert(
      fc.property(fc.array(value, { minLength: 1 }), fc.integer({ min: 0, max: 25 }), (values, x) => {
        expect(shareWithin(distribution(values), x)).toBeCloseTo(values.filter((v) => v <= x).length / values.length, 12);
      }),
    );
  });
});
