/** @file How far every element may go on its own, exact in float32, and what that means for inputs that hold only two values. */
import { isBinary } from '../../../kit/threat/grid.ts';
import { lpThreat } from '../../../kit/threat/lp.ts';
import type { Part } from '../frame/space.ts';

export interface Ends {
  /** <= 0 <= high; both 0 where an element cannot change. */
  readonly low: Float32Array;
  readonly high: Float32Array;
  /** Elements that can change. */
  readonly free: number;
}

/** Larger than any value a signal holds, and finite in float32 after additions. */
const far = 2 ** 100;

/**
 * The smallest and largest change of each element within mask and bounds, in linf within the budget too; about 2^100 without bounds.
 * In a binary input an element flips or stays: the change to the other value where that is allowed, else 0.
 */
export function endsOf({ x, threat }: Pick<Part, 'x' | 'threat'>): Ends {
  const { norm, eps, input, mask, scale } = threat;
  const n = x.length;
  const alone = norm === 'linf' ? threat : lpThreat(input, { norm: 'linf', eps: far, ...(mask === undefined ? {} : { mask }) });
  const reach = Float32Array.from({ length: n }, (_, i) => (norm === 'linf' ? 2 * eps * (scale?.[i] ?? 1) : far));
  const high = alone.project(x, reach);
  const low = alone.project(
    x,
    reach.map((r) => -r),
  );
  const { lower, upper } = threat.box;
  if (isBinary(input)) {
    for (let i = 0; i < n; i++) {
      const [zero, one] = Number.isFinite(lower[i]!) ? [lower[i]!, upper[i]!] : [0, 1];
      const flip = (x[i]! - zero < one - x[i]! ? one : zero) - x[i]!;
      const allowed = flip > 0 ? high[i]! >= flip : low[i]! <= flip;
      high[i] = allowed ? Math.max(0, flip) : 0;
      low[i] = allowed ? Math.min(0, flip) : 0;
    }
  }
  let free = 0;
  for (let i = 0; i < n; i++) if (low[i] !== 0 || high[i] !== 0) free++;
  return { low, high, free };
}
