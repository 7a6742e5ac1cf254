/** @file What is told while training runs: where it is, how it goes, and how long it will take. */
import type { EpochRecord, Running } from './history.ts';

export interface Progress {
  /** From 1. */
  readonly epoch: number;
  readonly epochs: number;
  /** Batches of this epoch that are done, and how many there are. */
  readonly step: number;
  readonly of: number;
  /** Means over the epoch so far. */
  readonly loss: number;
  readonly accuracy: number;
  /** Until the last epoch is over, if training does not stop early; Infinity before anything was measured. */
  readonly secondsLeft: number;
  /** Given once, when the epoch is over. */
  readonly record?: EpochRecord;
}

export interface Clock {
  /** Seconds since the clock was made. */
  now(): number;
  batchDone(seconds: number): void;
  validationDone(seconds: number): void;
  /** Time that so many batches and validations will take, at the mean so far. */
  left(batches: number, validations: number): number;
}

export function startClock(): Clock {
  const start = performance.now();
  const batch = { seconds: 0, count: 0 };
  const validation = { seconds: 0, count: 0 };
  const mean = ({ seconds, count }: typeof batch, otherwise: number): number => (count === 0 ? otherwise : seconds / count);
  return {
    now: () => (performance.now() - start) / 1000,
    batchDone(seconds) {
      batch.seconds += seconds;
      batch.count++;
    },
    validationDone(seconds) {
      validation.seconds += seconds;
      validation.count++;
    },
    left: (batches, validations) =>
      batches === 0 && validations === 0
        ? 0
        : batches * mean(batch, Number.POSITIVE_INFINITY) + validations * mean(validation, 0),
  };
}

/** Means of a running epoch. */
export const soFar = ({ loss, correct, samples }: Running): { loss: number; accuracy: number } => ({
  loss: loss / samples,
  accuracy: correct / samples,
});
