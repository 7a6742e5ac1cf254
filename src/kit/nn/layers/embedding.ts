/** @file A vector for every word of a vocabulary. */
import { type Initialiser, normal } from '../initialisers.ts';
import type { Layer } from '../net.ts';

/** ids int64 [N, ...], each at least 0 and below `count`, to [N, ..., size]: rows of `weight` [count, size]. */
export const embedding =
  (count: number, size: number, { initialise = normal(1) }: { readonly initialise?: Initialiser } = {}): Layer =>
  (net, ids) => ({
    name: net.g.op('Gather', [net.parameter('weight', [count, size], initialise), ids.name], { axis: 0 }),
    shape: [...ids.shape, size],
  });
