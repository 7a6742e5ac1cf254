/** @file The search for few flips with few questions: gradients lead to an example, their sum chooses ever fewer flips, what is needless is restored. */
import { leadOf, reached } from '../../../kit/losses/loss.ts';
import { argmax } from '../../../kit/model/oracle.ts';
import type { Flipping } from '../frame/flipping.ts';
import { type Answer, type Attempt, gradients, type Question } from '../frame/question.ts';
import type { Trial } from '../frame/walker.ts';
import { losses } from '../option-checks.ts';
import type { Reduction } from '../reduce-flips.ts';
import { type Around, around, together } from './around.ts';
import { prune, prunePasses } from './prune.ts';
import { foremost, promising, ranked } from './ranks.ts';

export interface Frugal {
  /** Flips of the first step. */
  readonly k: number;
  /** Gradients on the way to the first example. */
  readonly iterations: number;
  /** What is done to the example: nothing, one search for a prefix, or that and singles until none can be restored. */
  readonly reduce: Reduction;
  /** Whether examples beyond the budget are worth looking for. */
  readonly beyond: boolean;
}

/** A step aims at this share of the way that is left, and has at most `growth` times the flips of the one before. */
const share = 0.5;
const growth = 4;

/** Without `beyond`: so many times the budget's flips are tried, for about half of them turn out needless. */
const excess = 4;

/** Gradients at points around the boundary, which make the example smaller. */
export const rounds = 12;

/** By what part the number of flips shrinks after an example, and grows after any other point. */
const fewer = 0.4;
const more = 0.2;

type Scene = Pick<Trial<Flipping>, 'goal' | 'space' | 'random' | 'left' | 'best' | 'proven'>;

export function* frugal(scene: Scene, options: Frugal): Attempt {
  const points = around(scene.space, scene.left);
  const found = yield* approach(scene, points, options);
  if (found === undefined || options.reduce === 'none') return;
  const slope = yield* shrink(scene, points, found);
  const worth = (i: number): number => slope[i]! * scene.space.flip[i]!;
  const order = points.all().sort((i, j) => worth(i) - worth(j) || i - j);
  const gone = yield* longest(scene, points, order.length - 1, (m) => order.slice(0, m), order.length / 8);
  points.flip(order.slice(0, gone));
  if (options.reduce !== 'minimal' || (!options.beyond && points.count() > excess * scene.space.eps)) return;
  // what was seen on the way may be smaller, and prune goes on from the result
  points.flip(differing(points.u, scene.best()!.u));
  if (yield* prune(scene.goal, points, new Map(points.all().map((i) => [i, worth(i)])), 0.8)) scene.proven(points.u);
}

interface Found {
  /** The slope at the example of what is maximised. */
  readonly slope: Float32Array;
  /** Of every element the worth of its flip, summed over all points on the way, where every gradient has length 1. */
  readonly total: Float64Array;
}

/**
 * Flips what promises most at each gradient until the goal is reached. How many is learnt from how much of what was promised came true: half of what seems to be
 * missing, so that nearly all of it is chosen by gradients that were taken close to the boundary.
 */
function* approach(
  scene: Scene,
  points: Around,
  { k, iterations, beyond }: Frugal,
): Generator<Question, Found | undefined, Answer> {
  const { goal, space, random } = scene;
  const loss = losses.margin!(goal);
  const noise = random(0).fork('noise');
  const total = new Float64Array(space.n);
  const most = beyond ? space.n : excess * space.eps;
  let step = k;
  let before: { readonly lead: number; readonly promised: number } | undefined;
  let trust: number | undefined;
  for (let n = 0; n < iterations; n++) {
    const answer = yield* gradients([points.u], [loss], (0.5 * n) / iterations);
    const slope = answer.gradient[0]!;
    const z = answer.logits[0]!;
    add(total, slope, space);
    if (reached(goal, argmax(z))) return { slope, total };
    const lead = leadOf(goal, z);
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
  return { slope: gradient[0]!, total };
}

/** Where no gradient tells flips apart: those of the drawn ones that do not raise the lead alone, as in the paper. */
function* harmless({ goal }: Scene, points: Around, drawn: readonly number[], lead: number) {
  const answers = yield* points.logits(
    drawn.map((i) => [i]),
    { done: 0.2 },
  );
  return drawn.filter((_, k) => leadOf(goal, answers[k]!) <= lead);
}

/**
 * The gradients on the way, summed, say better what a flip is worth than the one it was chosen by. So flips are chosen anew by that sum again and again: fewer
 * after an example, more where there are too few; and every gradient, close to the boundary by now, is added. `points` moves to the smallest example; returns
 * the slope there.
 */
function* shrink(scene: Scene, points: Around, { slope, total }: Found): Generator<Question, Float32Array, Answer> {
  const { goal, space } = scene;
  const loss = losses.margin!(goal);
  let best = { all: points.all(), slope };
  let size = best.all.length * (1 - fewer);
  for (let n = 0; n < rounds && best.all.length > 1; n++) {
    size = Math.max(1, Math.min(best.all.length - 1, Math.floor(size)));
    const ranks = total.map((worth, i) => (space.flip[i] !== 0 && worth > 0 ? worth : -1));
    move(points, foremost(ranks, size));
    const answer = yield* gradients([points.u], [loss], 0.5 + (0.2 * n) / rounds);
    add(total, answer.gradient[0]!, space);
    const holds = reached(goal, argmax(answer.logits[0]!));
    if (holds) best = { all: points.all(), slope: answer.gradient[0]! };
    size = holds ? size * (1 - fewer) : Math.ceil(size * (1 + more));
  }
  move(points, best.all);
  return best.slope;
}

/** Adds what every flip is worth, as if the gradient had length 1: gradients of spikes differ by orders of magnitude. */
function add(total: Float64Array, slope: Float32Array, { flip }: Pick<Flipping, 'flip'>): void {
  let squares = 0;
  for (let i = 0; i < slope.length; i++) squares += slope[i]! ** 2;
  if (squares === 0) return;
  const scale = 1 / Math.sqrt(squares);
  for (let i = 0; i < total.length; i++) total[i]! += scale * slope[i]! * flip[i]!;
}

/** Flips just these. */
function move(points: Around, wanted: readonly number[]): void {
  const kept = new Set(wanted);
  points.flip([...points.all().filter((i) => !kept.has(i)), ...wanted.filter((i) => !points.flipped(i))]);
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
export function frugalForwards({ iterations, reduce }: Pick<Frugal, 'iterations' | 'reduce'>, flips: number): number {
  const halvings = Math.ceil(Math.log2(flips + 1)) + 2;
  // and where no gradient tells flips apart some of them one by one
  const found = iterations * (1 + Math.min(together, flips)) + 2;
  if (reduce === 'none') return found;
  return found + rounds + halvings + (reduce === 'minimal' ? prunePasses(flips) : 0);
}

function differing(a: Float32Array, b: Float32Array): number[] {
  const list: number[] = [];
  for (let i = 0; i < a.length; i++) if ((a[i] === 0) !== (b[i] === 0)) list.push(i);
  return list;
}
