/** @file The decision boundaries around a point, each replaced by its tangent plane: what FAB and DeepFool step to. */
import type { Goal } from '../../kit/losses/loss.ts';
import { type Answer, gradients, type Question } from './frame/question.ts';
import { type Box, distanceTo, type FlatNorm, type Move, moveOnto } from './hyperplane.ts';
import { leadOver } from './rivals.ts';

/** A tangent plane at u: the goal is reached, to first order, by a change d with <w, d> = gap. */
export interface Tangent {
  readonly w: Float32Array;
  readonly gap: number;
}

/**
 * The nearest of the label's boundaries to the rivals; towards a target, its boundary to the strongest other class. One gradient per rival, asked in pieces.
 * How near one is, `judge` says, told of the best so far; undefined is not nearer.
 */
export function* nearestTangent<J>(
  goal: Goal,
  rivals: readonly number[],
  u: Float32Array,
  judge: (tangent: Tangent, best: J | undefined) => J | undefined,
  { classes, done }: { readonly classes: number; readonly done: number },
): Generator<Question, { readonly tangent: Tangent; readonly found: J } | undefined, Answer> {
  let nearest: { tangent: Tangent; found: J } | undefined;
  const losses =
    goal.kind === 'targeted' ? [{ label: goal.target, margin: 1 }] : rivals.map((k) => leadOver(goal.label, k, classes));
  const piece = Math.max(1, Math.min(64, Math.floor(atOnce / u.length)));
  for (let from = 0; from < losses.length; from += piece) {
    const asked = losses.slice(from, from + piece);
    const { loss, gradient } = yield* gradients(
      asked.map(() => u),
      asked,
      done,
    );
    gradient.forEach((w, k) => {
      const tangent = { w, gap: -loss[k]! };
      const found = judge(tangent, nearest?.found);
      if (found !== undefined) nearest = { tangent, found };
    });
  }
  return nearest;
}

/** Numbers asked about at a time. */
const atOnce = 2 ** 22;

/** Gradients that `nearestTangent` asks for at most. */
export const tangentsOf = (rivals: number, classes: number): number => Math.max(1, Math.min(rivals, classes - 1));

/** Nearer as the box allows: a boundary the box can reach comes before one it cannot; of those out of reach, the one nearer without the box. */
export function nearerInBox(norm: FlatNorm, u: Float32Array, box: Box) {
  return ({ w, gap }: Tangent, best: (Move & { readonly plain: number }) | undefined) => {
    const plain = distanceTo(norm, w, gap);
    // a box only makes the way longer
    if (best !== undefined && plain >= (best.whole ? best.size : Number.POSITIVE_INFINITY)) return undefined;
    const move = { ...moveOnto(norm, u, w, gap, box), plain };
    if (plain === Number.POSITIVE_INFINITY) return best === undefined ? { ...move, whole: false } : undefined;
    if (best === undefined || (move.whole && !best.whole)) return move;
    if (move.whole !== best.whole) return undefined;
    return (move.whole ? move.size < best.size : plain < best.plain) ? move : undefined;
  };
}

/** Nearer where there is no box. */
export const nearerPlain =
  (norm: FlatNorm) =>
  ({ w, gap }: Tangent, best: number | undefined): number | undefined => {
    const plain = distanceTo(norm, w, gap);
    return best === undefined || plain < best ? plain : undefined;
  };
