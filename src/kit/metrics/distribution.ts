/** @file Distributions of what was found: which share of all lies within so much. */

/** A value at which the share within it grows, and what it grows to. */
export interface Jump {
  readonly x: number;
  readonly share: number;
}

/**
 * The empirical distribution function of `values`, as its jumps in ascending order of x; values that are alike make one jump. Infinite values, and what `of`
 * counts beyond the values, are nowhere within reach: the last share may be below 1.
 */
export function distribution(values: readonly number[], of = values.length): Jump[] {
  const finite = values.filter(Number.isFinite).sort((a, b) => a - b);
  return finite.flatMap((x, k) => (finite[k + 1] === x ? [] : [{ x, share: (k + 1) / of }]));
}

/** The share within x, up to rounding of x. */
export const shareWithin = (jumps: readonly Jump[], x: number): number =>
  jumps.findLast((jump) => jump.x <= x * (1 + 1e-6))?.share ?? 0;
