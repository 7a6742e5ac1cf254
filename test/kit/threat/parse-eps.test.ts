import { expect, it } from 'vitest';
import { parseEps } from '../../../src/kit/threat/parse-eps.ts';

it.each([
  ['8/255', 8 / 255],
  [' 8 / 255 ', 8 / 255],
  ['0.03', 0.03],
  ['1e-3', 0.001],
  [0.03, 0.03],
  [0, 0],
  ['0', 0],
])('%j is %f', (text, value) => {
  expect(parseEps(text)).toBe(value);
});

it.each([
  [-0.1, /threat\.eps is -0\.1, which is negative/],
  ['-8/255', /negative/],
  [Number.NaN, /NaN, which is not a number/],
  ['eight', /"eight", which is not a number/],
  ['', /not a number/],
  ['8/', /not a number/],
  ['8/0', /not a number/],
  ['1/2/3', /not a number/],
  [undefined, /undefined, which is not a number/],
  [Number.POSITIVE_INFINITY, /not finite/],
])('%j is refused, naming the field', (value, message) => {
  expect(() => parseEps(value, 'threat.eps')).toThrow(message);
});
