/**
 * @file Takes needless changes back from an example.
 * prefix is the reduction of SDA (Lun et al., CVPR 2025): a binary search over one order for how many of its first changes can be restored together.
 * minimal goes on until no single change can be restored any more, which the last answers prove (prune); where its questions are not enough there is no proof.
 */
import { type Goal, reached } from '../../kit/losses/loss.ts';
import { argmax } from '../../kit/model/oracle.ts';
import { oneOf } from '../../kit/option-checks.ts';
import type { Facts } from './attack.ts';
import { type Answer, logits, type Question } from './frame/question.ts';
import { around } from './sparse-search/around.ts';
import { prune, prunePasses } from './sparse-search/prune.ts';

export type Reduction = 'none' | 'prefix' | 'minimal';

export const checkReduction = (how: string): string | undefined => oneOf(['none', 'prefix', 'minimal'], 'reduce', how);

export const aboutReduction =
  'what is done to a success: none; prefix: the least useful flips are restored, as many as a binary search over their order allows; minimal: then until no flip can be restored alone (minimal in the trace says where that is proven)';

/** The most forward passes a reduction of so many changes can cost. */
export function reductionPasses(how: Reduction, changes: number): number {
  if (how === 'none' || changes === 0) return 0;
  const search = Math.floor(Math.log2(changes)) + 1;
  return how === 'prefix' ? search : search + prunePasses(changes);
}

/** Elements that may change; a quarter of a million where that is not known. */
export const elementsOf = ({ elements = 2 ** 18 }: Facts): number => elements;

/** The same where any number of elements may have changed. */
export const anyReductionPasses = (how: Reduction, facts: Facts): number => reductionPasses(how, elementsOf(facts));

interface Example {
  readonly goal: Goal;
  /** An example: the goal is reached here. Not changed. */
  readonly u: Float32Array;
  /** Its changed elements, the least useful first. */
  readonly order: readonly number[];
  /** Queries that may still be asked: no question of `minimal` has more points. */
  readonly left?: () => number;
  /** Told the point of whose changes answers have proved that none can be restored alone. */
  readonly proven?: (u: Float32Array) => void;
  readonly done?: number;
}

/** The example with needless changes restored (u is 0 there): always an example itself. */
export function* reduced(how: Reduction, example: Example): Generator<Question, Float32Array, Answer> {
  if (how === 'none' || example.order.length === 0) return example.u;
  const begun = yield* prefixRestored(example);
  return how === 'prefix' ? begun.u : yield* minimal(begun);
}

/** As many of the first elements of the order restored as a binary search finds; it takes for granted that fewer can be where some can. */
export function* prefixRestored(example: Example): Generator<Question, Example, Answer> {
  const { goal, u, order, done } = example;
  let kept = 0;
  for (let low = 0, high = order.length - 1; low <= high; ) {
    const middle = Math.floor((low + high) / 2);
    const [z] = yield* logits([restored(u, order.slice(0, middle + 1))], done);
    if (reached(goal, argmax(z!))) {
      kept = middle + 1;
      low = middle + 1;
    } else high = middle - 1;
  }
  return { ...example, u: restored(u, order.slice(0, kept)), order: order.slice(kept) };
}

function* minimal({ goal, u, order, left = () => Number.POSITIVE_INFINITY, proven, done = 1 }: Example) {
  const points = around({ n: u.length, flip: u }, left);
  points.flip(Array.from(u.keys()).filter((i) => u[i] !== 0));
  // no worth is known: what comes first in the order is thought to be worth least
  const alone = yield* prune(goal, points, new Map(order.map((i, rank) => [i, rank + 1])), done);
  const result = points.u.slice();
  if (alone !== undefined) proven?.(result);
  return result;
}

function restored(u: Float32Array, elements: readonly number[]): Float32Array {
  const next = u.slice();
  for (const i of elements) next[i] = 0;
  return next;
}
