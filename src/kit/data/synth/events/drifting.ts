/** @file A still scene that is moved before the camera, as printed or shown pictures are when event data are made from them. */
import type { Frame } from './camera.ts';
import { type Canvas, canvasOf, type Point } from './canvas.ts';

/** A picture of more than the camera sees, square. */
export interface Still {
  readonly canvas: Canvas;
  /** Samples to a pixel of the camera in both directions. */
  readonly fineness: number;
}

/** An even still for a camera of `size` pixels and movements of up to `margin` pixels, to be painted on. */
export function blankStill(size: number, margin: number, fineness: number, intensity: number): Still {
  const side = fineness * (size + 2 * margin) + 1;
  const canvas = canvasOf(side, side);
  canvas.values.fill(intensity);
  return { canvas, fineness };
}

export interface Course {
  /** Width and height of the camera. */
  readonly size: number;
  readonly margin: number;
  /** Seconds. */
  readonly duration: number;
  /** Pictures per second. */
  readonly rate: number;
  /** Pixels by which the scene is to the right and below at a time in seconds, at most `margin` each. */
  shift(time: number): Point;
}

/** What the camera sees, interpolated between the samples. */
export function* drifting({ canvas, fineness }: Still, { size, margin, duration, rate, shift }: Course): Generator<Frame> {
  const { width: side, values } = canvas;
  const intensity = new Float32Array(size * size);
  const frames = Math.round(duration * rate);
  for (let k = 0; k <= frames; k++) {
    const time = (duration * k) / frames;
    const [dx, dy] = shift(time);
    const [x, y] = [fineness * (margin + 0.5 - dx), fineness * (margin + 0.5 - dy)];
    const [left, top] = [Math.floor(x), Math.floor(y)];
    const [u, v] = [x - left, y - top];
    const weights = [(1 - u) * (1 - v), u * (1 - v), (1 - u) * v, u * v] as const;
    for (let row = 0; row < size; row++) {
      for (let column = 0, at = (top + fineness * row) * side + left; column < size; column++, at += fineness)
        intensity[row * size + column] =
          weights[0] * values[at]! +
          weights[1] * values[at + 1]! +
          weights[2] * values[at + side]! +
          weights[3] * values[at + side + 1]!;
    }
    yield { time: Math.round(1e6 * time), intensity };
  }
}
