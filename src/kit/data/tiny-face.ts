/**
 * @file Faces in a picture by face-api's tiny detector: its preprocessing, the decoding of its grid and its suppression of overlaps.
 * Source: @vladmandic/face-api 1.7.15, src/tinyYolov2/TinyYolov2Base.ts, src/tinyFaceDetector/const.ts, src/ops/nonMaxSuppression.ts.
 */
import type { Session } from '../../core/runtime/runtime.ts';
import { f32 } from '../../core/tensor/tensor.ts';
import { padToSquare, pixelsOf, planes } from './crop.ts';
import { resizeAsymmetric } from './resize.ts';
import type { RawImage } from './source.ts';

/** A face: corner and sizes in fractions of the picture's width and height. */
export interface Face {
  readonly score: number;
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

export interface FaceOptions {
  /** Faces below are dropped. */
  scoreThreshold?: number;
  /** Of two boxes that overlap more (intersection over union) the lower score is dropped. */
  iouThreshold?: number;
}

/** The package's own. */
export const faceDefaults: Required<FaceOptions> = { scoreThreshold: 0.5, iouThreshold: 0.4 };

/** Width and height of the five box shapes, in cells. */
const anchors = [
  [1.603231, 2.094468],
  [6.041143, 7.080126],
  [2.882459, 3.518061],
  [4.266906, 5.178857],
  [9.041765, 10.66308],
] as const;

const sigmoid = (v: number) => 1 / (1 + Math.exp(-v));

/** Boxes of a picture's grid [25, cells, cells]: 5 anchors x (x, y, width, height, score); `width`, `height` are the picture's. */
export function decodeFaces(
  grid: Float32Array,
  picture: { readonly width: number; readonly height: number },
  options: FaceOptions = {},
): Face[] {
  const { scoreThreshold } = { ...faceDefaults, ...options };
  const cells = Math.round(Math.sqrt(grid.length / 25));
  const size = 32 * cells;
  const scale = size / Math.max(picture.width, picture.height);
  const stretch = [size / Math.round(picture.width * scale), size / Math.round(picture.height * scale)] as const;
  const faces: Face[] = [];
  for (let row = 0; row < cells; row++) {
    for (let column = 0; column < cells; column++) {
      for (const [a, [wide, high]] of anchors.entries()) {
        const at = (k: number) => grid[((5 * a + k) * cells + row) * cells + column]!;
        const score = sigmoid(at(4));
        if (score <= scoreThreshold) continue;
        const width = ((Math.exp(at(2)) * wide) / cells) * stretch[0];
        const height = ((Math.exp(at(3)) * high) / cells) * stretch[1];
        const x = ((column + sigmoid(at(0))) / cells) * stretch[0] - width / 2;
        const y = ((row + sigmoid(at(1))) / cells) * stretch[1] - height / 2;
        faces.push({ score, x, y, width, height });
      }
    }
  }
  return faces;
}

/** Greedy non-maximum suppression: the highest score first, then whatever does not overlap a kept box too much. */
export function suppressOverlaps(faces: readonly Face[], options: FaceOptions = {}): Face[] {
  const { iouThreshold } = { ...faceDefaults, ...options };
  const kept: Face[] = [];
  for (const face of [...faces].sort((a, b) => b.score - a.score)) {
    if (kept.every((other) => overlap(other, face) <= iouThreshold)) kept.push(face);
  }
  return kept;
}

function overlap(a: Face, b: Face): number {
  const wide = Math.max(0, Math.min(a.x + a.width, b.x + b.width) - Math.max(a.x, b.x));
  const high = Math.max(0, Math.min(a.y + a.height, b.y + b.height) - Math.max(a.y, b.y));
  return (wide * high) / (a.width * a.height + b.width * b.height - wide * high);
}

/** The input of the detector: RGB padded after the picture to a square, resized to `size`, as planes 0..1. */
export const detectorInput = (image: RawImage, size: number): Float32Array =>
  planes(resizeAsymmetric(padToSquare(pixelsOf(image), { centred: false }), size, size), 1 / 255);

/** Finds the faces of an RGB picture with an open session of the built-in detector of input side `size`; highest score first. */
export async function findFaces(session: Session, image: RawImage, size: number, options: FaceOptions = {}): Promise<Face[]> {
  const { grid } = await session.run({ image: f32(detectorInput(image, size), [1, 3, size, size]) });
  return suppressOverlaps(decodeFaces(grid!.data as Float32Array, image, options), options);
}
