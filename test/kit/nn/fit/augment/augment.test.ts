import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { stream } from '../../../../../src/core/tensor/random.ts';
import { sizeOf } from '../../../../../src/core/tensor/tensor.ts';
import type { InputSpec } from '../../../../../src/kit/model/model.ts';
import { augmentation, augmented } from '../../../../../src/kit/nn/fit/augment/augmentation.ts';
import { augmentations, findAugmentation } from '../../../../../src/kit/nn/fit/augment/registry.ts';
import { specOf } from '../../../threat/spec.ts';

const inputOf = (layout: string, shape: number[], more: Partial<InputSpec> = {}): InputSpec =>
  specOf(shape, { layout, modality: 'image', ...more });
const picture = inputOf('NCHW', [2, 5, 7]);
const lastChannel = inputOf('NHWC', [5, 7, 2]);
const sequence = inputOf('NCT', [3, 9], { modality: 'physiology', bounds: 'unbounded' });
const timeFirst = inputOf('NTC', [9, 3], { modality: 'physiology', bounds: 'unbounded' });
const frames = inputOf('NTCHW', [8, 2, 4, 5], { modality: 'events', domain: 'binary', storage: 'binary' });
const uniform = (spec: InputSpec, key: number): Float32Array => {
  const random = stream(key, 'values');
  return Float32Array.from({ length: sizeOf(spec.shape) }, () => random.uniform());
};
const apply = (name: string, options: object, spec: InputSpec, values: Float32Array, key: number): Float32Array =>
  augmentation(findAugmentation(name), { ...options }).apply({ x: values }, { x: spec }, () => stream(key)).x!;
/** The same sample with its first and last axes exchanged: CHW to HWC, CT to TC. */
const channelLast = (values: Float32Array, [channels]: readonly number[]): Float32Array => {
  const inner = values.length / channels!;
  return values.map((_, i) => values[(i % channels!) * inner + Math.floor(i / channels!)]!);
};
/** Draws until the augmentation does something, and what it did. */
const changed = (name: string, options: object, spec: InputSpec, values: Float32Array): Float32Array => {
  for (let key = 0; key < 50; key++) {
    const made = apply(name, options, spec, values, key);
    if (made.some((v, i) => v !== values[i])) return made;
  }
  throw new Error(`${name} never did anything`);
};

describe.each(Object.keys(augmentations))('%s', (name) => {
  const family = findAugmentation(name);
  const specs = [picture, lastChannel, sequence, timeFirst, frames].filter((spec) => family.suits(spec));

  it('suits something, changes it, and leaves what it was given as it was', () => {
    expect(specs.length).toBeGreaterThan(0);
    for (const spec of specs) {
      const values = uniform(spec, 1).map((v) => 0.25 + v / 2);
      const before = values.slice();
      changed(name, {}, spec, values);
      expect(values).toEqual(before);
    }
  });

  it('is a function of values and stream, stays in bounds and finite', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 1e6 }), fc.constantFrom(...specs), (key, spec) => {
        const values = uniform(spec, key);
        const made = apply(name, {}, spec, values, key);
        expect(made).toEqual(apply(name, {}, spec, values.slice(), key));
        expect(made).toHaveLength(values.length);
        expect(made.every(Number.isFinite)).toBe(true);
        if (spec.bounds !== 'unbounded') expect(made.every((v) => v >= 0 && v <= 1)).toBe(true);
      }),
    );
  });

  // noise is drawn in the order of the elements
  it.skipIf(name === 'noise')('means the same whichever axis the layout puts first', () => {
    for (const [first, last] of [
      [picture, lastChannel],
      [sequence, timeFirst],
    ] as const) {
      if (!family.suits(first)) continue;
      const values = uniform(first, 2);
      for (let key = 0; key < 12; key++) {
        const made = channelLast(apply(name, {}, first, values, key), first.shape);
        const other = apply(name, {}, last, channelLast(values, first.shape), key);
        for (const [i, v] of made.entries()) expect(other[i]).toBeCloseTo(v, 6);
      }
    }
  });

  it('has a word on every option', () => {
    expect(Object.keys(family.about)).toEqual(Object.keys(family.defaults));
  });
});

describe('what they do', () => {
  const ramp = Float32Array.from({ length: 70 }, (_, i) => i / 70);

  it('flip exchanges left and right, and twice is nothing', () => {
    const once = apply('flip', { p: 1 }, picture, ramp, 0);
    expect(Array.from(once.subarray(0, 7))).toEqual(Array.from(ramp.subarray(0, 7)).reverse());
    expect(apply('flip', { p: 1 }, picture, once, 0)).toEqual(ramp);
    expect(apply('flip', { p: 0 }, picture, ramp, 0)).toEqual(ramp);
  });

  it('shift moves by whole pixels and fills with the border or with zeros', () => {
    const row = inputOf('NHW', [1, 5]);
    const values = Float32Array.of(0.1, 0.2, 0.3, 0.4, 0.5);
    const seen = new Set(Array.from({ length: 60 }, (_, key) => apply('shift', { by: 1 }, row, values, key).join()));
    const of = (...v: number[]) => Float32Array.from(v).join();
    expect(seen).toEqual(new Set([of(0.1, 0.2, 0.3, 0.4, 0.5), of(0.1, 0.1, 0.2, 0.3, 0.4), of(0.2, 0.3, 0.4, 0.5, 0.5)]));
    const zeros = new Set(
      Array.from({ length: 60 }, (_, key) =>
        apply('time-shift', { by: 1, fill: 'zero' }, inputOf('NT', [5]), values, key).join(),
      ),
    );
    expect(zeros).toEqual(new Set([of(0.1, 0.2, 0.3, 0.4, 0.5), of(0, 0.1, 0.2, 0.3, 0.4), of(0.2, 0.3, 0.4, 0.5, 0)]));
  });

  it('rotating a plane keeps its middle, and turns its slope by the angle', () => {
    const square = inputOf('NHW', [9, 9], { bounds: 'unbounded' });
    const slope = Float32Array.from({ length: 81 }, (_, i) => (i % 9) - 4);
    for (let key = 0; key < 9; key++) {
      const made = apply('rotate', { degrees: 20 }, square, slope, key);
      expect(made[40]).toBeCloseTo(0, 6);
      const [right, down] = [made[41]! - made[40]!, made[49]! - made[40]!];
      expect(Math.hypot(right, down)).toBeCloseTo(1, 5);
      expect(Math.abs(Math.atan2(down, right))).toBeLessThanOrEqual((20 * Math.PI) / 180 + 1e-6);
    }
    expect(apply('rotate', { degrees: 0 }, square, slope, 1)).toEqual(slope);
  });

  it('crop-resize shows a part: a slope gets flatter by its share', () => {
    const square = inputOf('NHW', [9, 9], { bounds: 'unbounded' });
    const slope = Float32Array.from({ length: 81 }, (_, i) => i % 9);
    for (let key = 0; key < 9; key++) {
      const made = apply('crop-resize', { least: 0.5 }, square, slope, key);
      const step = made[41]! - made[40]!;
      expect(step).toBeGreaterThan(0.5 - 1e-6);
      expect(step).toBeLessThanOrEqual(1);
      expect(made[0]).toBeGreaterThanOrEqual(-1e-6);
      expect(made[8]).toBeLessThanOrEqual(8 + 1e-5);
    }
  });

  it('jitter is one affine map of the whole picture', () => {
    const middle = uniform(picture, 4).map((v) => 0.4 + 0.2 * v);
    const made = apply('jitter', {}, picture, middle, 5);
    const mean = (v: Float32Array) => v.reduce((a, b) => a + b, 0) / v.length;
    const contrast = (made[1]! - made[0]!) / (middle[1]! - middle[0]!);
    expect(Math.abs(contrast - 1)).toBeLessThanOrEqual(0.1);
    expect(Math.abs(mean(made) - mean(middle))).toBeLessThanOrEqual(0.1);
    for (const [i, v] of made.entries()) expect(v - mean(made)).toBeCloseTo(contrast * (middle[i]! - mean(middle)), 4);
  });

  it('cutout blots out one rectangle, time-mask one span, channel-dropout whole channels', () => {
    const ones = (spec: InputSpec) => new Float32Array(sizeOf(spec.shape)).fill(1);
    const big = inputOf('NCHW', [2, 12, 12]);
    const holes = changed('cutout', { p: 1 }, big, ones(big));
    const gone = [...holes.keys()].filter((i) => holes[i] === 0 && i < 144);
    expect(gone.length).toBeLessThanOrEqual(9);
    expect([...holes.keys()].filter((i) => holes[i] === 0 && i >= 144)).toEqual(gone.map((i) => i + 144));
    const span = changed('time-mask', { share: 0.5 }, sequence, ones(sequence));
    const moments = [...span.subarray(0, 9).keys()].filter((t) => span[t] === 0);
    expect(moments.length).toBeLessThanOrEqual(4);
    expect(moments).toEqual(moments.map((_, i) => moments[0]! + i));
    expect(span.subarray(9, 18)).toEqual(span.subarray(0, 9));
    const missing = changed('channel-dropout', { p: 0.5 }, sequence, ones(sequence));
    for (const c of [0, 1, 2]) expect(new Set(missing.subarray(9 * c, 9 * c + 9)).size).toBe(1);
    expect(missing.includes(1)).toBe(true);
  });

  it('noise has the standard deviation it says', () => {
    const long = inputOf('NT', [20000], { bounds: 'unbounded' });
    const made = apply('noise', { sd: 0.3 }, long, new Float32Array(20000), 3);
    expect(Math.sqrt(made.reduce((sum, v) => sum + v * v, 0) / 20000)).toBeCloseTo(0.3, 2);
  });

  it('does the same to inputs that belong together, and draws noise apart', () => {
    const specs = { a: picture, b: picture };
    const values = uniform(picture, 3).map((v) => 0.3 + 0.4 * v);
    const both = (name: string) => augmentation(findAugmentation(name)).apply({ a: values, b: values }, specs, () => stream(4));
    for (const name of ['flip', 'shift', 'rotate', 'crop-resize', 'cutout']) expect(both(name).a).toEqual(both(name).b);
    expect(both('noise').a).not.toEqual(both('noise').b);
  });

  it('depends on the sample and the pass', () => {
    const list = [augmentation(findAugmentation('shift')), augmentation(findAugmentation('noise'))];
    const values = uniform(picture, 1);
    const at = (id: string, pass: number) => augmented(list, { id, inputs: { x: values } }, { x: picture }, { seed: 0, pass }).x!;
    expect(at('a', 0)).toEqual(at('a', 0));
    expect(at('a', 0)).not.toEqual(at('b', 0));
    expect(at('a', 0)).not.toEqual(at('a', 1));
  });
});

describe('options and inputs that make no sense', () => {
  it.each([
    ['flip', { p: 2 }, /flip: p is 2/],
    ['shift', { by: 1.5 }, /shift: by is 1.5/],
    ['shift', { fill: 'mirror' }, /fill is "mirror"/],
    ['rotate', { degrees: -1 }, /degrees is -1/],
    ['crop-resize', { least: 0 }, /least is 0/],
    ['noise', { sd: -1 }, /sd is -1/],
    ['flip', { q: 1 }, /flip has no option "q"/],
  ])('%s %o', (name, options, message) => {
    expect(() => augmentation(findAugmentation(name), options)).toThrow(message);
  });

  it('a misspelt name is suggested', () => {
    expect(() => findAugmentation('shfit')).toThrow(expect.objectContaining({ remedy: expect.stringContaining('"shift"') }));
  });

  it('event-drop loses events and makes none, at most the share it may', () => {
    const values = uniform(frames, 3).map((v) => Number(v < 0.5));
    const count = (all: Float32Array): number => all.filter((v) => v === 1).length;
    const lost = Array.from({ length: 200 }, (_, key) => {
      const made = apply('event-drop', { p: 0.6 }, frames, values, key);
      expect(made.every((v, i) => v === values[i] || (v === 0 && values[i] === 1))).toBe(true);
      return 1 - count(made) / count(values);
    });
    expect(lost.reduce((a, b) => a + b, 0) / lost.length).toBeCloseTo(0.3, 1);
    expect(Math.max(...lost)).toBeLessThan(0.75);
    expect(Math.min(...lost)).toBeLessThan(0.05);
  });

  it('nothing between values is made where only some values exist', () => {
    const binary = inputOf('NCHW', [2, 5, 7], { domain: 'binary' });
    const fitting = Object.values(augmentations).filter((f) => f.suits(binary));
    expect(fitting.map((f) => f.name)).toEqual(['flip', 'shift', 'cutout', 'channel-dropout']);
  });
});
