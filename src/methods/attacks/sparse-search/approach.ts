/** @file The way to a first example: gradients choose, how much of what they promised came true says how much to choose next. */
import { leadOf, reached } from '../../../kit/losses/loss.ts';
import { argmax } from '../../../kit/model/oracle.ts';
import { type Flipping, flippable } from '../frame/flipping.ts';
import { type Answer, gradients, type Question } from '../frame/question.ts';
import type { Trial } from '../frame/walker.ts';
import { losses } from '../option-checks.ts';
import { type Around, together } from './around.ts';
import type { Origin } from './chances.ts';
import { foremost, promising, ranked } from './ranks.ts';

export interface Approach {
  /** Flips of the first step. */
  readonly k: number;
  /** Gradients at most. */
  readonly iterations: number;
  /** Whether examples beyond the budget are worth looking for. */
  readonly beyond: boolean;
}

/** A step aims at this share of the way that is left, and has at most `growth` times the flips of the one before. */
const share = 0.5;
const growth = 4;

/** Without `beyond`: so many times the budget's flips are tried, for about half of them turn out needless. */
export const excess = 4;

/** What was met on the way. */
export interface Reached {
  /** The slope at the example of what is maximised. */
  readonly slope: Float32Array;
  readonly origin: Origin;
}

type Scene = Pick<Trial<Flipping>, 'goal' | 'space' | 'random'>;

/**
 * Flips what promises most at each gradient until the goal is reached. How many is learnt from how much of what was promised came true: half of what seems to be
 * missing, so that nearly all of it is chosen by gradients that were taken close to the boundary.
 */
export function* approach(
  scene: Scene,
  points: Around,
  { k, iterations, beyond }: Approach,
): Generator<Question, Reached | undefined, Answer> {
  const { goal, space, random } = scene;
  const loss = losses.margin!(goal);
  const noise = random(0).fork('noise');
  let origin: Origin | undefined;
  const most = beyond ? space.n : excess * space.eps;
  let step = k;
  let before: { readonly lead: number; readonly promised: number } | undefined;
  let trust: number | undefined;
  for (let n = 0; n < iterations; n++) {
    const answer = yield* gradients([points.u], [loss], (0.5 * n) / iterations);
    const slope = answer.gradient[0]!;
    const z = answer.logits[0]!;
    const lead = leadOf(goal, z);
    // where the original has no slope, that of the first point which has one says what a flip is worth
    if (origin === undefined || origin.worth === 0) origin = { lead: origin?.lead ?? lead, worth: meanWorth(space, slope) };
    if (reached(goal, argmax(z))) return { slope, origin };
    const limit = Math.ceil(growth * step);
    const room = most - points.count();
    const ranks = promising(space, points.u, slope);
    const order = foremost(ranks, Math.min(n === 0 ? k : Math.ceil(limit / share), room));
    if (order.length === 0) {
      if (room <= 0) return undefined;
      const drawn = foremost(ranked(space, points.u, slope, noise), Math.min(step, room, together));
      points.flip(yield* harmless(scene, points, drawn, lead));
      [step, before] = [limit, undefined];
      continue;
    }
    if (before !== undefined) {
      const kept = Math.max(0, (before.lead - lead) / before.promised);
      trust = trust === undefined ? kept : (trust + kept) / 2;
      let missing = 0;
      for (let sum = 0; missing < order.length && trust * sum < lead; missing++) sum += ranks[order[missing]!]!;
      step = Math.max(1, Math.min(Math.ceil(missing * share), limit));
    }
    const chosen = order.slice(0, step);
    before = { lead, promised: chosen.reduce((sum, i) => sum + ranks[i]!, 0) };
    points.flip(chosen);
  }
  const [z] = yield* points.logits([[]], { done: 0.5 });
  if (!reached(goal, argmax(z!))) return undefined;
  const { gradient } = yield* gradients([points.u], [loss], 0.5);
  return { slope: gradient[0]!, origin: origin! };
}

/** Where no gradient tells flips apart: those of the drawn ones that do not raise the lead alone, as in the paper. */
function* harmless({ goal }: Scene, points: Around, drawn: readonly number[], lead: number) {
  const answers = yield* points.logits(
    drawn.map((i) => [i]),
    { done: 0.2 },
  );
  return drawn.filter((_, k) => leadOf(goal, answers[k]!) <= lead);
}

/** Of the flips that may be made, the mean size of what they are worth to first order. */
function meanWorth(space: Flipping, slope: Float32Array): number {
  const elements = flippable(space);
  return elements.reduce((sum, i) => sum + Math.abs(slope[i]! * space.flip[i]!), 0) / elements.length;
}
