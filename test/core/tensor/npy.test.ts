import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { UserError } from '../../../src/core/errors.ts';
import { readNpy, readNpz, writeNpy, writeNpz } from '../../../src/core/tensor/npy.ts';
import { f32, i64, numbersOf, type Tensor, tensor } from '../../../src/core/tensor/tensor.ts';

const fixture = (name: string): Uint8Array =>
  new Uint8Array(readFileSync(new URL(`../../fixtures/npy/${name}`, import.meta.url)));
const content = JSON.parse(new TextDecoder().decode(fixture('content.json'))) as {
  arrays: Record<string, { dims: number[]; values: string[] }>;
};

/** Values as Python prints them, so that 64-bit integers compare exactly. */
function printed(t: Tensor): string[] {
  if (t.dtype === 'bool') return Array.from(t.data, (v) => (v === 1 ? 'True' : 'False'));
  if (t.dtype === 'float32' || t.dtype === 'float64' || t.dtype === 'float16')
    return numbersOf(t).map((v) => (Number.isInteger(v) ? `${v}.0` : `${v}`));
  return Array.from(t.data as ArrayLike<number | bigint | string>, String);
}

describe('reading what NumPy writes', () => {
  test.each(Object.entries(content.arrays))('%s', (name, { dims, values }) => {
    const read = readNpy(fixture(`${name}.npy`));
    expect(read.dims).toEqual(dims);
    expect(printed(read)).toEqual(values);
  });
  test.each(['version2', 'version3'])('header of format %s', (name) => {
    expect(readNpy(fixture(`${name}.npy`))).toEqual(f32([0, 1, 2]));
  });
  test.each(['stored', 'deflated'])('archive, %s', (name) => {
    expect(readNpz(fixture(`${name}.npz`))).toEqual(
      new Map<string, Tensor>([
        ['x', f32([0, 1, 2])],
        ['label', i64([4])],
      ]),
    );
  });
  test('an aligned array is a view of the bytes', () => {
    const bytes = fixture('float32.npy');
    expect((readNpy(bytes).data as Float32Array).buffer).toBe(bytes.buffer);
  });
});

describe('writing', () => {
  test.each(Object.keys(content.arrays))('%s survives', (name) => {
    const value = readNpy(fixture(`${name}.npy`));
    expect(readNpy(writeNpy(value))).toEqual(value);
  });
  test.each(['float32', 'bool', 'scalar', 'empty', 'vector', 'int64', 'text'])('%s is the very file NumPy writes', (name) => {
    const bytes = fixture(`${name}.npy`);
    expect(new TextDecoder('latin1').decode(writeNpy(readNpy(bytes)))).toBe(new TextDecoder('latin1').decode(bytes));
  });
  test.each([true, false])('an archive survives and is the same whenever it is written (compress: %s)', (compress) => {
    const arrays = { x: f32([1, 2, 3, 4], [2, 2]), y: tensor('uint8', [3], Uint8Array.of(1, 2, 255)), 'a/b': i64([-7]) };
    const bytes = writeNpz(arrays, { compress });
    expect(readNpz(bytes)).toEqual(new Map(Object.entries(arrays)));
    expect(writeNpz(arrays, { compress })).toEqual(bytes);
  });
  test('compression is worth it on flat pictures', () => {
    const flat = { x: f32(new Float32Array(10_000)) };
    expect(writeNpz(flat).length).toBeLessThan(writeNpz(flat, { compress: false }).length / 20);
  });
});

describe('foreign bytes', () => {
  const message = (bytes: Uint8Array): string => {
    try {
      readNpy(bytes, 'x.npy');
    } catch (error) {
      expect(error).toBeInstanceOf(UserError);
      return (error as UserError).message;
    }
    return 'read';
  };
  test('say what is wrong', () => {
    expect(message(new TextEncoder().encode('P6 3 3 255 ...'))).toBe(
      'x.npy is not a readable NumPy array: it does not start like a .npy file',
    );
    expect(message(fixture('complex.npy'))).toContain('its elements are "<c16", not numbers or text');
    expect(message(fixture('object.npy'))).toContain('its elements are "|O", not numbers or text');
    expect(message(fixture('structured.npy'))).toContain('its header is not understood');
    expect(message(fixture('float32.npy').subarray(0, 140))).toContain('an array [2,3] of f4 takes 24 bytes and 12 are there');
    expect(message(fixture('float32.npy').subarray(0, 40))).toContain('cut short inside its header');
    expect(() => readNpz(fixture('float32.npy'), 'x.npz')).toThrow(/^x\.npz is not a readable \.npz archive/);
  });
  test('never raise anything but a UserError', () => {
    const originals = ['float32', 'text', 'fortran', 'scalar', 'big-endian'].map((n) => fixture(`${n}.npy`));
    fc.assert(
      fc.property(
        fc.constantFrom(...originals),
        fc.array(fc.tuple(fc.nat(250), fc.nat(255)), { maxLength: 6 }),
        fc.nat(400),
        (original, edits, length) => {
          const bytes = original.slice(0, length);
          for (const [at, value] of edits) if (at < bytes.length) bytes[at] = value;
          try {
            const read = readNpy(bytes);
            expect(read.data.length).toBe(read.dims.reduce((a, b) => a * b, 1));
          } catch (error) {
            expect(error).toBeInstanceOf(UserError);
          }
        },
      ),
      { numRuns: 2000 },
    );
  });
});
