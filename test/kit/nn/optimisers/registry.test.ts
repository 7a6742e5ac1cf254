import { describe, expect, it } from 'vitest';
import { findOptimiser, optimisers } from '../../../../src/kit/nn/optimisers/registry.ts';
import { readOptions } from '../../../../src/kit/options.ts';

describe('the optimisers', () => {
  it.each(Object.entries(optimisers))('%s says what each of its options is, and accepts its defaults', (name, optimiser) => {
    expect(optimiser.name).toBe(name);
    expect(Object.keys(optimiser.about).sort()).toEqual(Object.keys(optimiser.defaults).sort());
    expect(readOptions(optimiser, {})).toEqual(optimiser.defaults);
  });

  it('are found by name, or the nearest is named', () => {
    expect(findOptimiser('adamw')).toBe(optimisers.adamw);
    expect(() => findOptimiser('adamm')).toThrow('no optimiser "adamm"');
    expect(() => findOptimiser('toString')).toThrow('no optimiser');
  });

  it.each([
    ['adam', { beta1: 1 }, /beta1 is 1/],
    ['adam', { eps: 0 }, /eps/],
    ['adamw', { decay: 'none' }, /decay is "none"/],
  ])('%s refuses %j', (name, options, message) => {
    expect(() => readOptions(findOptimiser(name), options)).toThrow(message);
  });

  it('feed the corrections of the first and of a late step in double precision', () => {
    const { adam } = optimisers;
    const options = { ...adam!.defaults, lr: 1 };
    // the first step: M = g, V = g^2, so w moves by lr g / (|g| + eps)
    expect(adam!.numbers(1, 1, options)).toEqual({ rate: 1, eps: 1e-8 });
    const late = adam!.numbers(1e6, 1, options);
    expect(late.rate).toBeCloseTo(0.1 * Math.sqrt(1000), 12);
  });
});
