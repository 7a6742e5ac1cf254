import * as ort from 'onnxruntime-node';
import { beforeAll, describe, expect, test } from 'vitest';
import { decodeImage } from '../../../src/app/host/images.ts';
import { findPackage, readPackageFiles } from '../../../src/app/host/packages.ts';
import { createRuntime } from '../../../src/core/runtime/runtime.ts';
import { adapt } from '../../../src/kit/data/adapt.ts';
import { faceBox, faceCrop, faceSamples, faceSamplesFiles } from '../../../src/kit/data/face-samples.ts';
import type { DataSource, RawImage } from '../../../src/kit/data/source.ts';
import type { PackageFiles } from '../../../src/kit/model/builtin/builtin.ts';
import { faceApiPackage } from '../../../src/kit/model/builtin/face-api.ts';
import { builtinModels } from '../../../src/kit/model/builtin/index.ts';
import type { Sample } from '../../../src/kit/model/model.ts';
import { decodeJpeg, syntheticPicture } from '../model/builtin/faces.ts';
import { complaint, everything, usableOf } from './samples.ts';

const runtime = createRuntime(ort);

describe('face-api/samples', () => {
  let files: PackageFiles;
  let data: DataSource;
  beforeAll(async () => {
    files = await readPackageFiles(await findPackage(faceApiPackage), faceSamplesFiles);
    data = await faceSamples({ runtime, decodeImage, files });
  });

  test('finds the faces of all six photos, as 112 x 112 crops without labels', async () => {
    const items = usableOf(await everything(data));
    expect(items.length).toBeGreaterThanOrEqual(15);
    expect(new Set(items.map((i) => i.group)).size).toBe(6);
    expect(new Set(items.map((i) => i.id)).size).toBe(items.length);
    expect(data.labels).toEqual([]);
    expect(data.labelsAre).toBe("the model's own clean prediction (agreement, not accuracy)");
    for (const { inputs, label } of items) {
      const { width, height, channels, data: bytes } = inputs[''] as RawImage;
      expect([width, height, channels, label]).toEqual([112, 112, 3, undefined]);
      expect(new Set(bytes).size).toBeGreaterThan(50);
    }
  });

  test("the crops are the expression net's input as they are: bytes / 255", async () => {
    const item = usableOf([await data.item(0)])[0]!;
    const model = builtinModels['face-api/expression']!;
    const { inputs } = adapt(item, model) as Sample;
    const { data: bytes } = item.inputs[''] as RawImage;
    expect(inputs.image!.length).toBe(bytes.length);
    expect(inputs.image![112 * 112 + 5]).toBe(Math.fround(bytes[3 * 5 + 1]! / 255));
  });

  test('another JPEG decoder finds as many faces; its pixels give another digest', async () => {
    const exact = await faceSamples({ runtime, decodeImage: async (bytes) => decodeJpeg(bytes), files });
    expect(exact.count).toBe(20);
    expect(data.count).toBe(20);
    expect(exact.sha256).not.toBe(data.sha256);
    expect((await faceSamples({ runtime, decodeImage, files })).sha256).toBe(data.sha256);
  });

  test('says which file of the package is missing, and when no photo shows a face', async () => {
    const { 'demo/sample3.jpg': _, ...rest } = files;
    expect(await complaint(() => faceSamples({ runtime, decodeImage, files: rest }))).toMatch(
      /^face-api\/samples refers to the file "demo\/sample3.jpg", which is not there -> /,
    );
    const blank: RawImage = { kind: 'image', width: 64, height: 64, channels: 3, data: new Uint8Array(64 * 64 * 3) };
    expect(await complaint(() => faceSamples({ runtime, decodeImage: async () => blank, files }))).toBe(
      'face-api/samples: no face was found in the photos -> install @vladmandic/face-api 1.7.15 again',
    );
  });
});

describe('the crop', () => {
  test('is the shorter side enlarged by round(0.12 S) all around, clipped to the photo', () => {
    const face = { score: 1, x: 0.4, y: 0.4, width: 0.2, height: 0.1 };
    expect(faceBox(face, { width: 1000, height: 1000 })).toEqual({ x: 438, y: 388, width: 124, height: 124 });
    expect(faceBox({ ...face, x: 0, y: 0 }, { width: 1000, height: 1000 })).toEqual({ x: 38, y: 0, width: 124, height: 112 });
    expect(faceBox({ ...face, x: 0.9, y: 0.95 }, { width: 1000, height: 1000 })).toEqual({
      x: 938,
      y: 938,
      width: 62,
      height: 62,
    });
  });

  test('keeps a 112 x 112 cut bit for bit, and pads a clipped one with zeros half before, half after', () => {
    const image = syntheticPicture(200, 150);
    const same = faceCrop(image, { x: 3, y: 5, width: 112, height: 112 });
    expect(same.data[0]).toBe(image.data[(5 * 200 + 3) * 3]);
    expect(same.data.at(-1)).toBe(image.data[(116 * 200 + 114) * 3 + 2]);
    const padded = faceCrop(image, { x: 0, y: 0, width: 111 - 10, height: 112 });
    const row = (y: number) => Array.from(padded.data.subarray(y * 112 * 3, (y + 1) * 112 * 3));
    expect(row(50).slice(0, 5 * 3)).toEqual(new Array(15).fill(0));
    expect(row(50).slice(5 * 3, 5 * 3 + 6)).toEqual(Array.from(image.data.subarray(50 * 200 * 3, 50 * 200 * 3 + 6)));
    expect(row(50).slice(-6 * 3)).toEqual(new Array(18).fill(0));
  });
});
