/** @file Where attacks that see only labels begin: a random point that reaches the goal, drawn back along the line to the original until it barely does. */
import type { Stream } from '../../core/tensor/random.ts';
import { type Goal, reached } from '../../kit/losses/loss.ts';
import type { Joint } from './frame/joint.ts';
import { type Answer, labels, type Question } from './frame/question.ts';
import { freedomOf } from './frame/space.ts';

/** Whether each of the points reaches the goal: all that an attack on labels learns. */
export type Ask = (points: readonly Float32Array[]) => Generator<Question, boolean[], Answer>;

/** Asks for labels on behalf of one sample; `done` is its share of progress. */
export const askerOf = (goal: Goal, done: () => number): Ask =>
  function* ask(points) {
    return (yield* labels(points, done())).map((label) => reached(goal, label));
  };

/** Draws tried in one question. */
const together = 10;

/** Halvings by which the draws that reach the goal are told apart. */
const sifting = 8;

/**
 * The example from which the boundary is nearest, to 1/256 of the way, of the first ten draws that hold one; undefined after `tries` draws.
 * Values are uniform between bounds. Without bounds they are normal around the original, with a deviation that begins at the budget's size per element and
 * doubles every five draws. The first ten draws have a value per element; after those a draw has, in turn, a value per element, a value per run of
 * elements (of a length uniform on a logarithmic scale, so that constant signals are among them), and such runs at the ends of the box only.
 */
export function* randomStart(
  space: Joint,
  ask: Ask,
  stream: Stream,
  tries: number,
): Generator<Question, Float32Array | undefined, Answer> {
  const least = perElement(space);
  for (let from = 0; from < tries; from += together) {
    const drawn = Array.from({ length: Math.min(together, tries - from) }, (_, k) =>
      draw(space, stream, from === 0 ? 'elements' : kinds[k % kinds.length]!, least * 2 ** ((from + k) / 5)),
    );
    const hits = yield* ask(drawn);
    const found = drawn.filter((_, k) => hits[k]);
    if (found.length > 0) return yield* nearest(space, ask, found);
  }
  return undefined;
}

/** Draws all examples to the boundary side by side; the nearest one there. */
function* nearest(space: Joint, ask: Ask, found: readonly Float32Array[]): Generator<Question, Float32Array, Answer> {
  const fails = found.map(() => 0);
  const reaches = found.map(() => 1);
  for (let k = 0; k < sifting; k++) {
    const middles = found.map((_, i) => (fails[i]! + reaches[i]!) / 2);
    const hits = yield* ask(found.map((u, i) => inward(space, u, middles[i]!)));
    for (const [i, hit] of hits.entries()) (hit ? reaches : fails)[i] = middles[i]!;
  }
  const [best] = found.map((u, i) => inward(space, u, reaches[i]!)).sort((a, b) => space.size(a) - space.size(b));
  return best!;
}

/** Questions that randomStart asks at most. */
export const startCosts = (tries: number): number => tries + sifting * Math.min(together, tries);

const kinds = ['elements', 'runs', 'ends'] as const;

function draw({ low, high }: Joint, stream: Stream, kind: (typeof kinds)[number], deviation: number): Float32Array {
  const n = low.length;
  const u = new Float32Array(n);
  const run = kind === 'elements' ? 1 : Math.ceil(n ** stream.uniform());
  let share = 0;
  let normal = 0;
  for (let i = 0; i < n; i++) {
    if (i % run === 0) {
      share = stream.uniform();
      normal = stream.normal();
      if (kind === 'ends') share = Math.round(share);
    }
    const [least, most] = [low[i]!, high[i]!];
    const value = most - least < Number.POSITIVE_INFINITY ? least + share * (most - least) : deviation * normal;
    u[i] = Math.min(most, Math.max(least, value));
  }
  return u;
}

function perElement(space: Joint): number {
  if (space.eps === 0) return 1;
  return space.norm === 'linf' ? space.eps : space.eps / Math.sqrt(Math.max(1, freedomOf(space)));
}

/** The point at that share of the way from the original to u: on the line in l2; in linf each element is cut at that share of the size. */
function inward({ norm, size }: Joint, u: Float32Array, share: number): Float32Array {
  if (norm !== 'linf') return u.map((value) => share * value);
  const most = share * size(u);
  return u.map((value) => Math.min(most, Math.max(-most, value)));
}

/** The smallest share worth telling apart from its neighbours in float32. */
export const finest = 2 ** -24;

/** Halves the way from the original to the example u until the share at which the goal is reached is known to `tolerance`; the example there. */
export function* ontoBoundary(
  space: Joint,
  ask: Ask,
  u: Float32Array,
  tolerance: number,
): Generator<Question, Float32Array, Answer> {
  let best = u;
  let [fails, reaches] = [0, 1];
  while (reaches - fails > Math.max(tolerance, finest)) {
    const middle = (fails + reaches) / 2;
    const point = inward(space, u, middle);
    const [hit] = yield* ask([point]);
    if (hit) [reaches, best] = [middle, point];
    else fails = middle;
  }
  return best;
}

/** Questions that ontoBoundary asks at most. */
export const halvings = (tolerance: number): number => Math.max(0, Math.ceil(-Math.log2(Math.max(tolerance, finest))));
