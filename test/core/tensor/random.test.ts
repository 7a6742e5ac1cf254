import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { philox, stream } from '../../../src/core/tensor/random.ts';

type Words = [number, number, number, number];
const words = fc.nat(2 ** 32 - 1);

describe('Philox4x32-10', () => {
  // kat_vectors of the Random123 distribution
  test.each<[string, Words, [number, number], Words]>([
    ['zeros', [0, 0, 0, 0], [0, 0], [0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8]],
    [
      'ones',
      [0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff],
      [0xffffffff, 0xffffffff],
      [0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd],
    ],
    [
      'digits of pi',
      [0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344],
      [0xa4093822, 0x299f31d0],
      [0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1],
    ],
  ])('known answer: %s', (_, counter, key, answer) => {
    expect(philox(counter, key)).toEqual(answer);
  });

  test('agrees with the reference in whole integers', () => {
    const cases = JSON.parse(readFileSync(new URL('../../fixtures/philox4x32-10.json', import.meta.url), 'utf8'));
    expect(cases.length).toBe(23);
    for (const [counter, key, answer] of cases) expect(philox(counter, key)).toEqual(answer);
  });

  test('is a bijection of the counter: different counters never give the same block', () => {
    fc.assert(
      fc.property(fc.tuple(words, words, words, words), fc.tuple(words, words), fc.nat(127), (counter, key, bit) => {
        const other = [...counter] as Words;
        other[bit >> 5] = (other[bit >> 5]! ^ (1 << (bit & 31))) >>> 0;
        expect(philox(counter, key)).not.toEqual(philox(other, key));
      }),
    );
  });
});

const draw = (n: number, make: () => number): number[] => Array.from({ length: n }, make);
const mean = (x: readonly number[]): number => x.reduce((a, b) => a + b, 0) / x.length;
const moment = (x: readonly number[], power: number): number => mean(x.map((v) => v ** power));

describe('streams', () => {
  test('are functions of their keys alone: order and other streams do not matter', () => {
    const alone = draw(50, stream(7, 'sample-1', 'pgd', 0).bits);
    const [a, b] = [stream(7, 'sample-1', 'pgd', 0), stream(7, 'sample-2', 'pgd', 0)];
    const interleaved = draw(50, () => {
      b.normal();
      stream('elsewhere').bits();
      return a.bits();
    });
    expect(interleaved).toEqual(alone);
  });

  test('keep apart keys that look alike when joined', () => {
    const keys = [['a', 'b'], ['ab'], ['a', 'b', ''], ['', 'a', 'b'], [1, 2], [12], ['1', '2'], ['12'], ['a:b'], [1.5], ['s1:a']];
    const first = keys.map((k) => draw(4, stream(...k).bits).join());
    expect(new Set(first).size).toBe(keys.length);
  });

  test('of 20 000 sample numbers all start differently', () => {
    expect(
      new Set(draw(20_000, () => 0).map((_, i) => stream(0, `sample-${i}`, 'pgd', 0).fork('x').bits())).size,
    ).toBeGreaterThan(
      19_990, // 32-bit words of 20 000 random streams collide 0.05 times on average
    );
  });

  test('a fork is the stream keyed by one more name, and its parent does not notice', () => {
    const [parent, untouched] = [stream(3, 'x'), stream(3, 'x')];
    parent.bits();
    untouched.bits();
    const fork = parent.fork('restart');
    expect(draw(9, fork.bits)).toEqual(draw(9, stream(3, 'x', 'restart').bits));
    expect(draw(9, parent.bits)).toEqual(draw(9, untouched.bits));
    expect(draw(9, parent.fork(1).bits)).not.toEqual(draw(9, parent.fork('1').bits));
  });

  test('neighbouring seeds are uncorrelated', () => {
    const n = 20_000;
    const [a, b] = [draw(n, stream(1).uniform), draw(n, stream(2).uniform)];
    const correlation = mean(a.map((v, i) => (v - 0.5) * (b[i]! - 0.5))) * 12;
    expect(Math.abs(correlation)).toBeLessThan(4 / Math.sqrt(n));
  });
});

describe('distributions', () => {
  const n = 100_000;
  test('uniform: inside [0, 1), exact in float32, moments of U(0, 1)', () => {
    const x = draw(n, stream('uniform').uniform);
    expect(x.every((v) => v >= 0 && v < 1 && Math.fround(v) === v)).toBe(true);
    expect(Math.abs(mean(x) - 1 / 2)).toBeLessThan(4 * Math.sqrt(1 / 12 / n));
    expect(Math.abs(moment(x, 2) - 1 / 3)).toBeLessThan(4 * Math.sqrt(4 / 45 / n));
  });

  test('normal: moments and tail of N(0, 1)', () => {
    const x = draw(n, stream('normal').normal);
    expect(x.every(Number.isFinite)).toBe(true);
    expect(Math.abs(mean(x))).toBeLessThan(4 / Math.sqrt(n));
    expect(Math.abs(moment(x, 2) - 1)).toBeLessThan(4 * Math.sqrt(2 / n));
    expect(Math.abs(moment(x, 3))).toBeLessThan(4 * Math.sqrt(15 / n));
    expect(Math.abs(moment(x, 4) - 3)).toBeLessThan(4 * Math.sqrt(96 / n));
    const beyond = x.filter((v) => Math.abs(v) > 1.959964).length / n;
    expect(Math.abs(beyond - 0.05)).toBeLessThan(4 * Math.sqrt((0.05 * 0.95) / n));
  });

  test.each([1, 2, 3, 6, 7, 10])('integer(%i) is unbiased', (size) => {
    const source = stream('integer', size);
    const counts = new Array<number>(size).fill(0);
    for (let i = 0; i < 60_000; i++) counts[source.integer(size)]!++;
    const expected = 60_000 / size;
    const chi2 = counts.reduce((sum, c) => sum + (c - expected) ** 2 / expected, 0);
    expect(chi2).toBeLessThan(size - 1 + 4 * Math.sqrt(2 * (size - 1)) + 4);
  });

  test('integer(n) has no modulo bias where it would be largest, just above 2^31', () => {
    const size = 2 ** 31 + 2 ** 30;
    const source = stream('large');
    const low = draw(30_000, () => source.integer(size)).filter((v) => v < 2 ** 30).length / 30_000;
    // taking remainders alone would give 1/2
    expect(Math.abs(low - 1 / 3)).toBeLessThan(4 * Math.sqrt(2 / 9 / 30_000));
  });
});
