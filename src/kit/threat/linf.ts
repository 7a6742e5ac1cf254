/** @file The largest change of a coordinate. */
import type { Ball } from './ball.ts';

export const linf: Ball = {
  size(u) {
    let max = 0;
    for (let i = 0; i < u.length; i++) max = Math.max(max, Math.abs(u[i]!));
    return max;
  },
  project(u, eps) {
    const near = new Float64Array(u.length);
    for (let i = 0; i < u.length; i++) near[i] = Math.min(eps, Math.max(-eps, u[i]!));
    return near;
  },
  ascent(v, alpha) {
    const step = new Float64Array(v.length);
    for (let i = 0; i < v.length; i++) step[i] = alpha * Math.sign(v[i]!);
    return step;
  },
  draw(n, eps, stream) {
    const u = new Float64Array(n);
    for (let i = 0; i < n; i++) u[i] = eps * (2 * stream.uniform() - 1);
    return u;
  },
};
