/**
 * @file One synthetic face: a photographed face, brought near the neutral shape, given an expression by a smooth warp, turned, lit and blurred.
 * The label is the expression that was asked for, not one that anybody saw.
 */
import { type Stream, stream } from '../../../../core/tensor/random.ts';
import type { RawImage } from '../../source.ts';
import { type Place, placeOf } from '../splits.ts';
import { express, expressions, type Target } from './expressions.ts';
import type { Identity } from './identities.ts';
import { camera, light } from './light.ts';
import { neutralShape, type Point, toPicture } from './shape.ts';
import { shadesOf } from './skin.ts';
import { fieldOf, thinPlate, type Warp } from './warp.ts';

export interface FaceOptions {
  seed?: number;
  /** Strength of the expressions: each sample's is drawn from 0.65 to 1.15 of this. */
  strength?: number;
}

export const faceDefaults: Required<FaceOptions> = { seed: 0, strength: 1 };

/** Side of a picture. */
export const side = 48;

/** Samples per pixel and direction. */
const fine = 2;

/** Half the width of the view, in eye distances, and where its centre lies below the eyes. */
const view = { half: 1.3, below: 0.55 };

export interface SyntheticFace extends Place {
  readonly identity: string;
  /** Grey, 48 x 48. */
  readonly picture: RawImage;
}

/** Sample `index` of the corpus: a pure function of the index, the people and the options, whatever else is made. */
export function makeFace(index: number, people: readonly Identity[], options: FaceOptions = {}): SyntheticFace {
  const { seed, strength } = { ...faceDefaults, ...options };
  const place = placeOf(index, expressions.length);
  const draw = stream(seed, 'faces', index);
  const pool = people.filter((p) => p.split === place.split);
  const person = pool[draw.integer(pool.length)]!;
  const target = targetShape(person, place.label, strength * (0.65 + 0.5 * draw.uniform()), draw);
  return { ...place, identity: person.id, picture: render(person, target, draw) };
}

/** How far a person's own points go towards the neutral shape before an expression is put on: photographed people smile. */
const neutrality = (i: number): number => (i < 17 ? 0.4 : i < 27 ? 0.75 : i < 36 ? 0.5 : i < 48 ? 0.6 : 0.9);

/** A person's shape with an expression, and with a little variety in brows and mouth. */
export function targetShape({ shape }: Identity, label: number, strength: number, draw: Stream): Target {
  const [browRise, mouthRise, mouthWidth] = [0.025 * draw.normal(), 0.03 * draw.normal(), 1 + 0.05 * draw.normal()];
  const neutral = shape.map((own, i) => {
    const share = neutrality(i);
    const to = neutralShape[i]!;
    const x = own.x + share * (to.x - own.x);
    const y = own.y + share * (to.y - own.y);
    if (i >= 17 && i < 27) return { x, y: y + browRise };
    return i >= 48 ? { x: x * mouthWidth, y: y + mouthRise } : { x, y };
  });
  return { label, strength, shape: express(neutral, expressions[label]!, strength, 0.6 * (2 * draw.uniform() - 1)) };
}

/** Points around the view that no expression moves. */
const frame: readonly Point[] = Array.from({ length: 16 }, (_, i) => {
  const angle = (2 * Math.PI * i) / 16;
  return { x: 2.4 * Math.cos(angle), y: view.below + 2.4 * Math.sin(angle) };
});

const smoothing = 0.002;

function render(person: Identity, target: Target, draw: Stream): RawImage {
  const back = thinPlate([...target.shape, ...frame], [...person.shape, ...frame], smoothing);
  const pose = poseOf(draw);
  const width = side * fine;
  const face = fieldOf(pose, width, 12);
  const photo = fieldOf(
    (u, v) => {
      const p = pose(u, v);
      return toPicture(person.placement, back(p.x, p.y));
    },
    width,
    24,
  );
  const grey = greyOf(person.picture, draw);
  const shade = shadesOf(target);
  const values = new Float32Array(width * width);
  for (let i = 0; i < values.length; i++)
    values[i] = shade(face.x[i]!, face.y[i]!, sample(grey, person.picture, photo.x[i]!, photo.y[i]!));
  return camera(light(values, width, draw), width, fine, draw);
}

/** From the view's square -1..1 to the frame of the face: a mirror, a turn, a stretch, a shear, a shift and a little perspective. */
function poseOf(draw: Stream): Warp {
  const flip = draw.uniform() < 0.5 ? -1 : 1;
  const angle = 0.1 * draw.normal();
  const scale = view.half * Math.exp(0.06 * draw.normal());
  const stretch = Math.exp(0.03 * draw.normal());
  const shear = 0.04 * draw.normal();
  const [yaw, pitch] = [0.04 * draw.normal(), 0.03 * draw.normal()];
  const shift = { x: 0.06 * draw.normal(), y: view.below + 0.06 * draw.normal() };
  const [cos, sin] = [Math.cos(angle), Math.sin(angle)];
  return (u, v) => {
    const depth = 1 + yaw * u + pitch * v;
    const [a, b] = [(u + shear * v) / depth, (stretch * v) / depth];
    return { x: flip * (scale * (cos * a - sin * b) + shift.x), y: scale * (sin * a + cos * b) + shift.y };
  };
}

/** The picture in grey 0..1, its colours weighted a little differently each time. */
function greyOf({ data, width, height }: RawImage, draw: Stream): Float32Array {
  const weights = [0.299, 0.587, 0.114].map((w) => w * Math.exp(0.2 * draw.normal()));
  const sum = 255 * (weights[0]! + weights[1]! + weights[2]!);
  const [r, g, b] = weights.map((w) => w / sum) as [number, number, number];
  return Float32Array.from({ length: width * height }, (_, i) => r * data[3 * i]! + g * data[3 * i + 1]! + b * data[3 * i + 2]!);
}

/** Bilinear, with the picture mirrored beyond its edges. */
function sample(grey: Float32Array, { width, height }: RawImage, x: number, y: number): number {
  const [left, top] = [Math.floor(x - 0.5), Math.floor(y - 0.5)];
  const [s, t] = [x - 0.5 - left, y - 0.5 - top];
  const [c, d] = [reflect(left, width), reflect(left + 1, width)];
  const [a, b] = [reflect(top, height) * width, reflect(top + 1, height) * width];
  return (grey[a + c]! * (1 - s) + grey[a + d]! * s) * (1 - t) + (grey[b + c]! * (1 - s) + grey[b + d]! * s) * t;
}

function reflect(i: number, size: number): number {
  if (i >= 0 && i < size) return i;
  const period = 2 * size;
  const j = ((i % period) + period) % period;
  return j < size ? j : period - 1 - j;
}
