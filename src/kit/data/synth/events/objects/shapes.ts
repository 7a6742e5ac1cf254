/** @file Ten shapes by their signed distance: below 0 inside, in units in which a shape fills about the square -1..1, y downwards. */
import type { Point } from '../canvas.ts';

export interface Shape {
  readonly name: string;
  distance(x: number, y: number): number;
}

const corners = (n: number, radius: (i: number) => number): Point[] =>
  Array.from({ length: n }, (_, i) => {
    const angle = (2 * Math.PI * i) / n - Math.PI / 2;
    return [radius(i) * Math.cos(angle), radius(i) * Math.sin(angle)];
  });

/** Distance to the outline of a polygon, negative inside (even-odd rule). */
function polygon(points: readonly Point[]): Shape['distance'] {
  return (x, y) => {
    let nearest = Number.POSITIVE_INFINITY;
    let inside = false;
    for (const [i, [ax, ay]] of points.entries()) {
      const [bx, by] = points[(i + 1) % points.length]!;
      const [dx, dy, px, py] = [bx - ax, by - ay, x - ax, y - ay];
      const along = Math.min(1, Math.max(0, (px * dx + py * dy) / (dx * dx + dy * dy)));
      nearest = Math.min(nearest, (px - along * dx) ** 2 + (py - along * dy) ** 2);
      if (ay > y !== by > y && x < ax + (dx * (y - ay)) / dy) inside = !inside;
    }
    return (inside ? -1 : 1) * Math.sqrt(nearest);
  };
}

const disc =
  (radius: number, cx = 0, cy = 0): Shape['distance'] =>
  (x, y) =>
    Math.hypot(x - cx, y - cy) - radius;

const heart: Point[] = Array.from({ length: 32 }, (_, i) => {
  const t = (2 * Math.PI * i) / 32;
  const y = 13 * Math.cos(t) - 5 * Math.cos(2 * t) - 2 * Math.cos(3 * t) - Math.cos(4 * t);
  return [(16 / 17) * Math.sin(t) ** 3, -(y + 2) / 16];
});

const arm = 0.32;

/** In the alphabetical order of their names, which is that of their class codes. */
export const shapes: readonly Shape[] = [
  {
    name: 'arrow',
    distance: polygon([
      [0.95, 0],
      [0.1, -0.8],
      [0.1, -0.3],
      [-0.9, -0.3],
      [-0.9, 0.3],
      [0.1, 0.3],
      [0.1, 0.8],
    ]),
  },
  {
    name: 'crescent',
    distance: (x, y) => Math.max(disc(0.95)(x, y), -disc(0.8, 0.45)(x, y)),
  },
  {
    name: 'cross',
    distance: polygon([
      [-arm, -0.95],
      [arm, -0.95],
      [arm, -arm],
      [0.95, -arm],
      [0.95, arm],
      [arm, arm],
      [arm, 0.95],
      [-arm, 0.95],
      [-arm, arm],
      [-0.95, arm],
      [-0.95, -arm],
      [-arm, -arm],
    ]),
  },
  { name: 'disc', distance: disc(0.85) },
  { name: 'heart', distance: polygon(heart) },
  { name: 'hexagon', distance: polygon(corners(6, () => 0.95)) },
  { name: 'ring', distance: (x, y) => Math.abs(Math.hypot(x, y) - 0.68) - 0.24 },
  { name: 'square', distance: polygon(corners(4, () => 1.05)) },
  { name: 'star', distance: polygon(corners(10, (i) => (i % 2 === 0 ? 1.05 : 0.45))) },
  { name: 'triangle', distance: polygon(corners(3, () => 1.05)) },
];

export const shapeNames: readonly string[] = shapes.map(({ name }) => name);
