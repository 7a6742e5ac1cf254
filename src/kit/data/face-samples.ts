/** @file Data set `face-api/samples`: the faces in the six photos that npm package @vladmandic/face-api brings (MIT, by its author), as 112 x 112 crops. */
import { UserError } from '../../core/errors.ts';
import type { Runtime } from '../../core/runtime/runtime.ts';
import type { PackageFiles } from '../model/builtin/builtin.ts';
import { faceApiTinyFaceDetector } from '../model/builtin/face-api.ts';
import { faceApiDefaults } from '../model/importers/face-api.ts';
import { fileOf } from '../model/importers/json.ts';
import { type Box, crop, padToSquare, toBytes } from './crop.ts';
import { digest } from './digest.ts';
import { resizeAsymmetric } from './resize.ts';
import type { DataSource, DecodeImage, RawImage, RawItem } from './source.ts';
import { type Face, findFaces } from './tiny-face.ts';

const photos = [1, 2, 3, 4, 5, 6].map((i) => `demo/sample${i}.jpg`);

/** What faceSamples reads, relative to the folder of faceApiPackage. */
export const faceSamplesFiles: readonly string[] = [...photos, ...faceApiTinyFaceDetector.files];

export interface FaceSamplesParts {
  readonly runtime: Runtime;
  readonly decodeImage: DecodeImage;
  /** The files faceSamplesFiles names. */
  readonly files: PackageFiles;
}

/** Side of a crop, the input of face-api's nets. */
const side = 112;

/** Finds and cuts out the faces; the crops, rounded to bytes, are the samples. Faces of a photo are ordered from left to right. */
export async function faceSamples({ runtime, decodeImage, files }: FaceSamplesParts): Promise<DataSource> {
  const name = 'face-api/samples';
  const hash = digest();
  const items: RawItem[] = [];
  const session = await runtime.open(faceApiTinyFaceDetector.build(files));
  try {
    for (const path of photos) {
      const image = await decodeImage(fileOf(files, path, name));
      const faces = await findFaces(session, image, faceApiDefaults.detectorSize);
      const photo = path.slice('demo/'.length);
      for (const [i, face] of [...faces].sort((a, b) => a.x - b.x).entries()) {
        const picture = faceCrop(image, faceBox(face, image));
        await hash.add(picture.data);
        items.push({ id: `${photo.replace('.jpg', '')}-face${i + 1}`, group: photo, inputs: { '': picture } });
      }
    }
  } finally {
    await session.release();
  }
  if (items.length === 0)
    throw new UserError(`${name}: no face was found in the photos`, 'install @vladmandic/face-api 1.7.15 again');
  return {
    name,
    labels: [],
    labelsAre: "the model's own clean prediction (agreement, not accuracy)",
    count: items.length,
    item: async (index) => items[index]!,
    sha256: await hash.finish(),
  };
}

/** A square as wide as the shorter side S of the detected box, about its centre, enlarged by round(0.12 S) on every side and clipped to the photo. */
export function faceBox(face: Face, { width, height }: { readonly width: number; readonly height: number }): Box {
  const s = Math.round(Math.min(face.width * width, face.height * height));
  const margin = Math.round(0.12 * s);
  const corner = (centre: number) => Math.round(centre - s / 2);
  const left = corner((face.x + face.width / 2) * width);
  const top = corner((face.y + face.height / 2) * height);
  const x = Math.max(0, left - margin);
  const y = Math.max(0, top - margin);
  return { x, y, width: Math.min(width, left + s + margin) - x, height: Math.min(height, top + s + margin) - y };
}

/** Cut out, zero-padded to a square, resized to 112 x 112, rounded to bytes. */
export const faceCrop = (image: RawImage, box: Box): RawImage =>
  toBytes(resizeAsymmetric(padToSquare(crop(image, box), { centred: true }), side, side));
