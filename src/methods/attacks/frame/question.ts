/** @file What an attack on one sample asks, and how it asks: `const { gradient } = yield* gradients([u], [loss])`. */
import type { Loss } from '../../../kit/losses/loss.ts';

/** Points u of the sample's space, and what is to be known there. The arrays are read before the answer comes, and not kept. */
export type Question = Asked &
  ({ readonly ask: 'gradient'; readonly losses: readonly Loss[] } | { readonly ask: 'logits' | 'labels' });

interface Asked {
  readonly at: readonly Float32Array[];
  readonly done?: number;
  /** The points only show the way, e.g. from outside the budget: none of them is the result. */
  readonly scouting?: true;
  /** Of gradients: begins a walk that has nothing to do with the one before, as a restart does; the first question of an attempt does so anyway. */
  readonly anew?: boolean;
}

export interface GradientAnswer {
  readonly loss: readonly number[];
  readonly logits: readonly Float32Array[];
  /** dL/du of every point's own loss. */
  readonly gradient: readonly Float32Array[];
}

export interface Answer extends GradientAnswer {
  readonly labels: readonly number[];
}

/** An attack on one sample: it yields questions and is resumed with answers; what it returns is not looked at, for the driver keeps the best point it was shown. */
export type Attempt = Generator<Question, void, Answer>;

/** Losses, logits and gradients at points; `done` is the share of the attack that is behind it, 0..1, for progress; `anew` as in Question. */
export function* gradients(
  at: readonly Float32Array[],
  losses: readonly Loss[],
  done?: number,
  anew = false,
): Generator<Question, GradientAnswer, Answer> {
  return yield { ask: 'gradient', at, losses, anew, ...(done === undefined ? {} : { done }) };
}

/** Logits at points. */
export function* logits(at: readonly Float32Array[], done?: number): Generator<Question, readonly Float32Array[], Answer> {
  return (yield { ask: 'logits', at, ...(done === undefined ? {} : { done }) }).logits;
}

/** Predicted classes at points: all a decision-based attack may ask. */
export function* labels(at: readonly Float32Array[], done?: number): Generator<Question, readonly number[], Answer> {
  return (yield { ask: 'labels', at, ...(done === undefined ? {} : { done }) }).labels;
}
