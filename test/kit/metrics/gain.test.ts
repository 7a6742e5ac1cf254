import { describe, expect, it } from 'vitest';
import { stream } from '../../../src/core/tensor/random.ts';
import { type TrainingPair, trainingGain } from '../../../src/kit/metrics/gain.ts';

/** One-sided 95 % point of the standard normal. */
const z = 1.6448536;

describe('the gain of a training', () => {
  it('is the mean of the paired differences', () => {
    const { gain, each } = trainingGain([
      { treated: [1, 1, 0, 1], control: [0, 1, 0, 0] },
      { treated: [1, 0, 0, 1], control: [0, 0, 0, 1] },
    ]);
    expect(each).toEqual([0.5, 0.25]);
    expect(gain).toBe(0.375);
  });

  it('has no spread where all differences are equal', () => {
    const treated = [0.9, 0.4, 0.7];
    const { lower, upper } = trainingGain([{ treated, control: treated.map((v) => v - 0.25) }]);
    expect(lower).toBeCloseTo(0.25, 12);
    expect(upper).toBeCloseTo(0.25, 12);
  });

  it('has the normal bounds of a mean for one training and many samples', () => {
    const n = 400;
    const treated = Array.from({ length: n }, (_, i) => (i % 4 === 0 ? 0 : 1));
    const { gain, lower, upper } = trainingGain([{ treated, control: new Float64Array(n) }]);
    const error = Math.sqrt((0.75 * 0.25) / n);
    expect(gain).toBe(0.75);
    expect(lower).toBeCloseTo(0.75 - z * error, 2);
    expect(upper).toBeCloseTo(0.75 + z * error, 2);
    expect(Math.abs((upper - lower) / (2 * z * error) - 1)).toBeLessThan(0.05);
  });

  it('judges by the differences: samples both trainings get right or wrong together add no spread', () => {
    const n = 300;
    const control = Array.from({ length: n }, (_, i) => i % 2);
    const alike = trainingGain([{ treated: control, control }], { resamples: 500 });
    expect([alike.gain, alike.lower, alike.upper]).toEqual([0, 0, 0]);
    const shuffled = trainingGain([{ treated: control.map((v) => 1 - v), control }], { resamples: 500 });
    expect(shuffled.gain).toBe(0);
    expect(shuffled.lower).toBeLessThan(-0.05);
  });

  it('does not take the same samples judged in five trainings for five times as many', () => {
    const n = 200;
    const values = Array.from({ length: n }, (_, i) => (i % 2 === 0 ? 1 : 0));
    const pair: TrainingPair = { treated: values, control: new Float64Array(n) };
    const one = trainingGain([pair], { resamples: 4000 });
    const five = trainingGain([pair, pair, pair, pair, pair], { resamples: 4000 });
    expect(Math.abs((five.gain - five.lower) / (one.gain - one.lower) - 1)).toBeLessThan(0.1);
  });

  it('counts the spread between trainings, which no number of samples takes away', () => {
    const n = 20;
    const constant = (value: number): TrainingPair => ({
      treated: new Float64Array(n).fill(value),
      control: new Float64Array(n),
    });
    // means of three draws from {0, 1, 2}: 1 of 27 is 0, 3 of 27 are 1/3
    const { lower, upper } = trainingGain([constant(0), constant(1), constant(2)]);
    expect(lower).toBeCloseTo(1 / 3, 12);
    expect(upper).toBeCloseTo(5 / 3, 12);
  });

  it('does not take many samples of one person for many people', () => {
    const people = 10;
    const values = Array.from({ length: people }, (_, i) => i % 2);
    const control = new Float64Array(people);
    const once = trainingGain([{ treated: values, control }], { resamples: 4000 });
    const often = [...values, ...values, ...values, ...values];
    const pair = { treated: often, control: new Float64Array(often.length) };
    const groups = often.map((_, i) => `person ${i % people}`);
    const grouped = trainingGain([pair], { resamples: 4000, groups });
    expect([grouped.gain, grouped.lower, grouped.upper]).toEqual([once.gain, once.lower, once.upper]);
    expect([grouped.samples, grouped.units]).toEqual([40, 10]);
    expect(trainingGain([pair], { resamples: 4000 }).lower).toBeGreaterThan(grouped.lower);
  });

  it('weighs samples, not groups: a large group counts for more', () => {
    const pair = { treated: [1, 1, 1, 0], control: [0, 0, 0, 0] };
    const { gain, lower, upper } = trainingGain([pair], { groups: ['a', 'a', 'a', 'b'], resamples: 2000 });
    expect([gain, lower, upper]).toEqual([0.75, 0, 1]);
    expect(() => trainingGain([pair], { groups: ['a'] })).toThrow('every sample has a group');
  });

  it('covers the truth about as often as it says, in invented experiments', () => {
    const truth = 0.3;
    const worlds = 300;
    let covered = 0;
    for (let world = 0; world < worlds; world++) {
      const random = stream(7, world);
      const [seeds, n] = [6, 40];
      const hard = Array.from({ length: n }, () => 0.5 * random.normal());
      const pairs = Array.from({ length: seeds }, (): TrainingPair => {
        const luck = 0.05 * random.normal();
        return {
          treated: hard.map((h) => truth + luck + h + 0.3 * random.normal()),
          control: hard.map(() => 0.3 * random.normal()),
        };
      });
      if (trainingGain(pairs, { resamples: 200, seed: world }).lower <= truth) covered++;
    }
    expect(covered / worlds).toBeGreaterThan(0.91);
    expect(covered / worlds).toBeLessThan(0.985);
  });

  it('refuses figures of different samples', () => {
    expect(() => trainingGain([{ treated: [1, 2], control: [1] }])).toThrow('the same samples');
    expect(() => trainingGain([])).toThrow('at least one pair');
  });

  it('is the same for the same seed, and another for another', () => {
    const random = stream(3);
    const pair = { treated: Array.from({ length: 50 }, random.normal), control: new Float64Array(50) };
    expect(trainingGain([pair], { resamples: 100 })).toEqual(trainingGain([pair], { resamples: 100 }));
    expect(trainingGain([pair], { resamples: 100, seed: 1 }).lower).not.toBe(trainingGain([pair], { resamples: 100 }).lower);
  });
});
