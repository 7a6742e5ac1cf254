/** @file A gradient step, its projection, momentum and one more projection in as few walks over memory as there are sums to wait for: APGD's inner loop. */

/** What every element may be changed to on its own. */
export interface Ends {
  readonly low: Float32Array;
  readonly high: Float32Array;
}

export interface MomentumStep {
  readonly eps: number;
  /** Length of the gradient step. */
  readonly length: number;
  /** Weight of the step; one minus it is that of the move before. */
  readonly keep: number;
}

/** Chosen by index: a branch would be mispredicted for every other element, and a sum with weights 0 and 1 spoils infinite ends. */
const choice = new Float64Array(3);

/** next = P(u + keep (P(u + length sign g) - u) + (1 - keep) (u - before)), where P clips to the ends, which are inside the ball. */
export function momentumLinf(
  next: Float32Array,
  u: Float32Array,
  before: Float32Array,
  gradient: Float32Array,
  { low, high }: Ends,
  { length, keep }: MomentumStep,
): void {
  const step = Math.fround(length);
  const rest = 1 - keep;
  for (let i = 0; i < next.length; i++) {
    const at = u[i]!;
    const slope = gradient[i]!;
    const least = low[i]!;
    const most = high[i]!;
    const stepped = Math.fround(at + step * (+(slope > 0) - +(slope < 0)));
    choice[0] = stepped;
    choice[1] = most;
    choice[2] = least;
    const clipped = choice[+(stepped > most) + 2 * +(stepped < least)]!;
    const moved = Math.fround(at + keep * (clipped - at) + rest * (at - before[i]!));
    choice[0] = moved;
    next[i] = choice[+(moved > most) + 2 * +(moved < least)]!;
  }
}

/** The same in l2: the step is length g / |g|, and P shrinks to length eps before it clips to the ends. */
export function momentumL2(
  next: Float32Array,
  u: Float32Array,
  before: Float32Array,
  gradient: Float32Array,
  { low, high }: Ends,
  { eps, length, keep }: MomentumStep,
): void {
  const n = next.length;
  let slope = 0;
  for (let i = 0; i < n; i++) slope += gradient[i]! * gradient[i]!;
  const pace = slope === 0 ? 0 : length / Math.sqrt(slope);
  let size = 0;
  for (let i = 0; i < n; i++) {
    const stepped = Math.fround(u[i]! + Math.fround(gradient[i]! * pace));
    next[i] = stepped;
    size += stepped * stepped;
  }
  const inner = shrinking(size, eps);
  const rest = 1 - keep;
  size = 0;
  for (let i = 0; i < n; i++) {
    const at = u[i]!;
    const least = low[i]!;
    const most = high[i]!;
    const stepped = Math.fround(next[i]! * inner);
    choice[0] = stepped;
    choice[1] = most;
    choice[2] = least;
    const clipped = choice[+(stepped > most) + 2 * +(stepped < least)]!;
    const moved = Math.fround(at + keep * (clipped - at) + rest * (at - before[i]!));
    next[i] = moved;
    size += moved * moved;
  }
  const outer = shrinking(size, eps);
  for (let i = 0; i < n; i++) {
    const least = low[i]!;
    const most = high[i]!;
    const moved = Math.fround(next[i]! * outer);
    choice[0] = moved;
    choice[1] = most;
    choice[2] = least;
    next[i] = choice[+(moved > most) + 2 * +(moved < least)]!;
  }
}

/** By what a vector of this squared length is multiplied to be no longer than eps. */
function shrinking(squared: number, eps: number): number {
  const size = Math.sqrt(squared);
  return size <= eps ? 1 : eps / size;
}
