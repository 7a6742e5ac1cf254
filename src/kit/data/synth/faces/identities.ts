/** @file The people of the synthetic faces: crops of the installed package's photos with 68 landmarks each. */
import { UserError } from '../../../../core/errors.ts';
import type { Runtime, Session } from '../../../../core/runtime/runtime.ts';
import { f32 } from '../../../../core/tensor/tensor.ts';
import type { PackageFiles } from '../../../model/builtin/builtin.ts';
import { faceApiLandmarks68 } from '../../../model/builtin/face-api.ts';
import { pixelsOf, planes } from '../../crop.ts';
import { faceSamples, faceSamplesFiles } from '../../face-samples.ts';
import type { DecodeImage, RawImage } from '../../source.ts';
import { type Split, splitNames } from '../splits.ts';
import { mirrored, type Placement, type Point, placementOf, toFrame } from './shape.ts';

/** What findIdentities reads, relative to the package's folder. */
export const identityFiles: readonly string[] = [...faceSamplesFiles, ...faceApiLandmarks68.files];

export interface Identity {
  readonly id: string;
  readonly split: Split;
  /** RGB, 112 x 112. */
  readonly picture: RawImage;
  readonly placement: Placement;
  /** The 68 points in the frame of shape.ts. */
  readonly shape: readonly Point[];
}

/** Photos whose faces are kept for validation and for the test: splits share no photo, so neither a person in it nor its light. */
const heldOut: Readonly<Record<string, Split>> = { 'sample1.jpg': 'validation', 'sample2.jpg': 'test', 'sample4.jpg': 'test' };

/** Points of a face and of its mirror image may differ by this (root mean square, in eye distances): more, and it is not one face seen well. */
const mirrorTolerance = 0.2;

export interface IdentityParts {
  readonly runtime: Runtime;
  readonly decodeImage: DecodeImage;
  /** The files identityFiles names. */
  readonly files: PackageFiles;
}

/** Finds the faces and their points; a face whose mirror image gives other points is left out. Throws a UserError where a split has no face. */
export async function findIdentities({ runtime, decodeImage, files }: IdentityParts): Promise<Identity[]> {
  const samples = await faceSamples({ runtime, decodeImage, files });
  const session = await runtime.open(faceApiLandmarks68.build(files));
  const found: Identity[] = [];
  try {
    for (let i = 0; i < samples.count; i++) {
      const item = await samples.item(i);
      const picture = 'reason' in item ? undefined : item.inputs[''];
      if ('reason' in item || picture?.kind !== 'image') continue;
      const points = await landmarks(session, picture);
      const placement = placementOf(points);
      const shape = points.map((p) => toFrame(placement, p));
      if (difference(shape, await mirroredShape(session, picture)) > mirrorTolerance) continue;
      found.push({ id: item.id, split: heldOut[item.group] ?? 'train', picture, placement, shape });
    }
  } finally {
    await session.release();
  }
  const empty = splitNames.find((split) => found.every((f) => f.split !== split));
  if (empty !== undefined)
    throw new UserError(
      `no face for the ${empty} split was found in the photos of @vladmandic/face-api`,
      'install @vladmandic/face-api 1.7.15 again',
    );
  return found;
}

/** The 68 points of a face crop, in its pixels, by an open session of face-api/landmarks68. */
export async function landmarks(session: Session, picture: RawImage): Promise<Point[]> {
  const { width, height } = picture;
  const out = await session.run({ image: f32(planes(pixelsOf(picture), 1 / 255), [1, 3, height, width]) });
  const values = out.landmarks!.data as Float32Array;
  return Array.from({ length: 68 }, (_, i) => ({ x: values[2 * i]! * width, y: values[2 * i + 1]! * height }));
}

async function mirroredShape(session: Session, picture: RawImage): Promise<Point[]> {
  const points = await landmarks(session, mirror(picture));
  const placement = placementOf(points);
  const shape = points.map((p) => toFrame(placement, p));
  return mirrored.map((i) => ({ x: -shape[i]!.x, y: shape[i]!.y }));
}

function mirror(picture: RawImage): RawImage {
  const { width, height, channels } = picture;
  const data = new Uint8Array(picture.data.length);
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++)
      for (let k = 0; k < channels; k++)
        data[(y * width + x) * channels + k] = picture.data[(y * width + width - 1 - x) * channels + k]!;
  return { ...picture, data };
}

const difference = (a: readonly Point[], b: readonly Point[]): number =>
  Math.sqrt(a.reduce((sum, p, i) => sum + (p.x - b[i]!.x) ** 2 + (p.y - b[i]!.y) ** 2, 0) / a.length);
