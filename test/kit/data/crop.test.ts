import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { crop, type Pixels, padToSquare, pixelsOf, planes, toBytes } from '../../../src/kit/data/crop.ts';
import { resizeAsymmetric, resizeCentred } from '../../../src/kit/data/resize.ts';
import { syntheticPicture } from '../model/builtin/faces.ts';

const grey = (width: number, data: readonly number[]): Pixels => ({
  width,
  height: data.length / width,
  channels: 1,
  data: Float32Array.from(data),
});

describe('crop', () => {
  test('takes the pixels of the box', () => {
    const image = syntheticPicture(9, 7);
    const part = crop(image, { x: 2, y: 3, width: 4, height: 2 });
    for (let y = 0; y < 2; y++)
      for (let x = 0; x < 4; x++)
        for (let c = 0; c < 3; c++) expect(part.data[(y * 4 + x) * 3 + c]).toBe(image.data[((y + 3) * 9 + x + 2) * 3 + c]);
  });

  test.each([
    { x: -1, y: 0, width: 2, height: 2 },
    { x: 0, y: 0, width: 0, height: 2 },
    { x: 8, y: 0, width: 2, height: 2 },
    { x: 0, y: 6, width: 2, height: 2 },
  ])('a box that leaves the picture is a mistake: %j', (box) => {
    expect(() => crop(syntheticPicture(9, 7), box)).toThrow(/leaves the 9x7 image/);
  });
});

describe('padding', () => {
  test('puts the larger half after the picture, or everything', () => {
    const tall = grey(1, [1, 2, 3, 4]);
    expect(Array.from(padToSquare(tall, { centred: true }).data)).toEqual([0, 1, 0, 0, 0, 2, 0, 0, 0, 3, 0, 0, 0, 4, 0, 0]);
    expect(Array.from(padToSquare(tall, { centred: false }).data)).toEqual([1, 0, 0, 0, 2, 0, 0, 0, 3, 0, 0, 0, 4, 0, 0, 0]);
    expect(Array.from(padToSquare(grey(2, [1, 2]), { centred: true }).data)).toEqual([1, 2, 0, 0]);
  });
});

describe('resizing', () => {
  test('closed forms of both conventions', () => {
    const ramp = grey(2, [0, 100]);
    expect(Array.from(resizeAsymmetric(ramp, 4, 1).data)).toEqual([0, 50, 100, 100]);
    expect(Array.from(resizeCentred(ramp, 4, 1).data)).toEqual([0, 25, 75, 100]);
    expect(Array.from(resizeAsymmetric(grey(4, [0, 10, 20, 30]), 2, 1).data)).toEqual([0, 20]);
    expect(Array.from(resizeCentred(grey(4, [0, 10, 20, 30]), 2, 1).data)).toEqual([5, 25]);
  });

  test('keeps constants, stays between the extremes, and is the identity at the same size', () => {
    const size = fc.integer({ min: 1, max: 9 });
    fc.assert(
      fc.property(size, size, size, size, fc.constantFrom(resizeAsymmetric, resizeCentred), (w, h, w2, h2, resize) => {
        const values = Array.from({ length: w * h }, (_, i) => (i * 37) % 256);
        const image = grey(w, values);
        const out = resize(image, w2, h2);
        expect([out.width, out.height, out.data.length]).toEqual([w2, h2, w2 * h2]);
        expect(Math.min(...out.data)).toBeGreaterThanOrEqual(Math.min(...values) - 1e-4);
        expect(Math.max(...out.data)).toBeLessThanOrEqual(Math.max(...values) + 1e-4);
        expect(resize(image, w, h)).toBe(image);
        const flat = resize(grey(w, new Array(w * h).fill(7)), w2, h2).data;
        expect(Math.max(...flat.map((v) => Math.abs(v - 7)))).toBeLessThan(1e-5);
      }),
    );
  });
});

test('bytes are rounded half up and clipped; planes separate the channels', () => {
  expect(Array.from(toBytes(grey(4, [-3, 0.5, 254.4, 300])).data)).toEqual([0, 1, 254, 255]);
  const image = syntheticPicture(3, 2);
  const apart = planes(pixelsOf(image), 2);
  expect(apart[6 + 4]).toBe(2 * image.data[4 * 3 + 1]!);
});
