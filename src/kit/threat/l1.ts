/** @file Sum of absolute changes. The projection is onto the ball and the bounds together: clipping after the ball alone wastes budget (Croce and Hein 2021, "Mind the box"). */
import { type Ball, exponential } from './ball.ts';

/**
 * The nearest point to u with sum |u_i| <= eps and |u_i| <= room(i, sign u_i): u_i = sign(u_i) min(max(|u_i| - lambda, 0), room_i).
 * The sum falls piecewise linearly in lambda, so lambda follows exactly from the sorted breakpoints |u_i| - room_i and |u_i|.
 */
const project: Ball['project'] = (u, eps, room) => {
  const cap = new Float64Array(u.length);
  for (let i = 0; i < u.length; i++) cap[i] = Math.max(0, room(i, Math.sign(u[i]!)));
  const lambda = threshold(u, cap, eps);
  const near = new Float64Array(u.length);
  for (let i = 0; i < u.length; i++) near[i] = Math.sign(u[i]!) * Math.min(Math.max(Math.abs(u[i]!) - lambda, 0), cap[i]!);
  return near;
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
  size(u) {
    let sum = 0;
    for (let i = 0; i < u.length; i++) sum += Math.abs(u[i]!);
    return sum;
  },
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
    const u = new Float64Array(n);
    let total = exponential(stream);
    for (let i = 0; i < n; i++) {
      u[i] = exponential(stream);
      total += u[i]!;
    }
    for (let i = 0; i < n; i++) u[i]! *= (stream.bits() & 1 ? eps : -eps) / total;
    return u;
  },
};
