/** @file Restores flips of an example until none can be restored alone, or too much has been asked. */
import { type Goal, leadOf, reached } from '../../../kit/losses/loss.ts';
import { argmax } from '../../../kit/model/oracle.ts';
import type { Answer, Question } from '../frame/question.ts';
import type { Around } from './around.ts';

/** Singles asked about at a time, at first; twice as many after every time that none could be restored. */
const first = 4;

/** Questions per flip after which restoring ends without the proof: 1.9 and 1.4 were the median on two trained networks, 3.5 the most. */
const patience = 32;

/**
 * `points` stands at an example; `worth` says of each of its flips by how much it is thought to lower the lead. At the end it stands at an example, and
 * returned is the lead without each of its flips, which proves that none can be restored alone: the last question about each was asked at that very point.
 * Nothing is returned where the questions did not suffice (`prunePasses`). A restored flip makes the answers about all others obsolete; but what was needed
 * among more flips is most often needed among fewer, so flips that never were are asked about first, and of those the ones whose lead was the least. Flips of
 * the very same worth are taken to be alike (values a network adds up before anything else, as pooling does): while one of them is known to be needed the
 * others wait for the proof.
 */
export function* prune(
  goal: Goal,
  points: Around,
  worth: ReadonlyMap<number, number>,
  done: number,
): Generator<Question, ReadonlyMap<number, number> | undefined, Answer> {
  const kind = new Map(worth);
  // those without worth have nothing in common; no other worth is as small as these
  for (const [i, value] of kind) if (value === 0) kind.set(i, -Number.MIN_VALUE * (i + 1));
  const lead = new Map([...kind.values()].map((value) => [value, value]));
  const leadAt = (i: number): number => lead.get(kind.get(i)!)!;
  const once = new Set<number>();
  const needed = new Map<number, number>();
  let size = first;
  let left = prunePasses(kind.size);
  while (needed.size < kind.size) {
    const waiting = foremostOf(kind, needed);
    const open = waiting.length > 0 ? waiting : [...kind.keys()].filter((i) => !needed.has(i));
    const asked = open.sort((i, j) => +once.has(i) - +once.has(j) || leadAt(i) - leadAt(j) || i - j).slice(0, size);
    if (asked.length + togetherPasses(asked.length) > left) return undefined;
    left -= asked.length;
    const answers = yield* points.logits(
      asked.map((i) => [i]),
      { done },
    );
    const leads = new Map<number, number>();
    const free: number[] = [];
    for (const [k, i] of asked.entries()) {
      const z = answers[k]!;
      leads.set(i, leadOf(goal, z));
      if (waiting.length > 0) lead.set(kind.get(i)!, leadOf(goal, z));
      if (reached(goal, argmax(z))) free.push(i);
      else {
        needed.set(i, leadOf(goal, z));
        once.add(i);
      }
    }
    size *= 2;
    if (free.length === 0) continue;
    // the first one leads to the smallest example so far, should no second one go with it
    const [head, ...tail] = free as [number, ...number[]];
    const list = [head, ...tail.sort((i, j) => leads.get(i)! - leads.get(j)! || i - j)];
    left -= togetherPasses(list.length);
    const { gone, missed } = yield* together(goal, points, list, done);
    points.flip(list.slice(0, gone));
    for (const i of list.slice(0, gone)) kind.delete(i);
    needed.clear();
    // with one more the goal was missed, so that one is needed now
    if (gone < list.length) {
      needed.set(list[gone]!, missed);
      once.add(list[gone]!);
    }
    size = first;
  }
  return needed;
}

/** Of every kind none of whose flips is known to be needed the first one. */
function foremostOf(kind: ReadonlyMap<number, number>, needed: ReadonlyMap<number, number>): number[] {
  const known = new Set([...needed.keys()].map((i) => kind.get(i)!));
  const list: number[] = [];
  for (const [i, value] of kind) {
    if (known.has(value)) continue;
    known.add(value);
    list.push(i);
  }
  return list;
}

/** How many of these, each of which can be restored alone, can be restored together: the first ones, at least one; and the lead with one more, which was too many. */
function* together(goal: Goal, points: Around, list: readonly number[], done: number) {
  let [gone, most] = [1, list.length];
  let missed = 0;
  // all of them, which is likely; then halves
  for (let middle = most; gone < most; middle = Math.ceil((gone + most) / 2)) {
    const [z] = yield* points.logits([list.slice(0, middle)], { done });
    if (reached(goal, argmax(z!))) gone = middle;
    else [most, missed] = [middle - 1, leadOf(goal, z!)];
  }
  return { gone, missed };
}

/** The most questions of `together`. */
const togetherPasses = (count: number): number => (count < 2 ? 0 : 1 + Math.ceil(Math.log2(count)));

/** The most questions about an example of so many flips. */
export function prunePasses(flips: number): number {
  return Math.min(patience * flips, (flips * (flips + 1)) / 2 + flips * togetherPasses(flips));
}
