import fc from 'fast-check';
import { expect, it } from 'vitest';
import { nthSmallest } from '../../../src/core/tensor/select.ts';

it('is the value that sorting puts there, ties and all', () => {
  const values = fc.array(fc.oneof(fc.integer({ min: 0, max: 3 }), fc.double({ noNaN: true, min: -1, max: 1 })), {
    minLength: 1,
    maxLength: 60,
  });
  fc.assert(
    fc.property(values, fc.nat(), (list, pick) => {
      const k = pick % list.length;
      // 0 and -0 are ties: adding 0 makes them one
      expect(nthSmallest(Float64Array.from(list), k) + 0).toBe(Float64Array.from(list).sort()[k]! + 0);
    }),
    { numRuns: 500 },
  );
  expect(() => nthSmallest(new Float64Array(2), 2)).toThrow(/rank 2/);
});
