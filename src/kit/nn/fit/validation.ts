/** @file How well the present weights do on a set: inference mode, one session for the whole training. */
import { UserError } from '../../../core/errors.ts';
import { crossEntropyOf } from '../../losses/score-loss.ts';
import { argmax, type ScoreOracle } from '../../model/oracle.ts';
import type { Evaluation } from './history.ts';
import type { LabelledSample } from './task.ts';

export interface EvaluateOptions {
  readonly classes: readonly string[];
  readonly count: number;
  readonly batch: number;
  readonly signal: AbortSignal;
}

/** Loss, accuracy and recall over `count` samples, `batch` at a time. Throws a UserError that names samples whose loss is not a finite number. */
export async function evaluate(
  oracle: Pick<ScoreOracle, 'logits'>,
  sample: (index: number) => Promise<LabelledSample>,
  { classes, count, batch, signal }: EvaluateOptions,
): Promise<Evaluation> {
  const right = classes.map(() => 0);
  const seen = classes.map(() => 0);
  let loss = 0;
  for (let start = 0; start < count; start += batch) {
    signal.throwIfAborted();
    const size = Math.min(batch, count - start);
    const samples = await Promise.all(Array.from({ length: size }, (_, i) => sample(start + i)));
    const logits = await oracle.logits(samples.map(({ inputs }, i) => ({ of: start + i, inputs })));
    for (const [i, { id, label }] of samples.entries()) {
      const one = crossEntropyOf(logits[i]!, label);
      if (!Number.isFinite(one))
        throw new UserError(
          `the validation loss is not finite: sample "${id}" has the logits ${Array.from(logits[i]!).join(', ')}`,
          'lower the learning rate or set clip: 1; check the sample where others are fine',
        );
      loss += one;
      seen[label] = seen[label]! + 1;
      if (argmax(logits[i]!) === label) right[label] = right[label]! + 1;
    }
  }
  const recalls = right.map((n, c) => n / seen[c]!);
  return {
    loss: loss / count,
    accuracy: right.reduce((a, b) => a + b, 0) / count,
    recall: recalls.reduce((a, b) => a + b, 0) / classes.length,
    recalls,
  };
}
