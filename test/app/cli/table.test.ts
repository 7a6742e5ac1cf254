import { expect, it } from 'vitest';
import { epsText } from '../../../src/app/cli/table.ts';

it.each([
  [8 / 255, '8/255'],
  [0.2, '0.2'],
  [0.5, '0.5'],
  [3, '3'],
  [1 / 3, '85/255'],
  [1 / 7, '0.1429'],
])('a budget of %d is written %s', (eps, text) => {
  expect(epsText(eps)).toBe(text);
});
