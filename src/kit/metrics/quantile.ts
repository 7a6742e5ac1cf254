/** Of ascending values, between neighbours by a straight line; infinite where a neighbour it leans on is. Throws where there are none. */
export function quantile(sorted: ArrayLike<number>, share: number): number {
  if (sorted.length === 0) throw new Error('nothing has no quantile');
  const place = share * (sorted.length - 1);
  const below = Math.floor(place);
  const low = sorted[below]!;
  const high = sorted[Math.min(below + 1, sorted.length - 1)]!;
  return low === high || place === below ? low : low + (place - below) * (high - low);
}

/** Of values in any order; a failure counts as infinite. */
export const median = (values: readonly number[]): number =>
  quantile(
    [...values].sort((a, b) => a - b),
    0.5,
  );
