/** @file The search for few flips with few questions: a first example, then what chances say, what is needless is restored, and flips are exchanged. */
import { reached } from '../../../kit/losses/loss.ts';
import { argmax } from '../../../kit/model/oracle.ts';
import type { Flipping } from '../frame/flipping.ts';
import type { Answer, Attempt, Question } from '../frame/question.ts';
import type { Trial } from '../frame/walker.ts';
import type { Reduction } from '../reduce-flips.ts';
import { type Approach, approach, excess } from './approach.ts';
import { type Around, around, together } from './around.ts';
import { learned, samples } from './chances.ts';
import { exchange, exchangePasses } from './exchange.ts';
import { prune, prunePasses } from './prune.ts';

export interface Frugal extends Approach {
  /** Steps in which chances of flips are learned. */
  readonly steps: number;
  /** Tries to exchange flips of the example that is left. */
  readonly exchanges: number;
  /** What is done to the example: nothing, one search for a prefix, or that and singles until none can be restored. */
  readonly reduce: Reduction;
}

type Scene = Pick<Trial<Flipping>, 'goal' | 'space' | 'random' | 'left' | 'best' | 'proven'>;

export function* frugal(scene: Scene, options: Frugal): Attempt {
  const { goal, space } = scene;
  const points = around(space, scene.left);
  const first = yield* approach(scene, points, options);
  if (first === undefined || options.reduce === 'none') return;
  // fewer than one flip there cannot be, and without slopes nothing is learned
  const isLearned = points.count() > 1 && first.origin.worth > 0;
  const chances = isLearned ? yield* learned(scene, first.origin, options.steps) : undefined;
  const isSmaller = chances !== undefined && chances.flips.length < points.count();
  if (isSmaller) points.move(chances.flips);
  const { slope } = isSmaller ? chances : first;
  const worth = (i: number): number => slope[i]! * space.flip[i]!;
  const order = isSmaller ? chances.flips : points.all().sort((i, j) => worth(i) - worth(j) || i - j);
  const gone = yield* longest(scene, points, order.length - 1, (m) => order.slice(0, m), order.length / 8);
  points.flip(order.slice(0, gone));
  if (options.reduce !== 'minimal' || (!options.beyond && points.count() > excess * space.eps)) return;
  // what was seen on the way may be smaller, and prune goes on from the result
  points.flip(differing(points.u, scene.best()!.u));
  const alone = yield* prune(goal, points, new Map(points.all().map((i) => [i, worth(i)])), 0.8);
  if (alone === undefined) return;
  scene.proven(points.u);
  if (chances !== undefined) yield* exchange(scene, points, alone, chances.likely.slice(0, options.exchanges * together));
}

function* isExample({ goal }: Pick<Scene, 'goal'>, points: Around, change: readonly number[]) {
  const [z] = yield* points.logits([change], { done: 0.7 });
  return reached(goal, argmax(z!));
}

/** The largest m <= most for which `changeOf(m)` leaves an example, as halving finds it; 0 where there is none. The first m to be tried may be named. */
function* longest(
  scene: Pick<Scene, 'goal'>,
  points: Around,
  most: number,
  changeOf: (m: number) => readonly number[],
  first = most / 2,
): Generator<Question, number, Answer> {
  let [least, end] = [0, most];
  for (let middle = Math.ceil(first); least < end; middle = Math.ceil((least + end) / 2)) {
    const m = Math.min(end, Math.max(least + 1, middle));
    if (yield* isExample(scene, points, changeOf(m))) least = m;
    else end = m - 1;
  }
  return least;
}

/** The most forward passes, the gradients' included, where an example has up to `flips` flips. */
export function frugalForwards(
  { iterations, steps, exchanges, reduce }: Pick<Frugal, 'iterations' | 'steps' | 'exchanges' | 'reduce'>,
  flips: number,
): number {
  const halvings = Math.ceil(Math.log2(flips + 1)) + 2;
  // and where no gradient tells flips apart some of them one by one
  const found = iterations * (1 + Math.min(together, flips)) + 2;
  if (reduce === 'none') return found;
  const learning = found + samples * steps + halvings;
  return reduce === 'minimal' ? learning + prunePasses(flips) + exchanges * exchangePasses(flips) : learning;
}

function differing(a: Float32Array, b: Float32Array): number[] {
  const list: number[] = [];
  for (let i = 0; i < a.length; i++) if ((a[i] === 0) !== (b[i] === 0)) list.push(i);
  return list;
}
