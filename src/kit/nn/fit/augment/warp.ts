/** @file Pictures read at other places than their own, between pixels bilinearly. */
import type { InputSpec } from '../../../model/model.ts';
import { axisOf, beginnings } from './axes.ts';

/** Where the new pixel (y, x) is read, in pixels from the centre of the picture. */
export type Source = (y: number, x: number) => readonly [y: number, x: number];

/** Every plane of a picture, its pixel (y, x) from the centre read at `source`; outside, the nearest pixel of the border. */
export function warped(values: Float32Array, spec: InputSpec, source: Source): Float32Array {
  const [h, w] = [axisOf(spec, 'H')!, axisOf(spec, 'W')!];
  const [middleY, middleX] = [(h.size - 1) / 2, (w.size - 1) / 2];
  const planes = beginnings(spec, 'HW');
  const out = new Float32Array(values.length);
  for (let y = 0; y < h.size; y++) {
    for (let x = 0; x < w.size; x++) {
      const [fromY, fromX] = source(y - middleY, x - middleX);
      const sy = Math.min(h.size - 1, Math.max(0, fromY + middleY));
      const sx = Math.min(w.size - 1, Math.max(0, fromX + middleX));
      const [top, left] = [Math.floor(sy), Math.floor(sx)];
      const [down, right] = [Math.min(h.size - 1, top + 1) * h.stride, Math.min(w.size - 1, left + 1) * w.stride];
      const [dy, dx] = [sy - top, sx - left];
      for (const plane of planes) {
        const upper = plane + top * h.stride;
        const lower = plane + down;
        const above = values[upper + left * w.stride]! * (1 - dx) + values[upper + right]! * dx;
        const below = values[lower + left * w.stride]! * (1 - dx) + values[lower + right]! * dx;
        out[plane + y * h.stride + x * w.stride] = above * (1 - dy) + below * dy;
      }
    }
  }
  return out;
}
