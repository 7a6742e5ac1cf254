/** @file The ten digits as lines of a pen, in about the square -1..1, y downwards, and how they differ from hand to hand. */
import type { Stream } from '../../../../../core/tensor/random.ts';
import type { Point } from '../canvas.ts';

/** Lines of a digit; each is a run of points. */
export type Strokes = readonly (readonly Point[])[];

/** Part of an ellipse, angles in degrees, 0 to the right, 90 downwards. */
function arc(cx: number, cy: number, rx: number, ry: number, from: number, to: number): Point[] {
  const steps = Math.max(4, Math.ceil(Math.abs(to - from) / 24));
  return Array.from({ length: steps + 1 }, (_, i) => {
    const angle = ((from + ((to - from) * i) / steps) * Math.PI) / 180;
    return [cx + rx * Math.cos(angle), cy + ry * Math.sin(angle)];
  });
}

/** Each digit in the ways people write it. */
const digits: readonly (readonly Strokes[])[] = [
  [[arc(0, 0, 0.58, 0.92, -90, 270)]],
  [
    [
      [
        [0, -0.9],
        [0, 0.9],
      ],
    ],
    [
      [
        [-0.35, -0.5],
        [0.08, -0.9],
        [0.08, 0.9],
      ],
    ],
  ],
  [[[...arc(0, -0.42, 0.52, 0.48, -165, 40), [-0.55, 0.88], [0.58, 0.88]]]],
  [
    [[...arc(-0.02, -0.45, 0.46, 0.44, -150, 90), ...arc(-0.02, 0.42, 0.54, 0.47, -90, 150)]],
    [[[-0.45, -0.88], [0.45, -0.88], [0, -0.15], ...arc(-0.02, 0.38, 0.54, 0.52, -80, 150)]],
  ],
  [
    [
      [
        [0.1, -0.9],
        [-0.58, 0.28],
        [0.58, 0.28],
      ],
      [
        [0.22, -0.25],
        [0.22, 0.9],
      ],
    ],
    [
      [
        [-0.45, -0.85],
        [-0.5, 0.05],
        [0.45, 0.05],
      ],
      [
        [0.42, -0.85],
        [0.38, 0.9],
      ],
    ],
  ],
  [[[[0.5, -0.88], [-0.38, -0.88], [-0.44, -0.12], ...arc(-0.02, 0.36, 0.52, 0.52, -120, 140)]]],
  [[[[0.3, -0.9], [-0.25, -0.45], [-0.48, 0.2], ...arc(0, 0.42, 0.47, 0.46, 180, 520)]]],
  [
    [
      [
        [-0.52, -0.86],
        [0.52, -0.86],
        [-0.12, 0.9],
      ],
    ],
    [
      [
        [-0.52, -0.86],
        [0.52, -0.86],
        [-0.12, 0.9],
      ],
      [
        [-0.25, 0.05],
        [0.45, 0.05],
      ],
    ],
  ],
  [[arc(0, -0.45, 0.42, 0.43, 90, 450), arc(0, 0.44, 0.5, 0.46, -90, 270)]],
  [[[...arc(0, -0.42, 0.47, 0.46, 0, -360), [0.42, 0.3], [0.2, 0.9]]]],
];

export const digitNames: readonly string[] = digits.map((_, digit) => String(digit));

/** A digit as one hand writes it once: a way of writing it, slanted, stretched, turned, and bent by slow waves. */
export function writtenDigit(digit: number, wobble: number, draw: Stream): Strokes {
  const ways = digits[digit]!;
  const strokes = ways[draw.integer(ways.length)]!;
  const [slant, turn] = [0.22 * draw.normal(), 0.14 * draw.normal()];
  const [wide, high] = [Math.exp(0.16 * draw.normal()), Math.exp(0.08 * draw.normal())];
  const waves = [0, 1].map(() => ({
    pace: 1 + 1.6 * draw.uniform(),
    phase: 2 * Math.PI * draw.uniform(),
    size: wobble * draw.normal(),
  }));
  const [cos, sin] = [Math.cos(turn), Math.sin(turn)];
  return strokes.map((line) =>
    line.map(([x, y]): Point => {
      const [u, v] = [wide * x - slant * y, high * y];
      const bentU = u + waves[0]!.size * Math.sin(waves[0]!.pace * v + waves[0]!.phase);
      const bentV = v + waves[1]!.size * Math.sin(waves[1]!.pace * u + waves[1]!.phase);
      return [cos * bentU - sin * bentV, sin * bentU + cos * bentV];
    }),
  );
}
