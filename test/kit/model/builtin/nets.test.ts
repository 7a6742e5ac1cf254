import * as ort from 'onnxruntime-node';
import { beforeAll, describe, expect, test } from 'vitest';
import { findPackage, readPackageFiles } from '../../../../src/app/host/packages.ts';
import type { Graph } from '../../../../src/core/onnx/graph.ts';
import { createRuntime } from '../../../../src/core/runtime/runtime.ts';
import { stream } from '../../../../src/core/tensor/random.ts';
import { f32, sizeOf } from '../../../../src/core/tensor/tensor.ts';
import { type Box, crop, padToSquare, pixelsOf, planes } from '../../../../src/kit/data/crop.ts';
import { resizeAsymmetric } from '../../../../src/kit/data/resize.ts';
import type { RawImage } from '../../../../src/kit/data/source.ts';
import { decodeFaces, detectorInput, findFaces, suppressOverlaps } from '../../../../src/kit/data/tiny-face.ts';
import { faceApiPackage } from '../../../../src/kit/model/builtin/face-api.ts';
import { builtinModels } from '../../../../src/kit/model/builtin/index.ts';
import { faceApiFiles, importFaceApi } from '../../../../src/kit/model/importers/face-api.ts';
import { softmax } from '../../../../src/kit/model/predict.ts';
import { builtGraph, decodeJpeg, fixture, photoBytes, syntheticPicture } from './faces.ts';

type Input = { synthetic: [number, number] } | { photo: string; box?: Box };
interface Case {
  input: Input;
  values: number[];
}
interface Nets {
  landmarks68: { cases: Case[] };
  landmarks68Tiny: { cases: Case[] };
  detector: {
    grids: (Case & { size: number; every: number })[];
    detections: { photo: string; size: number; faces: number[][] }[];
  };
  emotion: { input: Input; logits: number[]; probabilities: number[] }[];
}

const runtime = createRuntime(ort);
let golden: Nets;
beforeAll(async () => {
  golden = await fixture<Nets>('nets.json');
});

const photos = new Map<string, RawImage>();
async function photo(name: string): Promise<RawImage> {
  if (!photos.has(name)) photos.set(name, decodeJpeg(await photoBytes(name)));
  return photos.get(name)!;
}

const picture = async (input: Input): Promise<RawImage> =>
  'synthetic' in input ? syntheticPicture(...input.synthetic) : await photo(input.photo);
async function part(input: Input) {
  const image = await picture(input);
  return 'box' in input && input.box ? crop(image, input.box) : pixelsOf(image);
}

async function runOn(graph: Graph, values: Float32Array, side: number): Promise<Float32Array> {
  const session = await runtime.open(graph);
  const result = await session.run({ image: f32(values, [values.length / (3 * side * side), 3, side, side]) });
  await session.release();
  return Object.values(result)[0]!.data as Float32Array;
}

/** Largest difference over the range of the wanted numbers. */
function relative(got: ArrayLike<number>, want: readonly number[]): number {
  expect(got.length).toBe(want.length);
  const worst = Math.max(...want.map((v, i) => Math.abs(v - got[i]!)));
  return worst / (Math.max(...want) - Math.min(...want));
}

describe('the nets give what their own package gives', () => {
  async function landmarks(graph: Graph, cases: Case[]) {
    expect(cases).toHaveLength(4);
    for (const { input, values } of cases) {
      const square = resizeAsymmetric(padToSquare(await part(input), { centred: true }), 112, 112);
      expect(relative(await runOn(graph, planes(square, 1 / 255), 112), values)).toBeLessThan(1e-5);
    }
  }

  test('face-api/landmarks68', async () => {
    await landmarks(await builtGraph('face-api/landmarks68'), golden.landmarks68.cases);
  });

  test('the small landmark net', async () => {
    const names = faceApiFiles('face_landmark_68_tiny_model');
    const files = await readPackageFiles(
      await findPackage(faceApiPackage),
      names.map((n) => `model/${n}`),
    );
    const graph = importFaceApi('face_landmark_68_tiny_model', Object.fromEntries(names.map((n) => [n, files[`model/${n}`]!])));
    await landmarks(graph, golden.landmarks68Tiny.cases);
  });

  test('human/emotion, its grey and stretched input included', async () => {
    const graph = await builtGraph('human/emotion');
    expect(golden.emotion).toHaveLength(4);
    for (const { input, logits, probabilities } of golden.emotion) {
      const image = planes(resizeAsymmetric(await part(input), 64, 64), 1 / 255);
      const scores = await runOn(graph, image, 64);
      expect(relative(scores, logits)).toBeLessThan(1e-5);
      expect(relative(softmax(scores), probabilities)).toBeLessThan(1e-5);
    }
  });

  test('face-api/tiny-face-detector, before decoding (the package has the channels last)', async () => {
    const graph = await builtGraph('face-api/tiny-face-detector');
    for (const { input, size, every, values } of golden.detector.grids) {
      const grid = await runOn(graph, detectorInput(await picture(input), size), size);
      const cells = (size / 32) ** 2;
      const last = Float32Array.from(grid, (_, i) => grid[(i % 25) * cells + Math.floor(i / 25)]!);
      expect(
        relative(
          last.filter((_, i) => i % every === 0),
          values,
        ),
      ).toBeLessThan(1e-5);
    }
  });

  test('and the same faces in the same order, at two input sizes', async () => {
    const names = faceApiFiles('tiny_face_detector_model');
    const files = await readPackageFiles(
      await findPackage(faceApiPackage),
      names.map((n) => `model/${n}`),
    );
    const byName = Object.fromEntries(names.map((n) => [n, files[`model/${n}`]!]));
    const counts: Record<number, number> = {};
    for (const size of [416, 608]) {
      const session = await runtime.open(importFaceApi('tiny_face_detector_model', byName, { detectorSize: size }));
      for (const { photo: name, faces } of golden.detector.detections.filter((d) => d.size === size)) {
        const found = await findFaces(session, await photo(name), size);
        expect(found).toHaveLength(faces.length);
        for (const [i, { score, x, y, width, height }] of found.entries()) {
          for (const [k, v] of [score, x, y, width, height].entries()) expect(Math.abs(v - faces[i]![k]!)).toBeLessThan(1e-5);
        }
        counts[size] = (counts[size] ?? 0) + found.length;
      }
      await session.release();
    }
    expect(counts).toEqual({ 416: 20, 608: 20 });
  });
});

describe('a sample does not know its batch', () => {
  test.each(Object.keys(builtinModels).filter((n) => n !== 'face-api/tiny-face-detector'))(
    '%s: batches of 1, 2, 8 and 37 give the same bits',
    async (name) => {
      const { shape } = builtinModels[name]!.inputs.image!;
      const size = sizeOf(shape);
      const random = stream('batch independence', name);
      const all = Float32Array.from({ length: 37 * size }, () => random.uniform());
      const graph = await builtGraph(name);
      const whole = await runOn(graph, all, shape[1]!);
      const width = whole.length / 37;
      for (const batch of [1, 2, 8]) {
        for (let from = 0; from + batch <= 37; from += batch) {
          const some = await runOn(graph, all.slice(from * size, (from + batch) * size), shape[1]!);
          expect(some).toEqual(whole.slice(from * width, (from + batch) * width));
        }
      }
    },
  );

  test('face-api/tiny-face-detector: batches of 1, 2 and 3', async () => {
    const random = stream('batch independence', 'detector');
    const size = 3 * 416 * 416;
    const all = Float32Array.from({ length: 3 * size }, () => random.uniform());
    const graph = await builtGraph('face-api/tiny-face-detector');
    const whole = await runOn(graph, all, 416);
    const width = whole.length / 3;
    for (const [from, to] of [
      [0, 1],
      [1, 2],
      [2, 3],
      [0, 2],
      [1, 3],
    ] as const) {
      expect(await runOn(graph, all.slice(from * size, to * size), 416)).toEqual(whole.slice(from * width, to * width));
    }
  });
});

describe('decoding', () => {
  const cells = 13;
  const empty = () =>
    new Float32Array(25 * cells * cells).fill(0).map((_, i) => (Math.floor(i / (cells * cells)) % 5 === 4 ? -9 : 0));
  const put = (grid: Float32Array, anchor: number, row: number, column: number, values: readonly number[]) => {
    for (const [k, v] of values.entries()) grid[((5 * anchor + k) * cells + row) * cells + column] = v;
    return grid;
  };

  test("a cell with zeros is centred in itself and has the anchor's size", () => {
    const [face, ...others] = decodeFaces(put(empty(), 2, 4, 6, [0, 0, 0, 0, 2]), { width: 100, height: 100 });
    expect(others).toEqual([]);
    expect(face!.score).toBeCloseTo(1 / (1 + Math.exp(-2)), 12);
    expect(face!.width).toBeCloseTo(2.882459 / 13, 6);
    expect(face!.x + face!.width / 2).toBeCloseTo(6.5 / 13, 6);
    expect(face!.y + face!.height / 2).toBeCloseTo(4.5 / 13, 6);
  });

  test('in a wide picture heights are fractions of the picture, not of the padded square', () => {
    const grid = put(empty(), 2, 4, 6, [0, 0, 0, 0, 2]);
    const [square] = decodeFaces(grid, { width: 416, height: 416 });
    const [wide] = decodeFaces(grid, { width: 416, height: 208 });
    expect([wide!.x, wide!.width]).toEqual([square!.x, square!.width]);
    expect([wide!.y, wide!.height]).toEqual([2 * square!.y, 2 * square!.height]);
  });

  test('of overlapping boxes the best survives; thresholds are exclusive and inclusive as in the package', () => {
    const box = (score: number, x: number) => ({ score, x, y: 0, width: 1, height: 1 });
    const kept = suppressOverlaps([box(0.6, 0.1), box(0.9, 0), box(0.7, 0.5)]);
    expect(kept.map((f) => f.score)).toEqual([0.9, 0.7]);
    expect(suppressOverlaps([box(0.9, 0), box(0.8, 0.25)], { iouThreshold: 0.6 })).toHaveLength(2);
    expect(decodeFaces(put(empty(), 0, 0, 0, [0, 0, 0, 0, 0]), { width: 9, height: 9 })).toEqual([]);
  });
});
