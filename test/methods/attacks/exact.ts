/** @file The smallest change that alters the class of a linear model, by bisection: slow, plain, and not what the attacks do. */
import type { FlatNorm } from '../../../src/methods/attacks/hyperplane.ts';

export interface Room {
  readonly low: readonly number[];
  readonly high: readonly number[];
}

/** The smallest norm of a d within the room with <w, d> >= gap > 0; Infinity where there is none. */
export function smallest(norm: FlatNorm, w: readonly number[], gap: number, { low, high }: Room): number {
  const elements = w
    .map((slope, i) => ({ steep: Math.abs(slope), room: slope > 0 ? high[i]! : -low[i]! }))
    .filter(({ steep }) => steep > 0);
  /** The largest <w, d> of a d that costs no more than `budget`; in l2, of multiplier `budget`. */
  const lengths = (budget: number): number[] => {
    if (norm === 'linf') return elements.map(({ room }) => Math.min(room, budget));
    if (norm === 'l2') return elements.map(({ steep, room }) => Math.min(room, budget * steep));
    const order = elements.map((_, i) => i).sort((a, b) => elements[b]!.steep - elements[a]!.steep);
    const taken = elements.map(() => 0);
    let left = budget;
    for (const i of order) {
      taken[i] = Math.min(elements[i]!.room, left);
      left -= taken[i]!;
    }
    return taken;
  };
  const gain = (budget: number): number => lengths(budget).reduce((sum, length, i) => sum + length * elements[i]!.steep, 0);
  let most = 1;
  while (gain(most) < gap) {
    most *= 2;
    if (most > 1e9) return Number.POSITIVE_INFINITY;
  }
  let least = 0;
  for (let k = 0; k < 100; k++) {
    const middle = (least + most) / 2;
    if (gain(middle) < gap) least = middle;
    else most = middle;
  }
  const found = lengths(most);
  return norm === 'linf'
    ? Math.max(...found)
    : norm === 'l2'
      ? Math.hypot(...found)
      : found.reduce((sum, length) => sum + length, 0);
}

/** The same for the nearest of several classes: from class `label` of z = W x + b at x. */
export function smallestOverClasses(
  norm: FlatNorm,
  weights: readonly (readonly number[])[],
  bias: readonly number[],
  x: Float32Array,
  label: number,
  room: Room,
): number {
  const z = weights.map((row, c) => row.reduce((sum, w, i) => sum + w * x[i]!, bias[c]!));
  return Math.min(
    ...weights.flatMap((row, c) =>
      c === label
        ? []
        : [
            smallest(
              norm,
              row.map((w, i) => w - weights[label]![i]!),
              z[label]! - z[c]!,
              room,
            ),
          ],
    ),
  );
}
