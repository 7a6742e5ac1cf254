/** @file Euclidean length. */
import type { Ball } from './ball.ts';

const length = (u: Float64Array): number => {
  let sum = 0;
  for (const value of u) sum += value * value;
  return Math.sqrt(sum);
};

/** u scaled to the length given; zeros stay zeros. A gradient may be tiny, so it is brought to unit maximum before squaring. */
function scaledTo(u: Float64Array, target: number): Float64Array {
  let max = 0;
  for (const value of u) max = Math.max(max, Math.abs(value));
  if (max === 0) return new Float64Array(u.length);
  const unit = u.map((value) => value / max);
  const factor = target / length(unit);
  return unit.map((value) => value * factor);
}

export const l2: Ball = {
  size: length,
  project(u, eps) {
    const size = length(u);
    return size <= eps ? u : u.map((value) => value * (eps / size));
  },
  ascent: scaledTo,
  draw(n, eps, stream) {
    const direction = new Float64Array(n).map(() => stream.normal());
    return scaledTo(direction, eps * stream.uniform() ** (1 / n));
  },
};
