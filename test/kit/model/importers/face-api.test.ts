import { beforeAll, describe, expect, test } from 'vitest';
import { findPackage, readPackageFiles } from '../../../../src/app/host/packages.ts';
import { faceApiPackage } from '../../../../src/kit/model/builtin/face-api.ts';
import { builtinModels } from '../../../../src/kit/model/builtin/index.ts';
import { faceApiFiles, importFaceApi } from '../../../../src/kit/model/importers/face-api.ts';
import { complaint } from '../../data/samples.ts';

describe('face-api nets', () => {
  const [manifest, weights] = faceApiFiles('tiny_face_detector_model');
  let files: Record<string, Uint8Array>;
  beforeAll(async () => {
    const read = await readPackageFiles(await findPackage(faceApiPackage), [`model/${manifest}`, `model/${weights}`]);
    files = { [manifest]: read[`model/${manifest}`]!, [weights]: read[`model/${weights}`]! };
  });

  test('the grid has a cell per 32 pixels, and other sides are refused', async () => {
    expect(importFaceApi('tiny_face_detector_model', files).outputs[0]!.dims).toEqual(['N', 25, 13, 13]);
    expect(importFaceApi('tiny_face_detector_model', files, { detectorSize: 512 }).outputs[0]!.dims).toEqual(['N', 25, 16, 16]);
    expect(await complaint(() => importFaceApi('tiny_face_detector_model', files, { detectorSize: 400 }))).toBe(
      "the face detector's input side is 400 -> choose a multiple of 32, e.g. 416",
    );
  });

  test("another net's weights, a missing and a cut file are refused by name", async () => {
    const [expression, bin] = faceApiFiles('face_expression_model');
    const wrong = { [expression]: files[manifest]!, [weights]: files[weights]! };
    expect(await complaint(() => importFaceApi('face_expression_model', wrong))).toBe(
      `${expression}: the float32 weight "dense0/conv0/filters" is missing -> use the files of @vladmandic/face-api 1.7.15: this manifest belongs to another net`,
    );
    expect(await complaint(() => importFaceApi('face_expression_model', { [bin]: files[weights]! }))).toBe(
      `the net face_expression_model refers to the file "${expression}", which is not there -> put it beside the model (given: ${bin})`,
    );
    const cut = { ...files, [weights]: files[weights]!.subarray(0, 1000) };
    expect(await complaint(() => importFaceApi('tiny_face_detector_model', cut))).toMatch(
      /^tiny_face_detector_model-weights_manifest.json: weight "[^"]+" lies at bytes \d+\.\.\d+, beyond the end of tiny_face_detector_model.bin \(1000 bytes\) -> /,
    );
  });

  test('a built-in model asks for its files by their names', async () => {
    expect(await complaint(() => builtinModels['face-api/expression']!.build({}))).toMatch(
      /^the net face_expression_model refers to the file "face_expression_model-weights_manifest.json", which is not there -> /,
    );
    expect(await complaint(() => builtinModels['human/emotion']!.build({}))).toMatch(
      /^human\/emotion refers to the file "models\/emotion.json", which is not there -> /,
    );
  });
});
