import type { EventStream } from '../../events/stream.ts';

/** The recording as one of a sensor `factor` times as wide and high: pixel (x, y) becomes (factor x, factor y), so that a loader that merges blocks of pixels gets back what was filmed. */
export const spread = ({ width, height, x, y, p, t }: EventStream, factor: number): EventStream => ({
  width: factor * width,
  height: factor * height,
  x: x.map((v) => factor * v),
  y: y.map((v) => factor * v),
  p,
  t,
});
