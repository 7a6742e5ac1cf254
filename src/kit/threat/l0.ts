/** @file The number of changed elements (not pixels: each channel counts). A budget of 2.5 elements is one of 2. */
import { type Ball, largest } from './ball.ts';

export const l0: Ball = {
  size(u) {
    let count = 0;
    for (let i = 0; i < u.length; i++) if (u[i] !== 0) count++;
    return count;
  },
  /** Keeping coordinate i, clipped to c_i, lowers the squared distance by u_i^2 - (u_i - c_i)^2: the largest gains stay. */
  project(u, eps, room) {
    const clipped = u.map((value, i) => Math.sign(value) * Math.min(Math.abs(value), Math.max(0, room(i, Math.sign(value)))));
    const gain = u.map((value, i) => clipped[i]! * (2 * value - clipped[i]!));
    const kept = largest(gain, Math.floor(eps));
    return clipped.map((value, i) => (kept[i] ? value : 0));
  },
  /** alpha counts elements: those that gain most by crossing their whole range do so; the projection clips them to the bounds. */
  ascent(v, alpha, reach) {
    const chosen = largest(
      v.map((value, i) => Math.abs(value) * reach(i)),
      Math.floor(alpha),
    );
    return v.map((value, i) => (chosen[i] ? Math.sign(value) * reach(i) : 0));
  },
  /** Uniform among the subsets of floor(eps) elements; each then moves uniformly within its range. */
  draw(n, eps, stream, reach) {
    const order = Int32Array.from({ length: n }, (_, i) => i);
    const u = new Float64Array(n);
    for (let k = 0; k < Math.min(n, Math.floor(eps)); k++) {
      const other = k + stream.integer(n - k);
      const i = order[other]!;
      order[other] = order[k]!;
      order[k] = i;
      u[i] = reach(i) * (2 * stream.uniform() - 1);
    }
    return u;
  },
};
