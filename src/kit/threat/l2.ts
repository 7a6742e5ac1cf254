/** @file Euclidean length. */
import type { Ball } from './ball.ts';

function length(u: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < u.length; i++) sum += u[i]! * u[i]!;
  return Math.sqrt(sum);
}

function times(u: Float64Array, factor: number): Float64Array {
  for (let i = 0; i < u.length; i++) u[i]! *= factor;
  return u;
}

/** u scaled to the length given; zeros stay zeros. A gradient of float32 has no square below the smallest float64, so nothing underflows. */
function scaledTo(u: Float64Array, target: number): Float64Array {
  const size = length(u);
  return size === 0 ? u : times(u, target / size);
}

export const l2: Ball = {
  size: length,
  project(u, eps) {
    const size = length(u);
    return size <= eps ? u : times(u, eps / size);
  },
  ascent: scaledTo,
  draw(n, eps, stream) {
    const direction = new Float64Array(n);
    for (let i = 0; i < n; i++) direction[i] = stream.normal();
    return scaledTo(direction, eps * stream.uniform() ** (1 / n));
  },
};
