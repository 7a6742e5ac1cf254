import type { Norm } from '../threat/threat.ts';
import type { EventSummary } from './event-facts.ts';

/** A number for one attacked input; by input name where there are several. */
export type Eps = number | Readonly<Record<string, number>>;

/** The norm of all attacked inputs; by input name where they have different ones. */
export type Norms = Norm | Readonly<Record<string, Norm>>;

/** One attack at one budget. Rates are fractions with their Wilson 95 % interval. */
export interface Cell {
  readonly attack: string;
  readonly norm: Norms;
  readonly eps: Eps;
  readonly n: number;
  readonly success: number;
  readonly failure: number;
  readonly skipped: number;
  readonly invalid: number;
  /** failure / (n - invalid). */
  readonly robustAccuracy: number;
  readonly robustAccuracyInterval: readonly [number, number];
  /** success / (success + failure); null where nothing was attacked. */
  readonly attackSuccessRate: number | null;
  readonly attackSuccessRateInterval: readonly [number, number] | null;
  /** Mean size of the successes' perturbations, each input in its norm; null without a success. */
  readonly meanNorm: Eps | null;
  /** Of inputs made of events, where there is a success. */
  readonly events?: EventSummary;
}

/** Per-sample minimum over the run's attacks. */
export interface WorstCase {
  readonly norm: Norms;
  readonly eps: Eps;
  readonly robustAccuracy: number;
  readonly robustAccuracyInterval: readonly [number, number];
}

export interface Summary {
  readonly n: number;
  readonly cleanAccuracy: number;
  readonly cleanAccuracyInterval: readonly [number, number];
  readonly cells: readonly Cell[];
  readonly worstCase: readonly WorstCase[];
}
