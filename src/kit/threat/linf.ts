/** @file The largest change of a coordinate. */
import type { Ball } from './ball.ts';

export const linf: Ball = {
  size(u) {
    let max = 0;
    for (let i = 0; i < u.length; i++) max = Math.max(max, Math.abs(u[i]!));
    return max;
  },
  project(u, eps) {
    // not min and max: their branches are mispredicted for every other element, a division is cheaper
    for (let i = 0; i < u.length; i++) {
      const value = u[i]!;
      const size = Math.abs(value);
      if (size > eps) u[i] = eps * (value / size);
    }
    return u;
  },
  ascent(v, alpha) {
    // not Math.sign: it branches on a sign that is as good as random
    for (let i = 0; i < v.length; i++) {
      const value = v[i]!;
      v[i] = alpha * (+(value > 0) - +(value < 0));
    }
    return v;
  },
  draw(n, eps, stream) {
    const u = new Float64Array(n);
    for (let i = 0; i < n; i++) u[i] = eps * (2 * stream.uniform() - 1);
    return u;
  },
};
