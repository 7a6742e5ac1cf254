/** @file What step lengths are shares of, for inputs with bounds and without. */
import { describe, expect, it } from 'vitest';
import { stream } from '../../../src/core/tensor/random.ts';
import { lpThreat } from '../../../src/kit/threat/lp.ts';
import type { ThreatOptions } from '../../../src/kit/threat/threat.ts';
import { jointOf } from '../../../src/methods/attacks/frame/joint.ts';
import { widthOf, widthsOf } from '../../../src/methods/attacks/widths.ts';
import { specOf } from '../../kit/threat/spec.ts';
import { sampleOf } from './linear.ts';

type Bounds = Parameters<typeof specOf>[1];

function widths(x: Float32Array, changes: Bounds, options: Partial<ThreatOptions> = {}) {
  const threat = lpThreat(specOf([x.length], changes), { norm: 'l2', eps: 1, ...options });
  return widthsOf(jointOf(sampleOf('a', { x }), { x: threat }));
}

describe('the width of an element', () => {
  it('is from bound to bound, wherever the original lies, and 0 where the mask forbids', () => {
    const mask = Float32Array.of(1, 1, 0);
    const found = widths(Float32Array.of(-1, 0.3, 0), { bounds: { lower: -1, upper: 1 } }, { mask });
    expect(Array.from(found, (width) => Math.round(1e6 * width) / 1e6)).toEqual([2, 2, 0]);
    expect(widthOf(found)).toBeCloseTo(2, 6);
  });

  it('counts in units of the scale', () => {
    const found = widths(Float32Array.of(0.5, 0.5), {}, { scale: Float32Array.of(0.1, 0.5) });
    expect(found[0]).toBeCloseTo(10, 4);
    expect(found[1]).toBeCloseTo(2, 4);
    expect(widthOf(found)).toBeCloseTo(Math.sqrt((100 + 4) / 2), 4);
  });

  it('without bounds is that of a uniform distribution with the spread of the free values: 3.46 for EEG in sigma, at any offset and in any unit', () => {
    const random = stream('widths');
    const x = Float32Array.from({ length: 4000 }, () => random.normal());
    const free = { bounds: 'unbounded' } as const;
    const [sigma] = widths(x, free);
    expect(sigma).toBeGreaterThan(3.3);
    expect(sigma).toBeLessThan(3.6);
    const microvolts = x.map((value) => 50 * value + 300);
    expect(widths(microvolts, free)[0]! / (50 * sigma!)).toBeCloseTo(1, 4);
    expect(widths(microvolts, free, { scale: Float32Array.of(50) })[0]! / sigma!).toBeCloseTo(1, 4);
    const mask = x.map((_, i) => i % 2);
    const padded = x.map((value, i) => (i % 2 === 0 ? 1e4 : value));
    expect(widths(padded, free, { mask })[1]! / sigma!).toBeCloseTo(1, 1);
    expect(widths(padded, free, { mask })[0]).toBe(0);
  });

  it('is 1 where nothing is known', () => {
    expect([...widths(new Float32Array(3), { bounds: 'unbounded' })]).toEqual([1, 1, 1]);
    expect(widthOf(new Float64Array(3))).toBe(1);
  });
});
