/** @file What is recorded of every epoch, and which epoch was the best. */
import type { EarlyStop, Metric } from './task.ts';

/** Of a set, in inference mode, on the weights that would be exported. */
export interface Evaluation {
  /** Mean cross-entropy, without label smoothing. */
  readonly loss: number;
  readonly accuracy: number;
  /** Mean over the classes of the share of their samples that is recognised (unweighted average recall). */
  readonly recall: number;
  /** Recall of each class, in the order of the classes. */
  readonly recalls: readonly number[];
}

export interface EpochRecord {
  /** From 1. */
  readonly epoch: number;
  /** Steps of optimiser and schedule up to its end. */
  readonly steps: number;
  /** Mean of what the steps minimised, over the epoch while the weights moved. */
  readonly loss: number;
  /** Of the logits the objective counts on (adversarial ones, where the defence trains on those). */
  readonly accuracy: number;
  readonly validation: Evaluation;
  /** Learning rate of its last step. */
  readonly lr: number;
  /** Of the gradient of all parameters together, before clipping. */
  readonly norm: { readonly mean: number; readonly max: number };
  /** Validation included; over all parts where training was interrupted. */
  readonly seconds: number;
  /** Samples per second of training, validation not counted. */
  readonly rate: number;
}

/** Sums over the steps of an epoch that is not over. */
export interface Running {
  readonly steps: number;
  readonly samples: number;
  readonly loss: number;
  readonly correct: number;
  readonly norm: number;
  readonly largestNorm: number;
  readonly seconds: number;
}

export const nothingYet: Running = { steps: 0, samples: 0, loss: 0, correct: 0, norm: 0, largestNorm: 0, seconds: 0 };

export const metricDefault: Metric = 'loss';

/** Whether `now` is better than every record before it; the earlier one wins a tie. */
function isBest(now: Evaluation, before: readonly EpochRecord[], metric: Metric): boolean {
  const better = metric === 'loss' ? (a: number, b: number) => a < b : (a: number, b: number) => a > b;
  return before.every((record) => better(now[metric], record.validation[metric]));
}

/** Number of the best epoch; 0 where there is none yet. */
export const bestEpoch = (history: readonly EpochRecord[], metric: Metric): number =>
  history.reduce((best, record, i) => (isBest(record.validation, history.slice(0, i), metric) ? record.epoch : best), 0);

/** Whether the epochs since the best one have used up the patience. */
export const outOfPatience = (history: readonly EpochRecord[], stop: EarlyStop | undefined): boolean =>
  stop !== undefined && history.length - bestEpoch(history, stop.metric ?? metricDefault) >= stop.patience;
