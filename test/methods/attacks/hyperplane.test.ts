/** @file The projections onto a hyperplane within a box, against bisection on the dual (linf, l2), trying every order (l1), and their optimality conditions. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { stream } from '../../../src/core/tensor/random.ts';
import { type Box, distanceTo, type FlatNorm, moveOnto } from '../../../src/methods/attacks/hyperplane.ts';

interface Scene extends Box {
  readonly u: Float32Array;
  readonly w: Float32Array;
}

const inf = Number.POSITIVE_INFINITY;
/** Few values, so that ties, zeros, full bounds and elements without room are common. */
const weight = fc.oneof(
  fc.constantFrom(0, 1, -1, 0.5),
  fc.integer({ min: -3000, max: 3000 }).map((k) => k / 1000),
);
const reach = fc.oneof(fc.constantFrom(0, 0.5, 1, inf), fc.double({ min: 0, max: 2, noNaN: true }));
const scenes: fc.Arbitrary<Scene> = fc
  .array(fc.record({ w: weight, at: fc.double({ min: -1, max: 1, noNaN: true }), down: reach, up: reach }), {
    minLength: 1,
    maxLength: 9,
  })
  .map((elements) => {
    const u = Float32Array.from(elements, ({ at }) => at);
    return {
      u,
      w: Float32Array.from(elements, ({ w }) => w),
      low: Float32Array.from(elements, ({ down }, i) => u[i]! - down),
      high: Float32Array.from(elements, ({ up }, i) => u[i]! + up),
    };
  });
/** As the difference of two logits: a float32. */
const gaps = fc.oneof(fc.constantFrom(0, 1, -1), fc.float({ min: -6, max: 6, noNaN: true }));
const norms = ['linf', 'l2', 'l1'] as const;

/** Room and steepness of every element that helps. */
const helpers = ({ u, w, low, high }: Scene, gap: number) =>
  Array.from(w, (slope, i) => ({
    steep: Math.abs(slope),
    room: slope === 0 ? 0 : slope > 0 === gap > 0 ? high[i]! - u[i]! : u[i]! - low[i]!,
  }));

/** The smallest size of a change that closes the gap; Infinity where there is none. */
function oracle(norm: FlatNorm, scene: Scene, gap: number): number {
  const all = helpers(scene, gap).filter(({ steep, room }) => steep > 0 && room > 0);
  const want = Math.abs(gap);
  if (all.reduce((sum, { steep, room }) => sum + steep * room, 0) < want * (1 - 1e-12)) return inf;
  if (norm === 'l1') {
    let left = want;
    let size = 0;
    for (const { steep, room } of all.sort((a, b) => b.steep - a.steep)) {
      const length = Math.min(room, left / steep);
      left -= length * steep;
      size += length;
    }
    return size;
  }
  const lengths = (lambda: number) => all.map(({ steep, room }) => Math.min(room, norm === 'l2' ? lambda * steep : lambda));
  const gain = (lambda: number) => lengths(lambda).reduce((sum, length, i) => sum + length * all[i]!.steep, 0);
  let [low, high] = [0, 1];
  while (gain(high) < want * (1 - 1e-12)) high *= 2;
  for (let k = 0; k < 200; k++) {
    const middle = (low + high) / 2;
    if (gain(middle) < want) low = middle;
    else high = middle;
  }
  return norm === 'linf' ? Math.max(0, ...lengths(high)) : Math.hypot(...lengths(high));
}

const dot = (w: Float32Array, d: Float64Array): number => d.reduce((sum, value, i) => sum + value * w[i]!, 0);
const sizes: Readonly<Record<FlatNorm, (d: Float64Array) => number>> = {
  linf: (d) => Math.max(0, ...d.map(Math.abs)),
  l2: (d) => Math.hypot(...d),
  l1: (d) => d.reduce((sum, value) => sum + Math.abs(value), 0),
};

describe.each(norms)('in %s', (norm) => {
  it('the change stays in the box, meets the hyperplane, is as long as it says, and no change is shorter', () => {
    fc.assert(
      fc.property(scenes, gaps, (scene, gap) => {
        const { d, size, whole } = moveOnto(norm, scene.u, scene.w, gap, scene);
        d.forEach((value, i) => {
          expect(Number.isFinite(value)).toBe(true);
          expect(scene.u[i]! + value).toBeGreaterThanOrEqual(scene.low[i]! - 1e-12);
          expect(scene.u[i]! + value).toBeLessThanOrEqual(scene.high[i]! + 1e-12);
        });
        expect(size).toBeCloseTo(sizes[norm](d), 9);
        const best = oracle(norm, scene, gap);
        if (whole) {
          expect(dot(scene.w, d)).toBeCloseTo(gap, 9);
          expect(size).toBeLessThanOrEqual(best * (1 + 1e-9) + 1e-12);
        } else {
          expect(best).toBe(inf);
          const most = helpers(scene, gap).reduce((sum, { steep, room }) => sum + (steep === 0 ? 0 : steep * room), 0);
          expect(Math.abs(dot(scene.w, d))).toBeCloseTo(most, 9);
        }
      }),
      { numRuns: 700 },
    );
  });

  it('without bounds the distance is |gap| over the dual norm, and never more than with them', () => {
    fc.assert(
      fc.property(scenes, gaps, (scene, gap) => {
        const free = { low: scene.u.map(() => -inf), high: scene.u.map(() => inf) };
        const plain = distanceTo(norm, scene.w, gap);
        const { size, whole } = moveOnto(norm, scene.u, scene.w, gap, free);
        expect(whole).toBe(plain < inf || gap === 0);
        if (plain < inf) expect(size / plain || 1).toBeCloseTo(1, 9);
        const boxed = moveOnto(norm, scene.u, scene.w, gap, scene);
        if (boxed.whole && plain < inf) expect(boxed.size).toBeGreaterThanOrEqual(plain * (1 - 1e-9));
      }),
    );
  });

  it('keeps its promises over the whole range of float32, and for bounds that are met one after the other', () => {
    const n = 4000;
    const random = stream('hyperplane', norm);
    const w = Float32Array.from({ length: n }, () => random.normal() * 10 ** (70 * random.uniform() - 35));
    const high = Float32Array.from({ length: n }, () => 10 ** (60 * random.uniform() - 30));
    const scene = { u: new Float32Array(n), w, low: high.map((value) => -value), high };
    const most = helpers(scene, 1).reduce((sum, { steep, room }) => sum + steep * room, 0);
    for (const share of [1e-20, 1e-9, 0.1, 0.5, 0.999999, 1.01]) {
      const { d, size, whole } = moveOnto(norm, scene.u, w, share * most, scene);
      expect(whole).toBe(share <= 1);
      expect(dot(w, d) / most).toBeCloseTo(Math.min(1, share), 9);
      if (whole) expect(dot(w, d) / (share * most)).toBeCloseTo(1, 9);
      if (whole) expect(size).toBeLessThanOrEqual(oracle(norm, scene, share * most) * (1 + 1e-9));
    }
  });
});

it('l1 moves few elements: the steepest, and of equal ones the first', () => {
  const high = new Float32Array(5).fill(1);
  const { d } = moveOnto('l1', new Float32Array(5), Float32Array.of(1, 2, 1, -2, 1), 3.5, { low: new Float32Array(5), high });
  expect(Array.from(d, (value) => value + 0)).toEqual([1, 1, 0.5, 0, 0]);
});
