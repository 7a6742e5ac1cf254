import * as ort from 'onnxruntime-node';
import { beforeAll, describe, expect, test } from 'vitest';
import { createRuntime, type Session } from '../../../../src/core/runtime/runtime.ts';
import { f32 } from '../../../../src/core/tensor/tensor.ts';
import { type Box, crop, padToSquare, planes } from '../../../../src/kit/data/crop.ts';
import { resizeAsymmetric } from '../../../../src/kit/data/resize.ts';
import type { RawImage } from '../../../../src/kit/data/source.ts';
import { builtinModels } from '../../../../src/kit/model/builtin/index.ts';
import { softmax } from '../../../../src/kit/model/predict.ts';
import { builtGraph, decodeJpeg, fixture, photoBytes, sha256, syntheticPicture } from './faces.ts';

interface Expressions {
  labels: string[];
  photos: Record<string, { width: number; height: number; fileSha256: string; rgbSha256: string }>;
  crops: { photo: string; box: Box; probabilities: number[] }[];
  synthetic: { width: number; height: number; probabilities: number[] }[];
}

describe('face-api/expression', () => {
  let session: Session;
  let golden: Expressions;
  const photos = new Map<string, RawImage>();

  beforeAll(async () => {
    golden = await fixture<Expressions>('expressions.json');
    session = await createRuntime(ort).open(await builtGraph('face-api/expression'));
    for (const name of Object.keys(golden.photos)) photos.set(name, decodeJpeg(await photoBytes(name)));
  });

  async function probabilities(image: RawImage, box: Box): Promise<number[]> {
    const square = resizeAsymmetric(padToSquare(crop(image, box), { centred: true }), 112, 112);
    const { logits } = await session.run({ image: f32(planes(square, 1 / 255), [1, 3, 112, 112]) });
    return softmax(logits!.data as Float32Array);
  }

  const difference = (a: readonly number[], b: readonly number[]) => Math.max(...a.map((v, i) => Math.abs(v - b[i]!)));

  test('the photos are the ones the golden numbers were made from, decoded alike', () => {
    expect(photos.size).toBe(6);
    for (const [name, { rgbSha256 }] of Object.entries(golden.photos)) expect(sha256(photos.get(name)!.data)).toBe(rgbSha256);
  });

  test("names its classes in the package's order", () => {
    expect(builtinModels['face-api/expression']!.classes).toEqual(golden.labels);
  });

  test("gives the package's own probabilities on every crop of the photos", async () => {
    expect(golden.crops).toHaveLength(20);
    let worst = 0;
    for (const { photo, box, probabilities: want } of golden.crops) {
      worst = Math.max(worst, difference(want, await probabilities(photos.get(photo)!, box)));
    }
    expect(worst).toBeLessThan(1e-5);
  });

  test("gives the package's own probabilities on the closed-form pictures, square or not", async () => {
    expect(golden.synthetic).toHaveLength(3);
    for (const { width, height, probabilities: want } of golden.synthetic) {
      const image = syntheticPicture(width, height);
      expect(difference(want, await probabilities(image, { x: 0, y: 0, width, height }))).toBeLessThan(1e-5);
    }
  });

  test('an input of 0..255 is another question: the x255 is inside the graph', async () => {
    const { photo, box, probabilities: want } = golden.crops[0]!;
    const square = resizeAsymmetric(padToSquare(crop(photos.get(photo)!, box), { centred: true }), 112, 112);
    const { logits } = await session.run({ image: f32(planes(square), [1, 3, 112, 112]) });
    expect(difference(want, softmax(logits!.data as Float32Array))).toBeGreaterThan(0.01);
  });
});
