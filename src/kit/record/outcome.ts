import type { Inputs } from '../model/model.ts';
import type { Trace } from './trace.ts';

/** - skipped: already wrong (or already the target) before any attack; - failure: nothing found, the original stands; - invalid: could not be judged, `reason` says why. */
export type Status = 'skipped' | 'success' | 'failure' | 'invalid';

/** What an attack proposes for one sample; the caller predicts again and has the last word. */
export interface Outcome {
  readonly status: Status;
  /** The example, where status is 'success'. */
  readonly inputs?: Inputs;
  readonly reason?: string;
  /** How it went. */
  readonly trace?: Trace;
  /** Queries spent when the first example was found. */
  readonly foundAt?: number;
  /** Of a suite: the part that found the example. */
  readonly by?: string;
}
