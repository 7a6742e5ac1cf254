/** @file The direction of a step whose length is decided elsewhere. */
import type { Stream } from '../../core/tensor/random.ts';

/**
 * The steepest ascent of unit length where element i is measured in units of metric[i] (0: it cannot move): v with sum (v_i / metric_i)^2 = 1, into `into`.
 * Returns whether the gradient had any direction; where it is zero, v is one drawn from `noise`.
 */
export function unitAscent(into: Float64Array, gradient: Float32Array, metric: Float64Array, noise: Stream): boolean {
  let sum = 0;
  for (let i = 0; i < into.length; i++) {
    const along = gradient[i]! * metric[i]!;
    sum += along * along;
  }
  const known = sum > 0;
  if (!known) sum = drawn(into, metric, noise);
  const length = Math.sqrt(sum);
  if (length === 0) return known;
  if (known) for (let i = 0; i < into.length; i++) into[i] = (gradient[i]! * metric[i]! * metric[i]!) / length;
  else for (let i = 0; i < into.length; i++) into[i] = (into[i]! * metric[i]!) / length;
  return known;
}

/** Normal numbers where something can move; returns the sum of their squares. */
function drawn(into: Float64Array, metric: Float64Array, noise: Stream): number {
  let sum = 0;
  for (let i = 0; i < into.length; i++) {
    const value = metric[i] === 0 ? 0 : noise.normal();
    into[i] = value;
    sum += value * value;
  }
  return sum;
}
