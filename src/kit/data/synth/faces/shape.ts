/**
 * @file The face all synthetic expressions start from: 68 points (iBUG order) in a frame whose origin lies between the eyes and whose unit is
 * the distance of the eyes' centres; x to the picture's right, y down.
 * It is the mean of the faces face-api's net finds in its package's photos, made symmetric, with the mouth closed and level.
 */

export interface Point {
  readonly x: number;
  readonly y: number;
}

/** Points of the picture's left half, by index in iBUG order. */
const left: Readonly<Record<number, readonly [number, number]>> = {
  0: [-1.22, -0.02],
  1: [-1.2, 0.29],
  2: [-1.15, 0.58],
  3: [-1.08, 0.85],
  4: [-0.95, 1.13],
  5: [-0.77, 1.37],
  6: [-0.57, 1.54],
  7: [-0.34, 1.7],
  17: [-0.94, -0.27],
  18: [-0.79, -0.36],
  19: [-0.6, -0.38],
  20: [-0.43, -0.35],
  21: [-0.27, -0.3],
  31: [-0.2, 0.75],
  32: [-0.11, 0.78],
  36: [-0.69, 0],
  37: [-0.59, -0.06],
  38: [-0.42, -0.06],
  39: [-0.3, 0.02],
  40: [-0.42, 0.06],
  41: [-0.58, 0.06],
  48: [-0.42, 1.13],
  49: [-0.28, 1.05],
  50: [-0.1, 1.01],
  59: [-0.27, 1.23],
  58: [-0.13, 1.29],
  60: [-0.38, 1.13],
  61: [-0.13, 1.12],
  67: [-0.13, 1.13],
};

const middle: Readonly<Record<number, number>> = {
  8: 1.8,
  27: 0.05,
  28: 0.27,
  29: 0.48,
  30: 0.67,
  33: 0.81,
  51: 1.03,
  57: 1.31,
  62: 1.12,
  66: 1.13,
};

/** Pairs of points that a mirror exchanges. */
const pairs: readonly (readonly [number, number])[] = [
  ...Array.from({ length: 8 }, (_, i) => [i, 16 - i] as const),
  ...Array.from({ length: 5 }, (_, i) => [17 + i, 26 - i] as const),
  ...([31, 32] as const).map((i) => [i, 66 - i] as const),
  ...[
    [36, 45],
    [37, 44],
    [38, 43],
    [39, 42],
    [40, 47],
    [41, 46],
    [48, 54],
    [49, 53],
    [50, 52],
    [59, 55],
    [58, 56],
    [60, 64],
    [61, 63],
    [67, 65],
  ].map(([a, b]) => [a!, b!] as const),
];

/** mirrored[i]: the point that a mirror puts where i was. */
export const mirrored: readonly number[] = (() => {
  const out = Array.from({ length: 68 }, (_, i) => i);
  for (const [a, b] of pairs) [out[a], out[b]] = [b, a];
  return out;
})();

export const neutralShape: readonly Point[] = Array.from({ length: 68 }, (_, i) => {
  if (middle[i] !== undefined) return { x: 0, y: middle[i] };
  const own = left[i];
  if (own !== undefined) return { x: own[0], y: own[1] };
  const [x, y] = left[mirrored[i]!]!;
  return { x: -x, y };
});

/** Position in the picture of the frame's points: scale, turn and origin. */
export interface Placement {
  /** Centre between the eyes. */
  readonly origin: Point;
  /** Vector from the left eye's centre to the right one's. */
  readonly across: Point;
}

const centre = (points: readonly Point[]): Point => ({
  x: points.reduce((sum, p) => sum + p.x, 0) / points.length,
  y: points.reduce((sum, p) => sum + p.y, 0) / points.length,
});

/** Where 68 points put the frame. */
export function placementOf(points: readonly Point[]): Placement {
  const [a, b] = [centre(points.slice(36, 42)), centre(points.slice(42, 48))];
  return { origin: { x: (a.x + b.x) / 2, y: (a.y + b.y) / 2 }, across: { x: b.x - a.x, y: b.y - a.y } };
}

/** A point of the picture in the frame. */
export function toFrame({ origin, across }: Placement, p: Point): Point {
  const size = across.x ** 2 + across.y ** 2;
  const [x, y] = [p.x - origin.x, p.y - origin.y];
  return { x: (x * across.x + y * across.y) / size, y: (y * across.x - x * across.y) / size };
}

/** A point of the frame in the picture. */
export const toPicture = ({ origin, across }: Placement, p: Point): Point => ({
  x: origin.x + p.x * across.x - p.y * across.y,
  y: origin.y + p.x * across.y + p.y * across.x,
});
