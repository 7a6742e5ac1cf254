/** @file What a warp cannot make: the dark and the teeth of a mouth that was closed in the photo, and the creases of the skin. */
import { expressions, type Target } from './expressions.ts';
import type { Point } from './shape.ts';

/** Value of a point of the frame, from the value the photo has there. */
export type Shade = (x: number, y: number, value: number) => number;

/** Width of the mouth's soft edge and of a crease, in eye distances. */
const soft = 0.03;
const creaseWidth = 0.055;

/** An inner mouth lower than this is closed lips: nothing is painted. */
const closed = 0.05;

/** The shades of an expression in the frame of its face. */
export function shadesOf({ label, strength, shape }: Target): Shade {
  const { creases, teeth } = expressions[label]!;
  const lines = creases.flatMap(({ a, b, depth }) => [
    { a, b, depth: depth * strength },
    { a: flip(a), b: flip(b), depth: depth * strength },
  ]);
  const upper = [60, 61, 62, 63, 64].map((i) => shape[i]!);
  const lower = [60, 67, 66, 65, 64].map((i) => shape[i]!);
  const open = shape[66]!.y - shape[62]!.y > closed;
  return (x, y, value) => {
    let out = value;
    for (const { a, b, depth } of lines) {
      const square = distance2(x, y, a, b);
      if (square < 9 * creaseWidth ** 2) out *= 1 - depth * Math.exp(-square / (2 * creaseWidth ** 2));
    }
    if (!open || x < upper[0]!.x || x > upper[4]!.x) return out;
    const [top, bottom] = [heightAt(upper, x), heightAt(lower, x)];
    const cover = step((y - top) / soft) * step((bottom - y) / soft);
    if (cover === 0) return out;
    const bite = step((top + teeth * (bottom - top) - y) / soft + 0.5);
    const inside = 0.06 + 0.66 * bite;
    return out + cover * (inside - out);
  };
}

const flip = ({ x, y }: Point): Point => ({ x: -x, y });

/** 0 below 0, 1 above 1, smooth between. */
function step(v: number): number {
  const u = Math.min(1, Math.max(0, v));
  return u * u * (3 - 2 * u);
}

/** Height of a line of points, from left to right, at x. */
function heightAt(points: readonly Point[], x: number): number {
  for (let i = 1; i < points.length; i++) {
    const [a, b] = [points[i - 1]!, points[i]!];
    if (x <= b.x) return a.y + ((b.y - a.y) * (x - a.x)) / Math.max(1e-6, b.x - a.x);
  }
  return points.at(-1)!.y;
}

/** Squared distance of a point from the line a..b. */
function distance2(x: number, y: number, a: Point, b: Point): number {
  const [dx, dy] = [b.x - a.x, b.y - a.y];
  const share = Math.min(1, Math.max(0, ((x - a.x) * dx + (y - a.y) * dy) / (dx * dx + dy * dy)));
  return (x - a.x - share * dx) ** 2 + (y - a.y - share * dy) ** 2;
}
