import { expect, it } from 'vitest';
import { firstLook, timed } from '../../../src/app/experiment/pace.ts';
import { features, modelOf, perceptron } from '../../kit/model/toys.ts';

it('a model is timed on numbers that differ, within the bounds, and the same every time', () => {
  const bounded = modelOf(perceptron(), { x: features([5], 'NC', { bounds: { lower: -1, upper: 1 } }) }, 3);
  const { x } = timed(bounded);
  expect(new Set(x).size).toBe(5);
  expect(Math.max(...x!.map(Math.abs))).toBeLessThanOrEqual(1);
  expect(timed(bounded)).toEqual({ x });
  expect(new Set(timed(modelOf(perceptron(), { x: features([5]) }, 3)).x).size).toBe(5);
});

it('a first look may take a minute, and more where opening was slow', () => {
  expect(firstLook(0)).toBe(60);
  expect(firstLook(3)).toBe(120);
});
