import type { Inputs } from './model.ts';
import { argmax, type ScoreOracle } from './oracle.ts';

export interface Prediction {
  /** Softmax of the logits, computed in float64. */
  readonly probabilities: readonly number[];
  /** Index of the class with the largest logit. */
  readonly prediction: number;
  readonly logits: Float32Array;
}

/** What the model says of each sample; sample i is asked on account of index i. */
export async function predict(oracle: ScoreOracle, inputs: readonly Inputs[]): Promise<Prediction[]> {
  const logits = await oracle.logits(inputs.map((sample, of) => ({ of, inputs: sample })));
  return logits.map((scores) => ({ probabilities: softmax(scores), prediction: argmax(scores), logits: scores }));
}

/** exp(z) / sum(exp(z)) in float64, without overflow. */
export function softmax(scores: ArrayLike<number>): number[] {
  const z = Array.from(scores);
  const top = Math.max(...z);
  const powers = z.map((value) => Math.exp(value - top));
  const sum = powers.reduce((a, b) => a + b, 0);
  return powers.map((p) => p / sum);
}
