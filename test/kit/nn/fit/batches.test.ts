import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { planBatches } from '../../../../src/kit/nn/fit/batches.ts';
import { drawNoise } from '../../../../src/kit/nn/fit/noise.ts';
import { halves } from './tasks.ts';

const sets = (...counts: number[]) => counts.map((count, i) => ({ set: halves(`set${i}`, count) }));

describe('planBatches', () => {
  it('shows every pass through one set each sample at most once, in an order of its own, and drops what makes no whole batch', () => {
    const plan = planBatches(sets(10), { batch: 4, seed: 3 });
    expect(plan.perEpoch).toBe(2);
    const passes = [0, 1, 2].map((pass) => [0, 1].flatMap((i) => plan.draws(pass * 2 + i)));
    for (const [pass, draws] of passes.entries()) {
      expect(new Set(draws.map((d) => d.index)).size).toBe(8);
      expect(draws.every((d) => d.pass === pass)).toBe(true);
    }
    expect(passes[0]!.map((d) => d.index)).not.toEqual(passes[1]!.map((d) => d.index));
  });

  it('is a function of the batch number alone, whatever was asked before', () => {
    const asked = planBatches(sets(30, 11), { batch: 4, seed: 3 });
    for (let step = 0; step < 40; step++) asked.draws(step);
    expect(asked.draws(17)).toEqual(planBatches(sets(30, 11), { batch: 4, seed: 3 }).draws(17));
    expect(asked.draws(17)).not.toEqual(planBatches(sets(30, 11), { batch: 4, seed: 4 }).draws(17));
  });

  it('gives each set its share of every batch, and goes round each evenly', () => {
    fc.assert(
      fc.property(
        fc.array(fc.record({ count: fc.integer({ min: 20, max: 60 }), share: fc.integer({ min: 1, max: 4 }) }), {
          minLength: 2,
          maxLength: 4,
        }),
        fc.integer({ min: 16, max: 20 }),
        (described, batch) => {
          const parts = described.map(({ count, share }, i) => ({ set: halves(`s${i}`, count), share }));
          const sum = described.reduce((a, { share }) => a + share, 0);
          const plan = planBatches(parts, { batch, seed: 0 });
          const seen = described.map(() => [] as number[]);
          for (let step = 0; step < 6; step++) {
            const draws = plan.draws(step);
            expect(draws).toHaveLength(batch);
            expect(new Set(draws.map((d) => `${d.set} ${d.index}`)).size).toBe(batch);
            for (const [s, { share }] of described.entries())
              expect(Math.abs(draws.filter((d) => d.set === s).length - (batch * share) / sum)).toBeLessThan(1);
            for (const d of draws) if (d.pass === 0) seen[d.set]!.push(d.index);
          }
          for (const indices of seen) expect(new Set(indices).size).toBe(indices.length);
        },
      ),
    );
  });

  it.each([
    ['an empty set', sets(4, 0), /set1.* is empty/],
    ['a batch larger than the data', sets(3), /batch of 4 is larger than the training data \(3 samples\)/],
    ['one share of two', [{ set: halves('a', 9), share: 1 }, { set: halves('b', 9) }], /"b" has no share/],
    ['a share of nothing', [{ set: halves('a', 9), share: 0 }], /share of the training set "a" is 0/],
    [
      'a share below one sample',
      [
        { set: halves('a', 9), share: 99 },
        { set: halves('b', 9), share: 1 },
      ],
      /less than one sample/,
    ],
    [
      'a share larger than its set',
      [
        { set: halves('a', 2), share: 9 },
        { set: halves('b', 9), share: 1 },
      ],
      /has 2 samples/,
    ],
    ['two sets of one name', [...sets(5), ...sets(5)], /two training sets are called "set0"/],
  ])('refuses %s with a remedy', (_, parts, message) => {
    const attempt = () => planBatches(parts, { batch: 4, seed: 0 });
    expect(attempt).toThrow(message);
    expect(attempt).toThrow(expect.objectContaining({ name: 'UserError', remedy: expect.stringMatching(/./) }));
  });
});

describe('drawNoise', () => {
  const inputs = [
    { name: 'a', shape: [2, 3], kind: 'uniform' },
    { name: 'b', shape: [5], kind: 'normal' },
  ] as const;

  it("draws a sample's numbers from its id, the step and the input alone", () => {
    const one = drawNoise(inputs, ['p', 'q', 'r'], { seed: 1, step: 9 });
    const other = drawNoise(inputs, ['r', 'x'], { seed: 1, step: 9 });
    expect(one.a!.dims).toEqual([3, 2, 3]);
    expect(one.a!.data.slice(12)).toEqual(other.a!.data.slice(0, 6));
    expect(one.b!.data.slice(10)).toEqual(other.b!.data.slice(0, 5));
    expect(one.b!.data.slice(0, 5)).not.toEqual(other.b!.data.slice(5));
    expect(drawNoise(inputs, ['r'], { seed: 1, step: 8 }).b!.data).not.toEqual(other.b!.data.slice(0, 5));
    expect(drawNoise(inputs, ['r'], { seed: 2, step: 9 }).b!.data).not.toEqual(other.b!.data.slice(0, 5));
  });

  it('is uniform in [0, 1) or standard normal', () => {
    const ids = Array.from({ length: 4000 }, (_, i) => `${i}`);
    const { a, b } = drawNoise(inputs, ids, { seed: 1, step: 0 });
    const mean = (values: Float32Array) => values.reduce((sum, v) => sum + v, 0) / values.length;
    expect(a!.data.every((v) => v >= 0 && v < 1)).toBe(true);
    expect(mean(a!.data)).toBeCloseTo(0.5, 1);
    expect(mean(a!.data.map((v) => (v - 0.5) ** 2))).toBeCloseTo(1 / 12, 2);
    expect(mean(b!.data)).toBeCloseTo(0, 1);
    expect(mean(b!.data.map((v) => v ** 2))).toBeCloseTo(1, 1);
  });
});
