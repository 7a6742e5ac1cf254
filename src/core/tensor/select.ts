/** @file One order statistic without sorting the rest. */

/** The value that would be at index k of the values in ascending order; changes their order. Expected linear time (Hoare's selection, median of three). */
export function nthSmallest(values: Float64Array, k: number): number {
  if (!(k >= 0 && k < values.length)) throw new Error(`there is no value of rank ${k} among ${values.length}`);
  let from = 0;
  let to = values.length - 1;
  while (from < to) {
    const pivot = middle(values[from]!, values[(from + to) >>> 1]!, values[to]!);
    let i = from;
    let j = to;
    while (i <= j) {
      while (values[i]! < pivot) i++;
      while (values[j]! > pivot) j--;
      if (i > j) break;
      const held = values[i]!;
      values[i++] = values[j]!;
      values[j--] = held;
    }
    if (k <= j) to = j;
    else if (k >= i) from = i;
    else break;
  }
  return values[k]!;
}

const middle = (a: number, b: number, c: number): number => Math.max(Math.min(a, b), Math.min(Math.max(a, b), c));
