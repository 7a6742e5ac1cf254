import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { stream } from '../../../src/core/tensor/random.ts';
import {
  eachPart,
  fanInUniform,
  filled,
  glorot,
  he,
  type Initialiser,
  normal,
  orthogonal,
  truncatedNormal,
  uniform,
} from '../../../src/kit/nn/initialisers.ts';

const moments = (values: Float32Array): { mean: number; deviation: number; largest: number } => {
  const mean = values.reduce((a, b) => a + b, 0) / values.length;
  const deviation = Math.sqrt(values.reduce((a, b) => a + (b - mean) ** 2, 0) / values.length);
  return { mean, deviation, largest: values.reduce((a, b) => Math.max(a, Math.abs(b)), 0) };
};

describe('moments of first values', () => {
  // fan in 32 x 9, fan out 64 x 9
  const dims = [64, 32, 3, 3];
  const [fanIn, fanOut] = [288, 576];
  it.each<[string, Initialiser, deviation: number, largest: number]>([
    ['uniform', uniform(0.3), 0.3 / Math.sqrt(3), 0.3],
    ['normal', normal(0.3), 0.3, Number.POSITIVE_INFINITY],
    ['he in', he('in'), Math.sqrt(2 / fanIn), Number.POSITIVE_INFINITY],
    ['he out', he('out'), Math.sqrt(2 / fanOut), Number.POSITIVE_INFINITY],
    ['glorot', glorot, Math.sqrt(2 / (fanIn + fanOut)), Math.sqrt(6 / (fanIn + fanOut))],
    ['fanInUniform', fanInUniform, Math.sqrt(1 / (3 * fanIn)), 1 / Math.sqrt(fanIn)],
    ['truncatedNormal', truncatedNormal(0.02), 0.02 * 0.87962566, 0.04],
    ['truncatedNormal at 1', truncatedNormal(0.5, 1), 0.5 * 0.53956, 0.5],
  ])('%s', (_, initialise, deviation, largest) => {
    const values = initialise(dims, stream(3, 'moments'));
    expect(values.length).toBe(64 * 32 * 9);
    const found = moments(values);
    // 18432 draws: four standard errors of the mean, and of the deviation
    expect(Math.abs(found.mean)).toBeLessThan((4 * deviation) / Math.sqrt(values.length));
    expect(Math.abs(found.deviation / deviation - 1)).toBeLessThan(4 / Math.sqrt(2 * values.length));
    expect(found.largest).toBeLessThanOrEqual(Math.fround(largest));
    if (largest < 1) expect(found.largest).toBeGreaterThan(0.99 * largest);
  });

  it('filled is the same everywhere', () => {
    expect([...filled(0.5)([2, 3], stream(1))]).toEqual(Array(6).fill(0.5));
  });
});

describe('orthogonal', () => {
  it('has orthogonal rows or columns, whichever are fewer, of the length asked for', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 12 }), fc.integer({ min: 1, max: 12 }), fc.integer(), (rows, columns, seed) => {
        const gain = 1.5;
        const values = orthogonal(gain)([rows, columns], stream(seed));
        const [count, length] = [Math.min(rows, columns), Math.max(rows, columns)];
        const at = (vector: number, k: number) =>
          rows <= columns ? values[vector * columns + k]! : values[k * columns + vector]!;
        for (let a = 0; a < count; a++)
          for (let b = 0; b <= a; b++) {
            let product = 0;
            for (let k = 0; k < length; k++) product += at(a, k) * at(b, k);
            expect(Math.abs(product - (a === b ? gain ** 2 : 0))).toBeLessThan(1e-5);
          }
      }),
    );
  });

  it('favours no direction: the first element of a 2 x 2 rotation or reflection has mean 0 and mean square 1/2', () => {
    const draws = Array.from({ length: 4000 }, (_, i) => orthogonal()([2, 2], stream(i))[0]!);
    const mean = draws.reduce((a, b) => a + b, 0) / draws.length;
    const square = draws.reduce((a, b) => a + b * b, 0) / draws.length;
    expect(Math.abs(mean)).toBeLessThan(4 * Math.sqrt(0.5 / draws.length));
    // the variance of cos^2 is 1/8
    expect(Math.abs(square - 0.5)).toBeLessThan(4 * Math.sqrt(0.125 / draws.length));
  });
});

it('each part is drawn by itself: two directions are both orthogonal and not the same', () => {
  const values = eachPart(orthogonal())([2, 3, 3], stream(5));
  const random = stream(5);
  expect([...values.subarray(0, 9)]).toEqual([...orthogonal()([3, 3], random)]);
  expect([...values.subarray(9)]).toEqual([...orthogonal()([3, 3], random)]);
  expect([...values.subarray(0, 9)]).not.toEqual([...values.subarray(9)]);
});
