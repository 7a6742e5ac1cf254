/** @file Points that differ from one base in a few flips: asked about in pieces, in arrays that are written once and changed back. */
import type { Flipping } from '../frame/flipping.ts';
import type { Answer, Question } from '../frame/question.ts';

/** Most points of one question. */
export const together = 64;

/** Most numbers of one question. */
const room = 2 ** 23;

export interface Around {
  /** The base itself: not to be changed but by `flip`. */
  readonly u: Float32Array;
  /** Moves the base: flips elements, or changes them back where they are flipped. */
  flip(elements: Iterable<number>): void;
  /** Moves the base to where just these elements are flipped. */
  move(elements: Iterable<number>): void;
  /** Whether an element of the base is flipped. */
  flipped(element: number): boolean;
  /** How many are. */
  count(): number;
  /** Those that are, ascending. */
  all(): number[];
  /** Logits at the base with each list of elements flipped (or changed back); none of these points is the result if they are `scouting`. */
  logits(
    lists: readonly (readonly number[])[],
    how?: { readonly done?: number; readonly scouting?: true },
  ): Generator<Question, Float32Array[], Answer>;
}

/** The points around the original. A question asks about no more points than `left()`, but one at least. */
export function around({ n, flip }: Pick<Flipping, 'n' | 'flip'>, left: () => number): Around {
  const most = Math.max(1, Math.min(together, Math.floor(room / n)));
  const base = new Float32Array(n);
  const spare: Float32Array[] = [];
  let count = 0;
  const toggle = (u: Float32Array, i: number): void => {
    u[i] = u[i] === 0 ? flip[i]! : 0;
  };
  const change: Around['flip'] = (elements) => {
    for (const i of elements) {
      toggle(base, i);
      count += base[i] === 0 ? -1 : 1;
      for (const u of spare) toggle(u, i);
    }
  };
  return {
    u: base,
    flip: change,
    move(elements) {
      const wanted = new Set(elements);
      for (let i = 0; i < n; i++) if ((base[i] !== 0) !== wanted.has(i)) change([i]);
    },
    flipped: (i) => base[i] !== 0,
    count: () => count,
    all() {
      const list: number[] = [];
      for (let i = 0; i < n; i++) if (base[i] !== 0) list.push(i);
      return list;
    },
    *logits(lists, how = {}) {
      const answers: Float32Array[] = [];
      while (answers.length < lists.length) {
        const size = Math.min(lists.length - answers.length, most, Math.max(1, left()));
        const some = lists.slice(answers.length, answers.length + size);
        while (spare.length < size) spare.push(base.slice());
        const at = spare.slice(0, size);
        some.forEach((list, k) => {
          for (const i of list) toggle(at[k]!, i);
        });
        answers.push(...(yield { ask: 'logits', at, ...how }).logits);
        some.forEach((list, k) => {
          for (const i of list) toggle(at[k]!, i);
        });
      }
      return answers;
    },
  };
}
