/** @file What a unit is given, and where it keeps its examples. */
import { type Stream, stream } from '../../core/tensor/random.ts';
import type { EventClip } from '../../kit/data/events/stream.ts';
import type { Problem } from '../../kit/data/source.ts';
import type { Inputs, Model, Sample } from '../../kit/model/model.ts';
import type { GradientOracle } from '../../kit/model/oracle.ts';
import type { Budget, GoalPlan, PlannedAttack } from './plan.ts';

/** The clean recordings a sample was binned from, and where the times of new events come from. */
export interface Recorded {
  readonly clips: NonNullable<Sample['events']>;
  readonly times: Stream;
}

/** Keeps adversarial examples in open containers and gives them back as the model will see them. */
export interface ExampleStore {
  /**
   * Writes whole or not at all; returns the path relative to the run directory. Where the sample is a recording of events, so is the example: the clean one,
   * changed as little as shows the changed frames when cut by the clean one's windows.
   */
  save(name: string, inputs: Inputs, recorded?: Recorded): Promise<string>;
  load(path: string): Promise<Inputs>;
  /** The recordings in a saved example by input name; none where it was saved as numbers. Absent in stores without recordings. */
  recordings?(path: string): Promise<Readonly<Record<string, EventClip>>>;
}

/** What a store is told of the recordings behind a sample; the time of a new event depends on seed, sample, frame and pixel alone. */
export const recordedOf = ({ id, events }: Pick<Sample, 'id' | 'events'>, seed: number): Recorded | undefined =>
  events === undefined ? undefined : { clips: events, times: stream(seed, id, 'times of new events') };

export interface UnitContext {
  readonly model: Model;
  /** A fresh oracle; with `queries`, one that answers no more than so many per sample. `random`: the streams of a model that draws random numbers. */
  oracle(queries?: number, random?: (of: number) => Stream): GradientOracle;
  readonly samples: readonly Sample[];
  readonly problems: readonly Problem[];
  readonly planned: PlannedAttack;
  /** Ascending. */
  readonly budgets: readonly Budget[];
  readonly goal: GoalPlan;
  readonly seed: number;
  /** Most queries an attack may spend on one sample at one budget; minimum-norm attacks: on one sample. */
  readonly queries?: number;
  readonly examples: ExampleStore;
  readonly signal: AbortSignal;
  /** Called with the share of the unit that is done, 0..1. */
  progress(share: number): void;
}

/**
 * The streams a model's random numbers come from while samples are looked at, attacked and judged: the last word is spoken on draws the attack did not see,
 * and the example read back is met with those of the rounded one.
 */
export const drawsFor =
  (seed: number, stage: 'clean' | 'verdict' | `attack ${string}`, samples: readonly Pick<Sample, 'id'>[]) =>
  (of: number): Stream =>
    stream(seed, samples[of]!.id, 'model', stage);
