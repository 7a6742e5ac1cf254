/**
 * @file How each of the seven expressions moves the 68 points, and the shades skin and mouth get with it. The directions are those of the muscle
 * movements textbooks name (corners of the lips up, brows down and together ...); the sizes were chosen by eye on 48 x 48 pictures. They are
 * caricatures of photographed faces, not observed expressions.
 */
import { mirrored, type Point } from './shape.ts';

/** A soft dark line from a to b. */
export interface Crease {
  readonly a: Point;
  readonly b: Point;
  /** Share of light it takes at full strength. */
  readonly depth: number;
}

export interface Expression {
  /** As FER2013 spells it. */
  readonly name: string;
  /** Shifts (x outwards, y down) of the left half's and the middle's points at full strength; the right half mirrors them. */
  readonly shifts: Readonly<Record<number, readonly [number, number]>>;
  /** Creases of the left half, mirrored. */
  readonly creases: readonly Crease[];
  /** Share of the opened mouth's height that shows teeth. */
  readonly teeth: number;
}

/** What a face is drawn from: its 68 points, and how strongly which expression is shown. */
export interface Target {
  readonly label: number;
  readonly strength: number;
  readonly shape: readonly Point[];
}

type Shifts = Record<number, readonly [number, number]>;

/** The same shift for several points. */
const all = (points: readonly number[], x: number, y: number): Shifts =>
  Object.fromEntries(points.map((i) => [i, [x, y] as const]));

const brow = [17, 18, 19, 20, 21];
const upperLid = [37, 38];
const lowerLid = [40, 41];

/** The jaw falls by y: chin, and the flanks less and less. */
const jaw = (y: number): Shifts => ({ 8: [0, y], 7: [0, 0.95 * y], 6: [0, 0.75 * y], 5: [-0.02, 0.5 * y], 4: [0, 0.25 * y] });

const crease = (a: readonly [number, number], b: readonly [number, number], depth: number): Crease => ({
  a: { x: a[0], y: a[1] },
  b: { x: b[0], y: b[1] },
  depth,
});

/** In the order of FER2013's codes. */
export const expressions: readonly Expression[] = [
  {
    name: 'Angry',
    shifts: {
      17: [0, -0.03],
      18: [0, 0],
      19: [-0.02, 0.09],
      20: [-0.05, 0.18],
      21: [-0.09, 0.24],
      ...all(upperLid, 0, 0.045),
      ...all(lowerLid, 0, -0.02),
      31: [0.03, -0.02],
      48: [-0.07, 0.05],
      60: [-0.07, 0.05],
      49: [-0.03, 0.06],
      50: [0, 0.06],
      51: [0, 0.06],
      59: [-0.03, -0.05],
      58: [0, -0.06],
      57: [0, -0.06],
    },
    creases: [crease([-0.11, -0.3], [-0.09, -0.06], 0.25)],
    teeth: 0,
  },
  {
    name: 'Disgust',
    shifts: {
      ...all(brow, 0, 0.08),
      20: [-0.02, 0.11],
      21: [-0.03, 0.12],
      ...all(upperLid, 0, 0.03),
      ...all(lowerLid, 0, -0.05),
      30: [0, -0.06],
      31: [0.07, -0.12],
      32: [0.03, -0.1],
      33: [0, -0.07],
      48: [0.03, 0.06],
      60: [0.03, 0.05],
      49: [0.06, -0.13],
      50: [0.01, -0.14],
      51: [0, -0.13],
      61: [0, -0.09],
      62: [0, -0.09],
      67: [0, 0.02],
      66: [0, 0.02],
      58: [0, 0.03],
      57: [0, 0.03],
    },
    creases: [
      crease([-0.28, 0.6], [-0.58, 1.05], 0.32),
      crease([-0.14, 0.16], [0, 0.12], 0.22),
      crease([-0.15, 0.3], [0, 0.27], 0.18),
    ],
    teeth: 0.6,
  },
  {
    name: 'Fear',
    shifts: {
      17: [0, -0.04],
      18: [0, -0.1],
      19: [0, -0.15],
      20: [-0.03, -0.19],
      21: [-0.08, -0.21],
      ...all(upperLid, 0, -0.08),
      ...all(lowerLid, 0, 0.01),
      48: [0.17, 0.07],
      60: [0.18, 0.07],
      49: [0.12, 0.03],
      50: [0.04, 0],
      59: [0.12, 0.12],
      58: [0.04, 0.15],
      57: [0, 0.15],
      61: [0.05, -0.01],
      62: [0, -0.01],
      67: [0.05, 0.15],
      66: [0, 0.15],
      ...jaw(0.08),
    },
    creases: [crease([-0.4, -0.62], [0, -0.64], 0.25)],
    teeth: 0.45,
  },
  {
    name: 'Happy',
    shifts: {
      ...all(upperLid, 0, 0.02),
      ...all(lowerLid, 0, -0.04),
      31: [0.04, -0.01],
      48: [0.16, -0.17],
      60: [0.16, -0.16],
      49: [0.1, -0.06],
      50: [0.03, 0],
      51: [0, 0.02],
      59: [0.1, 0.02],
      58: [0.03, 0.08],
      57: [0, 0.09],
      61: [0.05, 0],
      62: [0, 0.02],
      67: [0.05, 0.13],
      66: [0, 0.15],
      ...jaw(0.03),
    },
    creases: [crease([-0.3, 0.72], [-0.66, 0.98], 0.3)],
    teeth: 0.85,
  },
  {
    name: 'Sad',
    shifts: {
      17: [0, 0.08],
      18: [0, 0.04],
      19: [0, -0.04],
      20: [-0.02, -0.14],
      21: [-0.05, -0.22],
      37: [0, 0.06],
      38: [0, 0.02],
      48: [-0.02, 0.19],
      60: [-0.02, 0.18],
      49: [0, 0.05],
      50: [0, -0.02],
      51: [0, -0.02],
      59: [-0.03, 0.05],
      58: [0, 0],
      57: [0, -0.02],
    },
    creases: [crease([-0.48, 1.34], [-0.54, 1.5], 0.25), crease([-0.14, -0.52], [0, -0.56], 0.25)],
    teeth: 0,
  },
  {
    name: 'Surprise',
    shifts: {
      ...all(brow, 0, -0.24),
      17: [0, -0.15],
      ...all(upperLid, 0, -0.08),
      ...all(lowerLid, 0, 0.04),
      48: [-0.13, 0.14],
      60: [-0.13, 0.14],
      49: [-0.08, 0],
      50: [-0.01, -0.04],
      51: [0, -0.03],
      59: [-0.06, 0.35],
      58: [0, 0.42],
      57: [0, 0.43],
      61: [0.02, -0.03],
      62: [0, -0.04],
      67: [0.02, 0.4],
      66: [0, 0.42],
      ...jaw(0.36),
    },
    creases: [crease([-0.5, -0.78], [0, -0.8], 0.25), crease([-0.45, -0.93], [0, -0.95], 0.2)],
    teeth: 0.12,
  },
  { name: 'Neutral', shifts: {}, creases: [], teeth: 0 },
];

/** The shape after an expression of a strength: 0 leaves it, 1 is full. `lopsided` in -1..1 gives one half more than the other. */
export function express(shape: readonly Point[], { shifts }: Expression, strength: number, lopsided = 0): Point[] {
  return shape.map((point, i) => {
    const right = shifts[i] === undefined;
    const shift = shifts[i] ?? shifts[mirrored[i]!];
    if (shift === undefined) return point;
    const centred = mirrored[i] === i;
    const amount = strength * (1 + (centred ? 0 : right ? 0.25 : -0.25) * lopsided);
    const outward = centred ? 0 : right ? 1 : -1;
    return { x: point.x + outward * amount * shift[0], y: point.y + amount * shift[1] };
  });
}
