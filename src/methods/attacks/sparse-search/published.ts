/** @file The search of the Sparse Dynamic Attack as it is published: generation by gradients and finite differences, then one reduction. */
import { type Goal, leadOf, reached } from '../../../kit/losses/loss.ts';
import { crossEntropyOf } from '../../../kit/losses/score-loss.ts';
import { argmax } from '../../../kit/model/oracle.ts';
import type { Flipping } from '../frame/flipping.ts';
import { type Attempt, gradients } from '../frame/question.ts';
import type { Trial } from '../frame/walker.ts';
import { losses } from '../option-checks.ts';
import { type Reduction, reduced, reductionPasses } from '../reduce-flips.ts';
import { around } from './around.ts';
import { foremost, ranked } from './ranks.ts';

export interface Published {
  /** Candidates of the first iteration; iteration n has n + 1 times as many. */
  readonly k: number;
  readonly iterations: number;
  /** Whether candidates are asked about one by one, and those taken that do not raise the loss; else all are taken. */
  readonly differences: boolean;
  readonly reduce: Reduction;
}

/**
 * Flips every candidate whose flip alone does not raise the loss (the lead of the label, 0 once it has fallen; with a target its cross-entropy) until the
 * goal is reached, then restores the longest prefix it can, in the order of what the flips were worth when they were accepted.
 */
export function* published(
  { goal, space, random, left, proven }: Pick<Trial<Flipping>, 'goal' | 'space' | 'random' | 'left' | 'proven'>,
  { k, iterations, differences, reduce }: Published,
): Attempt {
  const steepest = goal.kind === 'targeted' ? losses.ce!(goal) : losses.margin!(goal);
  const noise = random(0).fork('noise');
  const points = around(space, left);
  /** Of the flips so far: by how much each changed the loss when it was accepted. */
  const worth = new Map<number, number>();
  let [z] = yield* points.logits([[]], { done: 0 });
  for (let n = 0; n < iterations; n++) {
    const done = n / iterations;
    const { gradient } = yield* gradients([points.u], [steepest], done);
    const ranks = ranked(space, points.u, gradient[0]!, noise);
    const candidates = foremost(ranks, (n + 1) * k);
    if (candidates.length === 0) return;
    const before = lossOf(goal, z!);
    const after = yield* points.logits(differences ? candidates.map((i) => [i]) : [], { done, scouting: true });
    const accepted: number[] = [];
    for (const [c, i] of candidates.entries()) {
      const change = differences ? lossOf(goal, after[c]!) - before : -ranks[i]!;
      if (change > 0) continue;
      accepted.push(i);
      worth.set(i, change);
    }
    points.flip(accepted);
    [z] = yield* points.logits([[]], { done });
    if (!reached(goal, argmax(z!))) continue;
    const order = [...worth].sort(([i, a], [j, b]) => Math.abs(a) - Math.abs(b) || i - j).map(([i]) => i);
    yield* reduced(reduce, { goal, u: points.u, order, left, proven, done: 1 });
    return;
  }
}

/** The most forward passes of a search that looks at `elements`. */
export function publishedForwards({ k, iterations, differences, reduce }: Published, elements: number): number {
  let forwards = 1 + 2 * iterations;
  for (let n = 0; n < iterations; n++) forwards += differences ? Math.min((n + 1) * k, elements) : 0;
  return forwards + reductionPasses(reduce, Math.min(elements, (k * iterations * (iterations + 1)) / 2));
}

/** What is minimised. */
const lossOf = (goal: Goal, z: Float32Array): number =>
  goal.kind === 'targeted' ? crossEntropyOf(z, goal.target) : Math.max(0, leadOf(goal, z));
