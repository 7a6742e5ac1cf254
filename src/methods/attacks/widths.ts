/** @file How wide the world of a sample is: papers give step lengths for pixels between 0 and 1, so elsewhere they are taken as shares of a width. */
import type { Inputs } from '../../kit/model/model.ts';
import type { Joint } from './frame/joint.ts';

/**
 * The width of every element in the units of u: from bound to bound, 0 where it cannot move. An element without two bounds has the width of the uniform
 * distribution that spreads as the input's own free values do, sqrt(12) standard deviations (in units of the scale, where there is one); 1 where they are all equal.
 */
export function widthsOf(space: Joint): Float64Array {
  const { n, low, high, parts } = space;
  const widths = new Float64Array(n);
  let unbounded = false;
  for (let i = 0; i < n; i++) {
    widths[i] = high[i]! - low[i]!;
    if (widths[i] === Number.POSITIVE_INFINITY) unbounded = true;
  }
  if (!unbounded) return widths;
  const unit = unitsOf(space);
  for (const { from, to, x } of parts) {
    const spread = spreadOf(x, unit.subarray(from, to));
    for (let i = from; i < to; i++) if (widths[i] === Number.POSITIVE_INFINITY) widths[i] = spread;
  }
  return widths;
}

/** The root mean square of the widths of elements that can move; 1 where none can. */
export function widthOf(widths: Float64Array): number {
  let sum = 0;
  let count = 0;
  for (let i = 0; i < widths.length; i++) {
    if (widths[i] === 0) continue;
    sum += widths[i]! ** 2;
    count++;
  }
  return count === 0 ? 1 : Math.sqrt(sum / count);
}

/** widthOf for every element that can move, 0 for the others. */
export function evened(widths: Float64Array): Float64Array {
  const width = widthOf(widths);
  return widths.map((w) => (w === 0 ? 0 : width));
}

/** What one unit of u is worth in every element of the input, 0 where it cannot move: the slope of the sum of all elements along u. */
export const unitsOf = ({ parts, pull }: Pick<Joint, 'parts' | 'pull'>): Float32Array =>
  pull(Object.fromEntries(parts.map(({ name, x }): [string, Float32Array] => [name, x.map(() => 1)])) as Inputs);

function spreadOf(x: Float32Array, unit: Float32Array): number {
  let sum = 0;
  let count = 0;
  for (let i = 0; i < x.length; i++) {
    if (unit[i] === 0) continue;
    sum += x[i]! / unit[i]!;
    count++;
  }
  const mean = sum / count;
  let squares = 0;
  for (let i = 0; i < x.length; i++) if (unit[i] !== 0) squares += (x[i]! / unit[i]! - mean) ** 2;
  return squares === 0 ? 1 : Math.sqrt((12 * squares) / count);
}
