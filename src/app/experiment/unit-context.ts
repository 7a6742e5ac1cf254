/** @file What a unit is given, and where it keeps its examples. */
import { type Stream, stream } from '../../core/tensor/random.ts';
import type { Problem } from '../../kit/data/source.ts';
import type { Inputs, Model, Sample } from '../../kit/model/model.ts';
import type { GradientOracle } from '../../kit/model/oracle.ts';
import type { Budget, GoalPlan, PlannedAttack } from './plan.ts';

/** Keeps adversarial examples in open containers and gives them back as the model will see them. */
export interface ExampleStore {
  /** Writes whole or not at all; returns the path relative to the run directory. */
  save(name: string, inputs: Inputs): Promise<string>;
  load(path: string): Promise<Inputs>;
}

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
