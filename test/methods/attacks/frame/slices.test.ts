/** @file Questions that do not fit into memory together travel one group after the other. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { slices } from '../../../../src/methods/attacks/frame/slices.ts';

describe('slices', () => {
  const size = (value: number): number => value;

  it('hold everything in order, within the room unless a single one is larger, and no more of them than needed one after the other', () =>
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 12 })), fc.integer({ min: 1, max: 10 }), (items, room) => {
        const groups = slices(items, size, room);
        const total = (group: readonly number[]): number => group.reduce((a, b) => a + b, 0);
        expect(groups.flat()).toEqual(items);
        for (const [k, group] of groups.entries()) {
          expect(group.length).toBeGreaterThan(0);
          if (group.some((item) => item > room)) expect(group).toHaveLength(1);
          else expect(total(group)).toBeLessThanOrEqual(room);
          if (k > 0 && total(groups[k - 1]!) <= room) expect(total(groups[k - 1]!) + group[0]!).toBeGreaterThan(room);
        }
      }),
    ));

  it('one that is too large alone keeps to itself, between others', () => {
    expect(slices([1, 2, 9, 1, 3, 1], size, 4)).toEqual([[1, 2], [9], [1, 3], [1]]);
  });
});
