import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { UserError } from '../../../src/core/errors.ts';
import { scheduleOf, schedules } from '../../../src/kit/nn/schedules.ts';

const course = (reference: Parameters<typeof scheduleOf>[0], of: number) =>
  Array.from({ length: of }, (_, step) => scheduleOf(reference).rate(step, of));

describe('schedules', () => {
  it('keep the rate', () => expect(course({ use: 'constant' }, 3)).toEqual([1, 1, 1]));

  it('warm up linearly over a share of the steps', () =>
    expect(course({ use: 'constant', warmup: 0.4 }, 10)).toEqual([0.25, 0.5, 0.75, 1, 1, 1, 1, 1, 1, 1]));

  it('follow half a cosine', () => {
    const [first, second, third, fourth] = course({ use: 'cosine' }, 4);
    expect(first).toBe(1);
    expect(second).toBeCloseTo((1 + Math.SQRT1_2) / 2, 15);
    expect(third).toBeCloseTo(0.5, 15);
    expect(fourth).toBeCloseTo((1 - Math.SQRT1_2) / 2, 15);
  });

  it('follow the cosine after warm-up, down to a floor', () => {
    const rates = course({ use: 'cosine', warmup: 0.2, floor: 0.1 }, 10);
    expect(rates.slice(0, 3)).toEqual([0.5, 1, 1]);
    expect(rates[6]).toBeCloseTo(0.1 + 0.9 / 2, 15);
    expect(rates[9]).toBeCloseTo(0.1 + (0.9 * (1 + Math.cos((7 / 8) * Math.PI))) / 2, 15);
  });

  it('fall in steps', () => {
    expect(course({ use: 'step' }, 8)).toEqual([1, 1, 1, 1, 0.1, 0.1, 0.1 ** 2, 0.1 ** 2]);
    expect(course({ use: 'step', at: '0.25', gamma: 0.5 }, 4)).toEqual([1, 0.5, 0.5, 0.5]);
  });

  it('stay between 0 and 1 and never rise after warm-up', () =>
    fc.assert(
      fc.property(
        fc.constantFrom(...Object.keys(schedules)),
        fc.double({ min: 0, max: 0.5, noNaN: true }),
        fc.integer({ min: 1, max: 60 }),
        (use, warmup, of) => {
          const rates = course({ use, warmup }, of);
          expect(rates.every((r) => r > 0 && r <= 1)).toBe(true);
          const after = rates.slice(Math.round(warmup * of));
          expect(after.every((r, i) => i === 0 || r <= after[i - 1]!)).toBe(true);
        },
      ),
    ));

  it.each([
    [{ use: 'cosin' }, /no schedule "cosin"/],
    [{ use: 'cosine', warmup: 1 }, /warmup is 1/],
    [{ use: 'cosine', floor: -1 }, /floor is -1/],
    [{ use: 'cosine', gamma: 1 }, /no option "gamma"/],
    [{ use: 'step', at: 'half' }, /at is "half"/],
    [{ use: 'step', at: '0.5,' }, /at is "0.5,"/],
    [{ use: 'step', gamma: 0 }, /gamma is 0/],
  ])('refuse %j', (reference, message) => {
    expect(() => scheduleOf(reference)).toThrow(UserError);
    expect(() => scheduleOf(reference)).toThrow(message);
  });
});
