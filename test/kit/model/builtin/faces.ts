/** Pictures the face fixtures were made from: six photos of an installed package, decoded exactly, and the closed-form picture. */
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { decode } from 'jpeg-js';
import { findPackage, readPackageFiles } from '../../../../src/app/host/packages.ts';
import type { Graph } from '../../../../src/core/onnx/graph.ts';
import type { RawImage } from '../../../../src/kit/data/source.ts';
import { faceApiPackage } from '../../../../src/kit/model/builtin/face-api.ts';
import { builtinModels } from '../../../../src/kit/model/builtin/index.ts';

export const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

export async function fixture<T>(name: string): Promise<T> {
  return JSON.parse(await readFile(new URL(`../../../fixtures/faces/${name}`, import.meta.url), 'utf8')) as T;
}

/** Decodes as the fixtures say: jpeg-js, no rescaling, colour management or rotation. */
export function decodeJpeg(bytes: Uint8Array): RawImage {
  const { width, height, data } = decode(bytes, { useTArray: true, formatAsRGBA: false });
  return { kind: 'image', width, height, channels: 3, data };
}

export async function photoBytes(name: string): Promise<Uint8Array> {
  const path = `demo/${name}`;
  return (await readPackageFiles(await findPackage(faceApiPackage), [path]))[path]!;
}

/** v(x,y,c) = (x(3+c) + y(5-c) + ((x^2 + 3y^2 + xy) >> 5) + 37c) & 255. */
export function syntheticPicture(width: number, height: number): RawImage {
  const data = new Uint8Array(width * height * 3);
  let at = 0;
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++)
      for (let c = 0; c < 3; c++) data[at++] = (x * (3 + c) + y * (5 - c) + ((x * x + 3 * y * y + x * y) >> 5) + 37 * c) & 255;
  return { kind: 'image', width, height, channels: 3, data };
}

export async function builtGraph(name: string): Promise<Graph> {
  const model = builtinModels[name]!;
  return model.build(await readPackageFiles(await findPackage(model.package), model.files));
}
