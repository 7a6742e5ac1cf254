import fc from 'fast-check';
import { expect, it } from 'vitest';
import { f32, sizeOf } from '../../../src/core/tensor/tensor.ts';
import { inverseOf, permuted, transpose } from '../../../src/core/tensor/transpose.ts';

const cases = fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 0, maxLength: 5 }).chain((dims) =>
  fc.tuple(
    fc.constant(dims),
    fc.shuffledSubarray(
      dims.map((_, i) => i),
      { minLength: dims.length },
    ),
  ),
);

it('element (i0, i1, ...) of the result is the element whose axis perm[k] stands at ik', () => {
  fc.assert(
    fc.property(cases, ([dims, perm]) => {
      const t = f32(
        Float32Array.from({ length: sizeOf(dims) }, (_, i) => i),
        dims,
      );
      const result = transpose(t, perm);
      expect(result.dims).toEqual(permuted(dims, perm));
      result.data.forEach((value, flat) => {
        const at = result.dims.map((n, k) => Math.floor(flat / sizeOf(result.dims.slice(k + 1))) % n);
        const from = dims.map((_, axis) => at[perm.indexOf(axis)]!);
        expect(value).toBe(from.reduce((sum, i, axis) => sum * dims[axis]! + i, 0));
      });
      expect(transpose(result, inverseOf(perm))).toEqual(t);
    }),
  );
});
