/** @file Restores flips of an example until none can be restored alone. */
import { type Goal, leadOf, reached } from '../../../kit/losses/loss.ts';
import { argmax } from '../../../kit/model/oracle.ts';
import type { Attempt } from '../frame/question.ts';
import type { Around } from './around.ts';

/** Singles asked about at a time, at first; twice as many after every time that none could be restored. */
const first = 4;

/**
 * `points` stands at an example; `expected` says of each of its flips what the lead is thought to be without it. At the end it stands at an example from
 * which no flip can be restored alone: the last question about each of its flips was asked at that very point. A restored flip makes the answers about
 * all others obsolete, so those are asked about first whose lead was the least when they were asked about last.
 */
export function* prune(goal: Goal, points: Around, expected: ReadonlyMap<number, number>, done: number): Attempt {
  const lead = new Map(expected);
  const needed = new Set<number>();
  let size = first;
  while (needed.size < lead.size) {
    const open = [...lead].filter(([i]) => !needed.has(i)).sort(([i, a], [j, b]) => a - b || i - j);
    const asked = open.slice(0, size).map(([i]) => i);
    const answers = yield* points.logits(
      asked.map((i) => [i]),
      { done },
    );
    const free: number[] = [];
    for (const [k, i] of asked.entries()) {
      const z = answers[k]!;
      lead.set(i, leadOf(goal, z));
      if (reached(goal, argmax(z))) free.push(i);
      else needed.add(i);
    }
    size *= 2;
    if (free.length === 0) continue;
    // the first one leads to the smallest example so far, should no second one go with it
    const [head, ...tail] = free as [number, ...number[]];
    const list = [head, ...tail.sort((i, j) => lead.get(i)! - lead.get(j)! || i - j)];
    const gone = yield* together(goal, points, list, done);
    points.flip(list.slice(0, gone));
    for (const i of list.slice(0, gone)) lead.delete(i);
    needed.clear();
    // with one more the goal was missed, so that one is needed now
    if (gone < list.length) needed.add(list[gone]!);
    size = first;
  }
}

/** How many of these, each of which can be restored alone, can be restored together: the first ones, at least one; one more would be too many. */
function* together(goal: Goal, points: Around, list: readonly number[], done: number) {
  let [least, most] = [1, list.length];
  // all of them, which is likely; then halves
  for (let middle = most; least < most; middle = Math.ceil((least + most) / 2)) {
    const [z] = yield* points.logits([list.slice(0, middle)], { done });
    if (reached(goal, argmax(z!))) least = middle;
    else most = middle - 1;
  }
  return least;
}
