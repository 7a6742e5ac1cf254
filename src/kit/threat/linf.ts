/** @file The largest change of a coordinate. */
import type { Ball } from './ball.ts';

export const linf: Ball = {
  size(u) {
    let max = 0;
    for (const value of u) max = Math.max(max, Math.abs(value));
    return max;
  },
  project: (u, eps) => u.map((value) => Math.min(eps, Math.max(-eps, value))),
  ascent: (v, alpha) => v.map((value) => alpha * Math.sign(value)),
  draw: (n, eps, stream) => new Float64Array(n).map(() => eps * (2 * stream.uniform() - 1)),
};
