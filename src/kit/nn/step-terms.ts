/** @file What a training step is asked for, and what it is: the terms the files around it share. */
import type { Surrogate } from '../../core/autodiff/substitutes.ts';
import type { Graph } from '../../core/onnx/graph.ts';
import type { StateLinks } from '../../core/runtime/stepper.ts';
import { type Options, readOptions } from '../options.ts';
import type { NoiseInput } from './net.ts';
import type { Objective } from './objectives/objective.ts';
import type { Optimiser } from './optimisers/optimiser.ts';

export interface StepOptions {
  /** First values of the parameters. */
  readonly seed: number;
  readonly objective: Objective;
  readonly optimiser: Optimiser;
  /** Of the optimiser; missing ones have its defaults. */
  readonly settings?: Options;
  /** Largest Euclidean norm of all gradients together: larger ones are scaled down to it. */
  readonly clip?: number;
  /** Decay of a moving average of every parameter and statistic, kept as `NAME/average` (averages.ts); at least 0 and below 1. */
  readonly ema?: number;
  /** Whether the decay grows towards `ema` over the first steps, so that the first values are soon forgotten; true unless said otherwise. */
  readonly emaWarmup?: boolean;
  /** Data inputs whose gradient (of the mean loss) the step returns too. */
  readonly wrtInputs?: readonly string[];
  /** Derivatives that stand in for those of comparisons and rounding, before those the architecture brings. */
  readonly surrogates?: readonly Surrogate[];
  /** 'gradients': the parameters stay as they are, and their gradients are outputs, for an optimiser of one's own. */
  readonly outputs?: 'state' | 'gradients';
}

/** Every option of the optimiser, defaults included. Throws a UserError for one that cannot be used. */
export const settingsOf = ({ optimiser, settings = {} }: Pick<StepOptions, 'optimiser' | 'settings'>) =>
  readOptions<Optimiser['defaults']>(optimiser, settings);

/** Names of what every step reads and returns beside the data inputs; `statistics` (the sum of all, not finite where one is not) only where there are some. */
export const stepNames = {
  label: 'label',
  loss: 'loss',
  losses: 'losses',
  logits: 'logits',
  norm: 'norm',
  statistics: 'statistics',
} as const;

export interface Step {
  readonly graph: Graph;
  /** Parameters, optimiser slots (`PARAMETER/SLOT`), statistics, averages (`NAME/average`). */
  readonly links: StateLinks;
  readonly parameters: readonly string[];
  readonly statistics: readonly string[];
  readonly noise: readonly NoiseInput[];
  /** Values of the scalars fed with step `step` (from 1) where the schedule's factor on the learning rate is `rate`, by input name. */
  numbersOf(step: number, rate: number): Readonly<Record<string, number>>;
  /** Outputs that hold the gradient with respect to each of `wrtInputs`. */
  readonly inputGradients: Readonly<Record<string, string>>;
  /** Outputs that hold the gradient with respect to each parameter; empty unless asked for. */
  readonly gradients: Readonly<Record<string, string>>;
}
