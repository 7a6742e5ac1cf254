import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { findNamed, isRefusal, nearest, RuntimeFailure, suggestion, UserError } from '../../src/core/errors.ts';

describe('UserError', () => {
  test('carries the remedy and the cause, and is told apart by its class', () => {
    const cause = new RangeError('inner');
    const error = new UserError('face.yaml: "epss" is not a field', 'did you mean "eps"?', { cause });
    expect(error).toBeInstanceOf(Error);
    expect(error).toMatchObject({
      name: 'UserError',
      message: 'face.yaml: "epss" is not a field',
      remedy: 'did you mean "eps"?',
      cause,
    });
    expect(`${error}`).toBe('UserError: face.yaml: "epss" is not a field');
  });
});

describe('nearest', () => {
  const attacks = ['pgd', 'fgsm', 'noise', 'deepfool', 'square', 'boundary'];
  test.each([
    ['pdg', 'pgd'],
    ['PGD', 'pgd'],
    ['fgms', 'fgsm'],
    ['deep-fool', 'deepfool'],
    ['squares', 'square'],
    ['bundary', 'boundary'],
    ['squire', 'square'],
  ])('%s was meant to be %s', (typed, meant) => {
    expect(nearest(typed, attacks)).toBe(meant);
  });
  test.each(['x', 'carlini', 'abc', ''])('%j resembles none of them', (typed) => {
    expect(nearest(typed, attacks)).toBeUndefined();
  });
  test('prefers the closest of several, the first of equals, and takes any iterable', () => {
    expect(nearest('conv3', new Set(['conv1', 'conv2', 'conv33']))).toBe('conv1');
    expect(nearest('abcdef', ['abcxyf', 'abcdex'])).toBe('abcdex');
  });
  test('finds every name from which one letter is missing or in which two neighbours are swapped', () => {
    fc.assert(
      fc.property(fc.constantFrom(...attacks), fc.nat(6), fc.boolean(), (name, at, swap) => {
        const i = at % (name.length - 1);
        const typed = swap ? name.slice(0, i) + name[i + 1] + name[i] + name.slice(i + 2) : name.slice(0, i) + name.slice(i + 1);
        expect(nearest(typed, attacks)).toBe(name);
      }),
    );
  });
});

describe('suggestion', () => {
  test('names the nearest and lists the rest', () => {
    expect(suggestion('pdg', ['pgd', 'fgsm'])).toBe('did you mean "pgd"? (one of: pgd, fgsm)');
  });
  test('lists all where nothing is near', () => {
    expect(suggestion('carlini', ['pgd', 'fgsm'])).toBe('one of: pgd, fgsm');
  });
});

describe('findNamed', () => {
  test('finds what has that name, and says what was probably meant', () => {
    expect(findNamed('fruit', { pear: 1, fig: 0 }, 'fig')).toBe(0);
    expect(() => findNamed('fruit', { pear: 1 }, 'pera')).toThrow(
      expect.objectContaining({ message: 'there is no fruit "pera"', remedy: 'did you mean "pear"? (one of: pear)' }),
    );
    expect(() => findNamed('fruit', {}, 'toString')).toThrow(UserError);
  });
});

describe('RuntimeFailure', () => {
  test('keeps what went wrong and drops where in the runtime it was written', () => {
    const source =
      '/onnxruntime_src/onnxruntime/core/providers/cpu/math/element_wise_ops.h:563 void onnxruntime::Init(ptrdiff_t, ptrdiff_t) ';
    const failure = new RuntimeFailure(`Non-zero status code returned while running Mul node. ${source}axis was false. 5 by 6\n`);
    expect(failure.message).toBe('Non-zero status code returned while running Mul node. axis was false. 5 by 6');
    expect([failure, new UserError('a', 'b'), new TypeError('ours')].map(isRefusal)).toEqual([true, true, false]);
  });
});
