/** @file In the space of flips the model never sees a value between the two that a binary input holds. */
import { describe, expect, it } from 'vitest';
import type { InputSpec } from '../../../../src/kit/model/model.ts';
import { lpThreat } from '../../../../src/kit/threat/lp.ts';
import { flippable, flippingOf, flipsOf } from '../../../../src/methods/attacks/frame/flipping.ts';
import { specOf } from '../../../kit/threat/spec.ts';
import { sampleOf } from '../linear.ts';

const binary: Partial<InputSpec> = { domain: 'binary', storage: 'binary' };
const x = Float32Array.of(0, 1, 0, 1);
const l0 = (changes: Partial<InputSpec> = binary, more: { mask?: Float32Array; scale?: Float32Array; eps?: number } = {}) =>
  lpThreat(specOf([4], changes), { norm: 'l0', eps: 4, ...more });
const seen = (space: ReturnType<typeof flippingOf>, u: number[], name = 'x') => {
  const into = Object.fromEntries(space.parts.map((part) => [part.name, new Float32Array(part.x.length)]));
  space.write(Float32Array.from(u), into);
  return [...into[name]!];
};

describe('the space of flips', () => {
  it('rounds at half a flip, and counts what is flipped', () => {
    const space = flipsOf('both')(sampleOf('a', { x }), { x: l0() });
    expect([...space.flip]).toEqual([1, -1, 1, -1]);
    expect(seen(space, [0.4, -0.4, 0.6, -0.6])).toEqual([0, 1, 1, 0]);
    expect(seen(space, [-3, 3, 3, -3])).toEqual([0, 1, 1, 0]);
    expect(space.size(Float32Array.of(0.4, -0.4, 0.6, -0.6))).toBe(2);
    expect([...space.pull({ x: Float32Array.of(1, 2, 3, 4) })]).toEqual([1, 2, 3, 4]);
  });

  it('inserts or deletes only where told to, and leaves what the mask holds', () => {
    const mask = Float32Array.of(0, 1, 1, 1);
    const inserting = flipsOf('insert')(sampleOf('a', { x }), { x: l0(binary, { mask }) });
    expect([...flippable(inserting)]).toEqual([2]);
    expect(seen(inserting, [9, -9, 9, -9])).toEqual([0, 1, 1, 1]);
    expect([...inserting.pull({ x: Float32Array.of(1, 2, 3, 4) })]).toEqual([0, 0, 3, 0]);
    expect([...flippable(flipsOf('delete')(sampleOf('a', { x }), { x: l0() }))]).toEqual([1, 3]);
  });

  it('writes the two values exactly, whatever bounds, scale and weights of inputs make of the units', () => {
    const bounds = { lower: -0.1, upper: 0.3 };
    const odd = Float32Array.from([-0.1, 0.3, -0.1, 0.3]);
    const threats = {
      x: l0({ ...binary, bounds }, { eps: 3, scale: Float32Array.of(0.3, 7, 1.1, 0.9) }),
      y: l0({ ...binary, bounds: 'unbounded' }, { eps: 7 }),
    };
    const space = flippingOf(sampleOf('a', { x: odd, y: x }), threats);
    const u = [...space.flip];
    expect(seen(space, u)).toEqual([odd[1], odd[0], odd[1], odd[0]]);
    expect(seen(space, u, 'y')).toEqual([1, 0, 1, 0]);
    expect(space.size(Float32Array.from(u))).toBe(8);
    expect(
      seen(
        space,
        u.map(() => 0),
      ),
    ).toEqual([...odd]);
  });

  it('leaves inputs of more values as they are beside a binary one; alone they are refused where nothing but flips is meant', () => {
    const sample = sampleOf('a', { x, y: Float32Array.of(0.5, 0.5, 0.5, 0.5) });
    const threats = { x: l0(), y: l0({}) };
    const space = flippingOf(sample, threats);
    expect(seen(space, [0, 0, 0, 0, 0.25, 0, -0.5, 0], 'y')).toEqual([0.75, 0.5, 0, 0.5]);
    expect(space.size(Float32Array.of(0.6, 0, 0, 0, 0.25, 0, -0.5, 0))).toBe(3);
    expect([...flippable(flipsOf('both')(sample, threats))]).toEqual([0, 1, 2, 3]);
    expect(() => flipsOf('both')(sample, { y: threats.y })).toThrow(/input "y", of more than two values/);
  });
});
