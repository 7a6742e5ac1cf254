/** @file The rows of samples to which nothing was done: as they start, carried over from another budget, or not judged at all. */
import type { Goal } from '../../kit/losses/loss.ts';
import type { Sample } from '../../kit/model/model.ts';
import { softmax } from '../../kit/model/predict.ts';
import type { Row } from '../../kit/record/row.ts';
import type { Budget } from './plan.ts';

/** A sample on its way through the budgets. */
export interface Subject {
  readonly sample: Sample;
  /** The clean sample as saved. */
  readonly original: string;
  readonly cleanLogits: Float32Array;
  readonly cleanPrediction: number;
  readonly goal: Goal;
  readonly skipped: boolean;
  /** Set once the clean pass or the attack could not be judged. */
  invalid?: string;
  /** The first budget's success, carried to the larger ones. */
  broken?: Row;
}

/** What is known of a sample at a budget before anything was tried: its clean pass. */
export function blank(subject: Subject, label: string, budget: Budget): Omit<Row, 'status'> {
  return {
    sample: subject.sample.id,
    group: subject.sample.group,
    label: subject.goal.label,
    cleanPrediction: subject.cleanPrediction,
    attack: label,
    norm: budget.norm,
    eps: budget.eps,
    prediction: subject.cleanPrediction,
    floatSuccess: false,
    norms: {},
    distance: null,
    original: subject.original,
    cleanProbabilities: softmax(subject.cleanLogits),
    probabilities: softmax(subject.cleanLogits),
    forwards: 0,
    backwards: 0,
    queries: 0,
    seconds: 0,
  };
}

/** The row of a sample whose clean pass is not even known (-1): its worker crashed. */
export const unjudged = (
  sample: Pick<Sample, 'id' | 'group' | 'label'>,
  attack: string,
  budget: Budget,
  reason: string,
): Row => ({
  sample: sample.id,
  group: sample.group,
  label: sample.label ?? -1,
  cleanPrediction: -1,
  attack,
  norm: budget.norm,
  eps: budget.eps,
  status: 'invalid',
  reason,
  prediction: -1,
  floatSuccess: false,
  norms: {},
  distance: null,
  cleanProbabilities: [],
  probabilities: [],
  forwards: 0,
  backwards: 0,
  queries: 0,
  seconds: 0,
});

/** The row of a sample that was not attacked at this budget: skipped, invalid, or broken by a smaller one. */
export function carried(subject: Subject, label: string, budget: Budget): Row {
  const base = blank(subject, label, budget);
  if (subject.invalid !== undefined) return { ...base, status: 'invalid', reason: subject.invalid };
  if (subject.broken === undefined) return { ...base, status: 'skipped' };
  const { trace: _, ...broken } = subject.broken;
  return { ...broken, norm: budget.norm, eps: budget.eps, forwards: 0, backwards: 0, queries: 0, seconds: 0 };
}
