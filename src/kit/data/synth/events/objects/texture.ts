/** @file What a surface looks like: two colours and how they alternate. Surfaces say nothing about the class. */
import type { Stream } from '../../../../../core/tensor/random.ts';

export type Colour = readonly [red: number, green: number, blue: number];

/** Colour at a point; coordinates in object units. */
export type Texture = (x: number, y: number) => Colour;

const between = (a: Colour, b: Colour, share: number): Colour => [
  a[0] + share * (b[0] - a[0]),
  a[1] + share * (b[1] - a[1]),
  a[2] + share * (b[2] - a[2]),
];

export const randomColour = (draw: Stream): Colour => [draw.uniform(), draw.uniform(), draw.uniform()];

/** As `colour`, moved by about `spread` in every part. */
export const likeColour = (colour: Colour, spread: number, draw: Stream): Colour =>
  colour.map((part) => Math.min(1, Math.max(0, part + spread * draw.normal()))) as unknown as Colour;

/** A plain surface, a run from one colour to the other, soft stripes or soft checks, between `colour` and one about `spread` away from it. */
export function textureOf(colour: Colour, spread: number, draw: Stream): Texture {
  const second = likeColour(colour, spread, draw);
  const [angle, pace, phase] = [2 * Math.PI * draw.uniform(), 3 + 6 * draw.uniform(), 2 * Math.PI * draw.uniform()];
  const [cos, sin] = [Math.cos(angle), Math.sin(angle)];
  const along = (x: number, y: number) => pace * (cos * x + sin * y) + phase;
  const across = (x: number, y: number) => pace * (cos * y - sin * x) + phase;
  switch (draw.integer(4)) {
    case 0:
      return () => colour;
    case 1:
      return (x, y) => between(colour, second, Math.min(1, Math.max(0, 0.5 + 0.5 * (cos * x + sin * y))));
    case 2:
      return (x, y) => between(colour, second, 0.5 + 0.5 * Math.sin(along(x, y)));
    default:
      return (x, y) => between(colour, second, 0.5 + 0.5 * Math.sin(along(x, y)) * Math.sin(across(x, y)));
  }
}
