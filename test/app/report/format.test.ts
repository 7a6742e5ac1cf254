import { expect, it } from 'vitest';
import { duration, interval, percent } from '../../../src/app/report/format.ts';

it('writes rates over nothing as a dash, intervals with both ends, and nothing as all or none that is not', () => {
  expect([percent(0.4567), percent(Number.NaN), percent(null)]).toEqual(['45.7%', '—', '—']);
  expect([percent(1), percent(0.9999), percent(0.0001), percent(0)]).toEqual(['100%', '>99.9%', '<0.1%', '0%']);
  expect(interval([0.968, 0.9919])).toBe('96.8–99.2%');
});

it.each([
  [0.0204, '20 ms'],
  [9.94, '9.9 s'],
  [45.2, '45 s'],
  [119.7, '2 min 00 s'],
  [3599.6, '1 h 00 min'],
])('%d seconds are %s', (seconds, text) => {
  expect(duration(seconds)).toBe(text);
});
