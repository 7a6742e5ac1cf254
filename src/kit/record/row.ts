import type { Norm } from '../threat/threat.ts';
import type { EventFacts } from './event-facts.ts';
import type { Status } from './outcome.ts';
import type { Trace } from './trace.ts';

/** One (sample, attack, budget): a line of samples.parquet. Class indices refer to the model's classes. */
export interface Row {
  readonly sample: string;
  readonly group: string;
  /** The class taken as right: the data's label, or the clean prediction where there are no labels. */
  readonly label: number;
  readonly cleanPrediction: number;
  readonly attack: string;
  /** Budget, by input name. */
  readonly norm: Readonly<Record<string, Norm>>;
  readonly eps: Readonly<Record<string, number>>;
  readonly status: Status;
  readonly reason?: string;
  /** Prediction on the saved, re-read example (the clean prediction where there is none). */
  readonly prediction: number;
  /** Whether the unrounded example fooled the model too; the headline is the saved one. */
  readonly floatSuccess: boolean;
  /** Size of the saved perturbation in every norm, by input name. */
  readonly norms: Readonly<Record<string, Readonly<Record<Norm, number>>>>;
  /** Of successes, by input name: what was done to inputs made of events (binary frames). */
  readonly events?: Readonly<Record<string, EventFacts>>;
  /**
   * Of minimum-norm attacks: size of the smallest example found, before rounding, whatever the budget; over several inputs as the first one's, the others
   * weighed by their eps. null where nothing was found, and for bounded attacks.
   */
  readonly distance: number | null;
  /** Queries spent when the attack met the first example, of whatever size. */
  readonly foundAt?: number;
  /** Of a suite: the part that found the example. */
  readonly by?: string;
  /** How the attack went; where its cost stands, so that nothing is told twice. */
  readonly trace?: Trace;
  readonly cleanProbabilities: readonly number[];
  readonly probabilities: readonly number[];
  readonly forwards: number;
  readonly backwards: number;
  readonly queries: number;
  readonly seconds: number;
  /** The clean sample as saved, relative to the run directory. */
  readonly original?: string;
  /** The saved example, relative to the run directory; absent where the original stands. */
  readonly example?: string;
}
