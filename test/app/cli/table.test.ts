import { expect, it } from 'vitest';
import { duration } from '../../../src/app/cli/progress.ts';
import { interval, percent } from '../../../src/app/cli/table.ts';

it('writes rates over nothing as a dash, and intervals with both ends', () => {
  expect([percent(0.4567), percent(Number.NaN)]).toEqual(['45.7 %', '-']);
  expect(interval([0.968, 0.9919])).toBe('96.8-99.2');
});

it.each([
  [9.94, '9.9 s'],
  [45.2, '45 s'],
  [119.7, '2 min 00 s'],
  [3599.6, '1 h 00 min'],
])('%d seconds are %s', (seconds, text) => {
  expect(duration(seconds)).toBe(text);
});
