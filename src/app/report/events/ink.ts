import type { Colour } from '../indexed-png.ts';

/** Numbers of colours. Added is orange and filled, deleted blue and hollow, so that neither colour alone has to be told. */
export const ink = { none: 0, off: 1, on: 2, added: 3, deleted: 4, rule: 5, few: 6, some: 7, many: 8 } as const;

/** Seen on light and on dark paper. */
export const palette: readonly Colour[] = [
  [0, 0, 0, 0],
  [128, 134, 142, 105],
  [128, 134, 142, 230],
  [232, 96, 10, 255],
  [24, 134, 214, 255],
  [128, 134, 142, 90],
  [128, 134, 142, 95],
  [128, 134, 142, 160],
  [128, 134, 142, 230],
];

/** Side of the square a marked pixel takes. */
export const side = 3;

export interface Canvas {
  readonly width: number;
  readonly height: number;
  readonly pixels: Uint8Array;
}

export const canvas = (width: number, height: number): Canvas => ({ width, height, pixels: new Uint8Array(width * height) });

/** A filled rectangle; what lies beyond the edges is cut off. */
export function fill(
  { width, height, pixels }: Canvas,
  left: number,
  top: number,
  wide: number,
  high: number,
  colour: number,
): void {
  for (let y = Math.max(0, top); y < Math.min(height, top + high); y++)
    pixels.fill(colour, y * width + Math.max(0, left), y * width + Math.min(width, left + wide));
}

/** A square of the marked size without its middle, in which `inside` shows. */
export function ring(on: Canvas, left: number, top: number, inside: number): void {
  fill(on, left, top, side, side, ink.deleted);
  fill(on, left + 1, top + 1, 1, 1, inside);
}
