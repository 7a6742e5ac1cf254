/**
 * @file Takes needless changes back from an example.
 * prefix is the reduction of SDA (Lun et al., CVPR 2025): a binary search over one order for how many of its first changes can be restored together.
 * minimal goes on until no single change can be restored any more, which the last answers prove: which changes can be restored alone is asked in batches,
 * then as many of these as possible are restored together, and so on. Where 32 rounds or the queries are not enough there is no proof.
 */
import { type Goal, leadOf, reached } from '../../kit/losses/loss.ts';
import { argmax } from '../../kit/model/oracle.ts';
import { oneOf } from '../../kit/option-checks.ts';
import type { Facts } from './attack.ts';
import { type Answer, logits, type Question } from './frame/question.ts';

export type Reduction = 'none' | 'prefix' | 'minimal';

export const checkReduction = (how: string): string | undefined => oneOf(['none', 'prefix', 'minimal'], 'reduce', how);

export const aboutReduction =
  'what is done to a success: none; prefix: the least useful flips are restored, as many as a binary search over their order allows; minimal: then until no flip can be restored alone (minimal in the trace says where that is proven)';

/** Most rounds of `minimal`: each restores what it can, or is the last. */
const rounds = 32;

/** The most forward passes a reduction of so many changes can cost. */
export function reductionPasses(how: Reduction, changes: number): number {
  if (how === 'none' || changes === 0) return 0;
  const search = Math.floor(Math.log2(changes)) + 1;
  return how === 'prefix' ? search : search + rounds * (changes + search);
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
  /** Points of one question at most. */
  readonly together?: number;
  /** Queries that may still be asked. */
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

function* minimal(example: Example): Generator<Question, Float32Array, Answer> {
  let now = example;
  /** Those that could be restored alone a moment ago; the others are asked again only when none of these is left. */
  let likely = now.order;
  for (let round = 0; round < rounds; round++) {
    const alone = yield* restorable(now, likely);
    if (alone.length === 0 && likely.length === now.order.length) {
      now.proven?.(now.u);
      break;
    }
    const { u, order: left } = yield* prefixRestored({ ...now, order: alone });
    const gone = new Set(alone.slice(0, alone.length - left.length));
    now = { ...now, u, order: now.order.filter((i) => !gone.has(i)) };
    likely = left.length === 0 ? now.order : left;
  }
  return now.u;
}

/** Which of these can be restored alone, that one first without which the goal is reached by most. */
function* restorable(
  { goal, u, together = 64, left = () => together, done }: Example,
  which: readonly number[],
): Generator<Question, number[], Answer> {
  const found: { readonly i: number; readonly lead: number }[] = [];
  const size = Math.max(1, Math.min(together, Math.floor(room / u.length)));
  for (let from = 0; from < which.length; ) {
    const some = which.slice(from, from + Math.max(1, Math.min(size, left())));
    from += some.length;
    const at = some.map((i) => restored(u, [i]));
    // scouting: of several equally small examples the one that is gone on from must be the result, and the search that follows asks about it again
    const { logits: answers } = yield { ask: 'logits', at, scouting: true, ...(done === undefined ? {} : { done }) };
    for (const [k, z] of answers.entries()) if (reached(goal, argmax(z))) found.push({ i: some[k]!, lead: leadOf(goal, z) });
  }
  // sorting is stable: the order decides among equals
  return found.sort((a, b) => a.lead - b.lead).map(({ i }) => i);
}

/** Most numbers of one question. */
const room = 2 ** 23;

function restored(u: Float32Array, elements: readonly number[]): Float32Array {
  const next = u.slice();
  for (const i of elements) next[i] = 0;
  return next;
}
