import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { numbersOf } from '../../../../src/core/tensor/tensor.ts';
import { parseManifest, readWeights } from '../../../../src/kit/model/importers/tfjs-weights.ts';
import { complaint } from '../../data/samples.ts';

const one = (weight: Record<string, unknown>, bytes: Uint8Array) => {
  const manifest = parseManifest(
    [{ paths: ['a.bin'], weights: [{ name: 'w', shape: [3], dtype: 'float32', ...weight }] }],
    'w.json',
  );
  return readWeights(manifest, { 'a.bin': bytes }, 'w.json').get('w')!;
};
const bytesOf = (array: ArrayBufferView) => new Uint8Array(array.buffer, array.byteOffset, array.byteLength);

describe('weights', () => {
  test('float32, int32 and bool come as they are, wherever they start', () => {
    const manifest = parseManifest(
      [
        {
          paths: ['a.bin', 'b.bin'],
          weights: [
            { name: 'flag', shape: [1], dtype: 'bool' },
            { name: 'x', shape: [2, 1], dtype: 'float32' },
            { name: 'n', shape: [], dtype: 'int32' },
          ],
        },
      ],
      'w.json',
    );
    const whole = new Uint8Array([1, ...bytesOf(Float32Array.of(0.1, -3)), ...bytesOf(Int32Array.of(-70000))]);
    const weights = readWeights(manifest, { 'a.bin': whole.subarray(0, 6), 'b.bin': whole.subarray(6) }, 'w.json');
    expect([...weights].map(([name, t]) => [name, t.dtype, t.dims, numbersOf(t)])).toEqual([
      ['flag', 'bool', [1], [1]],
      ['x', 'float32', [2, 1], [Math.fround(0.1), -3]],
      ['n', 'int32', [], [-70000]],
    ]);
  });

  test('uint8 and uint16 quantisation is undone within half a step', () => {
    fc.assert(
      fc.property(
        fc.constantFrom('uint8' as const, 'uint16' as const),
        fc.array(fc.float({ min: -100, max: 100, noNaN: true }), { minLength: 3, maxLength: 3 }),
        (dtype, values) => {
          const [min, max] = [Math.min(...values), Math.max(...values)];
          const scale = (max - min) / (dtype === 'uint8' ? 255 : 65535) || 1;
          const stored = values.map((v) => Math.round((v - min) / scale));
          const bytes = dtype === 'uint8' ? Uint8Array.from(stored) : bytesOf(Uint16Array.from(stored));
          const read = numbersOf(one({ quantization: { dtype, scale, min } }, bytes));
          for (const [i, v] of values.entries()) expect(Math.abs(read[i]! - v)).toBeLessThanOrEqual(scale / 2 + 1e-5);
        },
      ),
    );
  });

  test('float16 is IEEE half precision, subnormals and infinity included; quantised int32 is rounded', () => {
    const halves = Uint16Array.of(0x3555, 0x0001, 0xfc00);
    expect(numbersOf(one({ quantization: { dtype: 'float16' } }, bytesOf(halves)))).toEqual([
      0.333251953125,
      2 ** -24,
      -Infinity,
    ]);
    const integers = one({ dtype: 'int32', quantization: { dtype: 'uint8', scale: 0.6, min: -1 } }, Uint8Array.of(0, 1, 4));
    expect([integers.dtype, numbersOf(integers)]).toEqual(['int32', [-1, 0, 1]]);
  });

  test.each([
    [
      { dtype: 'complex64' },
      24,
      'w.json: weight "w" is of type complex64, which is not supported -> export the model with float32, int32 or bool weights',
    ],
    [
      { dtype: 'string' },
      3,
      'w.json: weight "w" is of type string, which is not supported -> export the model with float32, int32 or bool weights',
    ],
    [
      { quantization: { dtype: 'uint8' } },
      3,
      'w.json: weight "w" is quantised to uint8 without scale and min -> export the model with float32, int32 or bool weights',
    ],
    [
      { dtype: 'bool', quantization: { dtype: 'uint8', scale: 1, min: 0 } },
      3,
      'w.json: weight "w" is a quantised bool, which TensorFlow.js does not define -> export the model with float32, int32 or bool weights',
    ],
    [
      {},
      11,
      'w.json: weight "w" lies at bytes 0..12, beyond the end of a.bin (11 bytes) -> the weight file is cut short: download or export it again',
    ],
    [
      {},
      14,
      'w.json: 2 bytes are left over at the end of a.bin (14 bytes) -> the weight file does not belong to this manifest: download or export both again',
    ],
  ])('%j over %i bytes is refused', async (weight, length, message) => {
    expect(await complaint(() => one(weight, new Uint8Array(length)))).toBe(message);
  });

  test('a missing shard and a broken manifest are named', async () => {
    const manifest = parseManifest([{ paths: ['shard2'], weights: [] }], 'w.json');
    expect(await complaint(() => readWeights(manifest, { shard1: new Uint8Array() }, 'w.json'))).toBe(
      'w.json refers to the file "shard2", which is not there -> put it beside the model (given: shard1)',
    );
    expect(
      await complaint(() => parseManifest([{ paths: ['a'], weights: [{ name: 'w', shape: [-1], dtype: 'x' }] }], 'w.json')),
    ).toMatch(
      /^w.json is not a TensorFlow.js weights manifest: 0.weights.0.shape.0: .* -> give the manifest the TensorFlow.js converter wrote beside the .bin files$/,
    );
  });
});
