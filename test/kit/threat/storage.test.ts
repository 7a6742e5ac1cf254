import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { stream } from '../../../src/core/tensor/random.ts';
import type { InputSpec } from '../../../src/kit/model/model.ts';
import { budgetViolation, isWithinBudget } from '../../../src/kit/threat/budget.ts';
import { lpThreat } from '../../../src/kit/threat/lp.ts';
import { fromBytes, onGrid, toBytes, toStorage } from '../../../src/kit/threat/storage.ts';
import type { Norm } from '../../../src/kit/threat/threat.ts';
import { specOf } from './spec.ts';

const rgb = specOf([3, 5, 4], { storage: 'uint8' });

/** A random original on the grid, and an example on the surface of the ball. */
function example(spec: InputSpec, norm: Norm, eps: number, seed: number) {
  const random = stream(seed, 'example');
  const lower = spec.bounds === 'unbounded' ? -1 : (spec.bounds.lower as number);
  const upper = spec.bounds === 'unbounded' ? 1 : (spec.bounds.upper as number);
  const n = spec.shape.reduce((a, b) => a * b, 1);
  const x0 = onGrid(
    spec,
    Float32Array.from({ length: n }, () => lower + (upper - lower) * random.uniform()),
  );
  const threat = lpThreat(spec, { norm, eps });
  const delta = threat.project(
    x0,
    Float32Array.from({ length: n }, () => 4 * eps * random.normal()),
  );
  return { x0, x: x0.map((value, i) => Math.fround(value + delta[i]!)) };
}

describe('bytes', () => {
  it('are k/255 between 0 and 1, and every byte survives the way there and back', () => {
    const spec = specOf([256], { storage: 'uint8' });
    const bytes = Uint8Array.from({ length: 256 }, (_, k) => k);
    const values = fromBytes(spec, bytes);
    expect(values[8]).toBe(Math.fround(8 / 255));
    expect(toBytes(spec, values)).toEqual(bytes);
  });

  it.each([
    ['uint8', -1, 1],
    ['uint8', 0, 255],
    ['uint8', -2.118, 2.64],
    ['binary', 0, 1],
    ['pcm16', -1, 1],
    ['pcm16', -32768, 32767],
    ['float32', -3, 3],
  ] as const)('%s between %f and %f: values on the grid come back bit for bit', (storage, lower, upper) => {
    const spec = specOf([200], { storage, bounds: { lower, upper } });
    const random = stream(storage, upper);
    const x = onGrid(
      spec,
      Float32Array.from({ length: 200 }, () => lower + (upper - lower) * random.uniform()),
    );
    expect(fromBytes(spec, toBytes(spec, x))).toEqual(x);
  });

  it('pcm16 counts in 1/32768 and never overflows at full scale', () => {
    const spec = specOf([3], { storage: 'pcm16', bounds: { lower: -1, upper: 1 } });
    const bytes = toBytes(spec, Float32Array.of(-1, 0.5, 1));
    expect([...new Int16Array(bytes.buffer)]).toEqual([-32768, 16384, 32767]);
  });

  it('reads bounds per channel from the layout', () => {
    const spec = specOf([2, 2], { layout: 'NTC', storage: 'uint8', bounds: { lower: [0, -10], upper: [1, 10] } });
    expect([...fromBytes(spec, Uint8Array.of(0, 0, 255, 255))]).toEqual([0, -10, 1, 10]);
  });

  it('refuses eight bits without bounds', () => {
    expect(() => toBytes(specOf([2], { storage: 'uint8', bounds: 'unbounded' }), new Float32Array(2))).toThrow(/without bounds/);
  });
});

describe('rounding an example', () => {
  it.each(['linf', 'l2', 'l1', 'l0'] as const)('%s: stays in the budget, on the grid, within a step of the example', (norm) => {
    fc.assert(
      fc.property(fc.integer(), fc.double({ min: 0.001, max: 1, noNaN: true }), (seed, fraction) => {
        const eps = { linf: 0.1, l2: 1, l1: 8, l0: 30 }[norm] * fraction;
        const { x0, x } = example(rgb, norm, eps, seed);
        const saved = toStorage(rgb, x0, x, { norm, eps });
        expect(fromBytes(rgb, toBytes(rgb, saved))).toEqual(saved);
        expect(budgetViolation(rgb, { norm, eps }, x0, saved)).toBeUndefined();
        saved.forEach((value, i) => {
          expect(Math.abs(value - x[i]!)).toBeLessThan(1.0001 / 255);
        });
      }),
      { numRuns: 50 },
    );
  });

  it('linf at 8/255 keeps all eight steps although float32 rounds, and 0.031 (7.9 steps) gives seven', () => {
    const x0 = fromBytes(
      rgb,
      Uint8Array.from({ length: 60 }, (_, i) => 60 + i),
    );
    for (const [eps, steps] of [
      [8 / 255, 8],
      [0.031, 7],
    ] as const) {
      const x = x0.map((value, i) => Math.fround(value + (i % 2 ? eps : -eps)));
      const saved = toBytes(rgb, toStorage(rgb, x0, x, { norm: 'linf', eps }));
      expect([...saved]).toEqual(Array.from({ length: 60 }, (_, i) => 60 + i + (i % 2 ? steps : -steps)));
    }
  });

  it('does not erase an l2 perturbation of 0.7 steps per value: as many whole steps remain as the budget pays for', () => {
    const x0 = new Float32Array(60).fill(Math.fround(100 / 255));
    const eps = (0.7 / 255) * Math.sqrt(60);
    const x = x0.map((value) => Math.fround(value + 0.7 / 255));
    const saved = toBytes(rgb, toStorage(rgb, x0, x, { norm: 'l2', eps }));
    expect(saved.filter((byte) => byte === 101).length).toBe(Math.floor(0.49 * 60));
    expect(saved.filter((byte) => byte === 100).length).toBe(60 - Math.floor(0.49 * 60));
  });

  it('does not mend an example outside its budget', () => {
    const x0 = new Float32Array(60).fill(Math.fround(100 / 255));
    const x = x0.map((value) => value + 0.1);
    for (const norm of ['linf', 'l2', 'l1'] as const) {
      const options = { norm, eps: 4 / 255 };
      expect(isWithinBudget(rgb, options, x0, toStorage(rgb, x0, x, options))).toBe(false);
    }
  });
});

describe('in budget', () => {
  const float = specOf([4], { storage: 'float32' });
  const x0 = Float32Array.of(0.25, 0.5, 0.75, 1);
  const shifted = (by: number) => x0.map((value, i) => (i === 1 ? value + by : value));

  it('linf in float32 allows one ulp of the largest bound, not two', () => {
    const options = { norm: 'linf', eps: 0.125 } as const;
    expect(isWithinBudget(float, options, x0, shifted(0.125 + 2 ** -23))).toBe(true);
    expect(isWithinBudget(float, options, x0, shifted(0.125 + 2 ** -22))).toBe(false);
  });

  it('l2 in float32 allows a millionth and the rounding of what changed', () => {
    const options = { norm: 'l2', eps: 0.125 } as const;
    expect(isWithinBudget(float, options, x0, shifted(0.125 + 1.2e-7))).toBe(true);
    expect(isWithinBudget(float, options, x0, shifted(0.125 + 5e-7))).toBe(false);
  });

  it('eight bits are counted in whole steps: nine are not eight', () => {
    const spec = specOf([2], { storage: 'uint8' });
    const at = (...bytes: number[]) => fromBytes(spec, Uint8Array.from(bytes));
    const options = { norm: 'linf', eps: 8 / 255 } as const;
    expect(isWithinBudget(spec, options, at(100, 100), at(108, 92))).toBe(true);
    expect(isWithinBudget(spec, options, at(100, 100), at(109, 100))).toBe(false);
    expect(isWithinBudget(spec, { norm: 'l1', eps: 16 / 255 }, at(100, 100), at(108, 92))).toBe(true);
    expect(isWithinBudget(spec, { norm: 'l2', eps: 11.31 / 255 }, at(100, 100), at(108, 92))).toBe(false);
    expect(isWithinBudget(spec, { norm: 'l2', eps: 11.32 / 255 }, at(100, 100), at(108, 92))).toBe(true);
  });

  it('names what is wrong: bounds, mask, not a number', () => {
    const options = { norm: 'linf', eps: 1, mask: Float32Array.of(1, 0, 1, 1) } as const;
    expect(budgetViolation(float, options, x0, Float32Array.of(1.01, 0.5, 0.75, 1))).toMatch(/element 0 .*outside \[0, 1\]/);
    expect(budgetViolation(float, options, x0, shifted(0.1))).toMatch(/element 1 changed.*mask/);
    expect(budgetViolation(float, options, x0, Float32Array.of(0, 0.5, Number.NaN, 1))).toMatch(/element 2 is NaN/);
  });
});
