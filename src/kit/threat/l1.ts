/** @file Sum of absolute changes. The projection is onto the ball and the bounds together: clipping after the ball alone wastes budget (Croce and Hein 2021, "Mind the box"). */
import { type Ball, exponential } from './ball.ts';

/**
 * The nearest point to u with sum |u_i| <= eps and |u_i| <= room(i, sign u_i): u_i = sign(u_i) min(max(|u_i| - lambda, 0), room_i).
 * The sum falls piecewise linearly in lambda, so lambda follows exactly from the sorted breakpoints |u_i| - room_i and |u_i|.
 */
const project: Ball['project'] = (u, eps, room) => {
  const cap = u.map((value, i) => Math.max(0, room(i, Math.sign(value))));
  const lambda = threshold(u, cap, eps);
  return u.map((value, i) => Math.sign(value) * Math.min(Math.max(Math.abs(value) - lambda, 0), cap[i]!));
};

function threshold(u: Float64Array, cap: Float64Array, eps: number): number {
  let sum = 0;
  const entering: number[] = [];
  const leaving: number[] = [];
  let free = 0;
  for (let i = 0; i < u.length; i++) {
    const size = Math.abs(u[i]!);
    if (size === 0 || cap[i] === 0) continue;
    sum += Math.min(size, cap[i]!);
    leaving.push(size);
    if (size > cap[i]!) entering.push(size - cap[i]!);
    else free++;
  }
  if (sum <= eps) return 0;
  if (eps === 0) return Number.POSITIVE_INFINITY;
  const starts = Float64Array.from(entering).sort();
  const ends = Float64Array.from(leaving).sort();
  let lambda = 0;
  let s = 0;
  for (const end of ends) {
    while (s < starts.length && starts[s]! < end) {
      const next = starts[s]!;
      if (sum - free * (next - lambda) <= eps) return lambda + (sum - eps) / free;
      sum -= free * (next - lambda);
      lambda = next;
      free++;
      s++;
    }
    if (sum - free * (end - lambda) <= eps) return lambda + (sum - eps) / free;
    sum -= free * (end - lambda);
    lambda = end;
    free--;
  }
  return lambda;
}

export const l1: Ball = {
  size: (u) => u.reduce((sum, value) => sum + Math.abs(value), 0),
  project,
  ascent(v, alpha) {
    const u = new Float64Array(v.length);
    let best = -1;
    let most = 0;
    for (let i = 0; i < v.length; i++) {
      if (Math.abs(v[i]!) > most) {
        best = i;
        most = Math.abs(v[i]!);
      }
    }
    if (best >= 0) u[best] = alpha * Math.sign(v[best]!);
    return u;
  },
  /** Exponentials over their sum plus one more are uniform in the simplex with its inside; the signs are fair coins. */
  draw(n, eps, stream) {
    const sizes = new Float64Array(n).map(() => exponential(stream));
    const total = sizes.reduce((sum, value) => sum + value, exponential(stream));
    return sizes.map((value) => (stream.bits() & 1 ? eps : -eps) * (value / total));
  },
};
