import type { GraphBuilder } from '../builder.ts';

/**
 * A float16 value of `rank` axes, unchanged. The runtime drops a Cast to float16 with the Cast to float32 that follows it, and so the rounding of the file's own
 * inputs and outputs; behind this Reshape, which it takes to move float16 numbers, it does not see the pair.
 */
export const keepRounding = (g: Pick<GraphBuilder, 'op' | 'ints'>, value: string, rank: number): string =>
  rank === 0 ? value : g.op('Reshape', [value, g.ints(new Array<number>(rank).fill(0))]);
