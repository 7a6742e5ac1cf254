/** @file One walk of APGD: ascent whose inputs set their own pace, returning to the best point where a pace says so. */
import type { Loss } from '../../kit/losses/loss.ts';
import type { Product } from './frame/product.ts';
import type { Answer, Question } from './frame/question.ts';
import type { Pacer } from './pacer.ts';

export interface Walk {
  readonly loss: Loss;
  readonly steps: number;
  /** Gradients averaged at every point, of a model that draws random numbers. */
  readonly draws: number;
  /** The points are outside the budget: none of them is the result. */
  readonly scouting: boolean;
  /** Compare the loss after the first step with zero, not with that of the start. */
  readonly fromZero: boolean;
  /** Share of the attack that is behind it after so many steps. */
  done(step: number): number;
}

/** Walks from u, one pacer per part of the space; returns the point of the largest loss. Asks steps + 1 times for a gradient, the first time at the start. */
export function* autoAscent(
  { n, parts }: Product,
  pacers: readonly Pacer[],
  from: Float32Array,
  { loss, steps, draws, scouting, fromZero, done }: Walk,
): Generator<Question, Float32Array, Answer> {
  const cut = (v: Float32Array, p: number): Float32Array => (parts.length === 1 ? v : v.subarray(parts[p]!.from, parts[p]!.to));
  // this point, the one before, the best and the next: four arrays take turns
  const arrays = Array.from({ length: 4 }, () => new Float32Array(n));
  let u = arrays[0]!;
  for (const [p, pacer] of pacers.entries()) cut(u, p).set(pacer.enter(cut(from, p)));
  let before = u;
  let best = u;
  let { value, gradient } = yield* slopeAt(u, { loss, draws, scouting, anew: true }, done(0));
  let bestLoss = value;
  let lossBefore = fromZero ? 0 : value;
  // a copy: the gradient's own array is a view of a whole batch
  const bestGradient = gradient.slice();
  for (let step = 0; step < steps; step++) {
    const next = arrays.find((array) => array !== u && array !== before && array !== best)!;
    for (const [p, pacer] of pacers.entries()) pacer.move(cut(next, p), cut(u, p), cut(before, p), cut(gradient, p), step === 0);
    before = u;
    u = next;
    ({ value, gradient } = yield* slopeAt(u, { loss, draws, scouting }, done(step + 1)));
    if (value > bestLoss) {
      bestLoss = value;
      best = u;
      bestGradient.set(gradient);
    }
    let back = false;
    for (const [p, pacer] of pacers.entries())
      back = pacer.hear({ loss: value, before: lossBefore, best: bestLoss, bestAt: cut(best, p) }) || back;
    if (back) {
      u = best;
      gradient = bestGradient;
    }
    lossBefore = value;
  }
  return best;
}

interface Slope {
  readonly value: number;
  readonly gradient: Float32Array;
}

/** Loss and gradient, in the mean over the draws; only the last draw may be a result, or a sample that falls in one of twenty would count. */
function* slopeAt(
  u: Float32Array,
  { loss, draws, scouting, anew = false }: Pick<Walk, 'loss' | 'draws' | 'scouting'> & { readonly anew?: boolean },
  done: number,
): Generator<Question, Slope, Answer> {
  const scouts = scouting ? ({ scouting: true } as const) : {};
  if (draws === 1) {
    const answer = yield { ask: 'gradient', at: [u], losses: [loss], done, anew, ...scouts };
    return { value: answer.loss[0]!, gradient: answer.gradient[0]! };
  }
  const others = new Array<Float32Array>(draws - 1).fill(u);
  const first = yield { ask: 'gradient', at: others, losses: others.map(() => loss), done, anew, scouting: true };
  const last = yield { ask: 'gradient', at: [u], losses: [loss], done, ...scouts };
  const gradient = Float32Array.from(
    last.gradient[0]!,
    (g, i) => first.gradient.reduce((sum, other) => sum + other[i]!, g) / draws,
  );
  return { value: first.loss.reduce((sum, other) => sum + other, last.loss[0]!) / draws, gradient };
}
