/** @file What an attack may ask of a model: labels, scores or gradients. An attack is handed only the kind it declares, and every question is counted. */
import type { Loss } from '../losses/loss.ts';
import type { Inputs } from './model.ts';

/** A point to evaluate, on account of sample `of` (an index into the attack's batch). */
export interface Probe {
  readonly of: number;
  readonly inputs: Inputs;
  /**
   * Of a gradient: begins a walk. Where a stand-in remembers what it saw of a sample, it forgets it first; other gradients of the sample go on from what
   * the question before left, and of several in one question each from the same, the last one's is kept.
   */
  readonly anew?: true;
}

/** What was spent on one sample. A gradient counts one forward, one backward and one query; where questions are means over draws, that many forwards and backwards. */
export interface Counts {
  readonly forwards: number;
  readonly backwards: number;
  readonly queries: number;
  /**
   * Time steps that forward passes were really run for, of a model whose inputs share the work up to where they part; absent otherwise. So many passes,
   * in equivalents of whole ones: steps over the steps of the model. What several points of a sample share counts once.
   */
  readonly steps?: number;
}

export interface DecisionOracle {
  readonly classes: number;
  /** The predicted classes; -1 where a score is not finite. */
  labels(probes: readonly Probe[]): Promise<number[]>;
  counts(of: number): Counts;
}

export interface ScoreOracle extends DecisionOracle {
  logits(probes: readonly Probe[]): Promise<Float32Array[]>;
}

export interface Gradients {
  readonly loss: readonly number[];
  readonly logits: readonly Float32Array[];
  /** dL/dx of each probe's own loss, for the attacked inputs. */
  readonly gradient: readonly Inputs[];
}

export interface GradientOracle extends ScoreOracle {
  /** One loss per probe. */
  gradient(probes: readonly Probe[], losses: readonly Loss[]): Promise<Gradients>;
  /**
   * Of a model that draws random numbers, and of no other: the same oracle, with the same counts, whose every answer is the mean over so many draws:
   * of logits (labels are those of the mean logits), of losses, and of gradients (expectation over transformation, Athalye et al. 2018).
   */
  drawing?(draws: number): GradientOracle;
}

/** First class with the largest score. */
export function argmax(scores: ArrayLike<number>): number {
  let best = 0;
  for (let i = 1; i < scores.length; i++) if (scores[i]! > scores[best]!) best = i;
  return best;
}

/** The class those scores stand for; -1 where one of them is not finite, which says nothing. */
export const labelOf = (scores: Float32Array): number => (scores.every(Number.isFinite) ? argmax(scores) : -1);
