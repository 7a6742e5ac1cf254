/** @file Exchanges flips of an example no flip of which can be restored: likely ones are tried for what they are worth there, and some take the place of more. */
import { leadOf } from '../../../kit/losses/loss.ts';
import type { Flipping } from '../frame/flipping.ts';
import type { Answer, Question } from '../frame/question.ts';
import type { Trial } from '../frame/walker.ts';
import { type Around, together } from './around.ts';
import { prune, prunePasses } from './prune.ts';

/** How many flips are added at a time: as many of these as promise to make most others needless. */
const added = [1, 2, 3, 4, 6, 8];

/**
 * `points` stands at an example, `alone` is the lead without each of its flips; `candidates` are tried in their order, so many at a time. A try asks for the
 * lead with each candidate, for that with the best of them together, and restores (prune) what those make needless. `points` ends at the smallest example,
 * about which the same is known, which is returned. Ends where candidates or questions do.
 */
export function* exchange(
  { goal, left, proven }: Pick<Trial<Flipping>, 'goal' | 'left' | 'proven'>,
  points: Around,
  alone: ReadonlyMap<number, number>,
  candidates: readonly number[],
): Generator<Question, ReadonlyMap<number, number>, Answer> {
  let now = alone;
  if (candidates.length === 0) return now;
  const [here] = yield* points.logits([[]], { done: 0.9 });
  let lead = leadOf(goal, here!);
  for (let from = 0; from < candidates.length; from += together) {
    const some = candidates.slice(from, from + together).filter((i) => !points.flipped(i));
    // restoring asks about every flip once at least
    if (left() < some.length + added.length + points.count()) return now;
    const done = 0.9 + (0.1 * from) / candidates.length;
    const leads = (yield* points.logits(
      some.map((i) => [i]),
      { done },
    )).map((z) => leadOf(goal, z));
    const order = some
      .map((i, k) => ({ i, lead: leads[k]! }))
      .filter((one) => one.lead < lead)
      .sort((a, b) => a.lead - b.lead)
      .map(({ i }) => i);
    const sets = added.filter((count) => count <= order.length).map((count) => order.slice(0, count));
    const joint = (yield* points.logits(sets, { done })).map((z) => leadOf(goal, z));
    const set = sets[bestOf(sets, joint, now, lead)];
    if (set === undefined) continue;
    const before = points.all();
    points.flip(set);
    // in the order in which they are to be restored; all different, for equal leads do not make flips alike
    const last = [...[...now].sort(([, a], [, b]) => a - b).map(([i]) => i), ...set.toReversed()];
    const worth = new Map(last.map((i, rank) => [i, rank + 1]));
    const after = yield* prune(goal, points, worth, done);
    const [z] = yield* points.logits([[]], { done });
    const reachedBy = leadOf(goal, z!);
    if (after !== undefined && (after.size < before.length || (after.size === before.length && reachedBy < lead))) {
      [now, lead] = [after, reachedBy];
      proven(points.u);
    } else points.move(before);
  }
  return now;
}

/** Which set makes most flips needless beyond its own, if leads added up; -1 where none does. */
function bestOf(
  sets: readonly (readonly number[])[],
  joint: readonly number[],
  alone: ReadonlyMap<number, number>,
  lead: number,
): number {
  const losses = [...alone.values()].map((without) => without - lead).sort((a, b) => a - b);
  const gains = sets.map(({ length }, k) => {
    let slack = -joint[k]!;
    let needless = 0;
    while (needless < losses.length && slack >= losses[needless]!) slack -= losses[needless++]!;
    return needless - length;
  });
  const most = Math.max(0, ...gains);
  return most === 0 ? -1 : gains.indexOf(most);
}

/** The most questions of a try with an example of so many flips. */
export const exchangePasses = (flips: number): number => together + added.length + prunePasses(flips + added.at(-1)!) + 1;
