/** @file What fit() is given: the network, what it minimises, the data, and what may be done to a batch before the step sees it. */
import type { Surrogate } from '../../../core/autodiff/substitutes.ts';
import type { Runtime } from '../../../core/runtime/runtime.ts';
import type { Tensor } from '../../../core/tensor/tensor.ts';
import type { Inputs, Sample } from '../../model/model.ts';
import type { Options } from '../../options.ts';
import type { Architecture } from '../architecture.ts';
import type { Objective } from '../objectives/objective.ts';
import type { Optimiser } from '../optimisers/optimiser.ts';
import type { StepResult, Trainer } from '../trainer.ts';
import type { Augmentation } from './augment/augmentation.ts';

/** Samples to learn from or to validate on. All of them have a label. */
export interface TrainingSet {
  /** What messages and records call it; sets of one task have different names. */
  readonly name: string;
  /** sha256 over everything that decides the samples: a checkpoint is of these data and no others. */
  readonly sha256: string;
  /** Set where the data are generated: the word "synthetic" and how. */
  readonly synthetic?: string;
  readonly count: number;
  /** Sample `index`, label and all inputs included; ids differ within a set. Asked again, it is the same sample. */
  sample(index: number): Promise<Sample>;
  /** The labels of all samples in order, where they can be told without decoding the samples. */
  labels?(): Promise<readonly number[]>;
}

export interface TrainingPart {
  readonly set: TrainingSet;
  /**
   * Share of every batch that comes from this set; shares are relative to their sum. Either every set of a task has one (then each goes round at its
   * own pace) or none has (then all are shuffled into one).
   */
  readonly share?: number;
}

export type Metric = 'loss' | 'accuracy' | 'recall';

export interface EarlyStop {
  /** Epochs without a better value after which training ends. */
  readonly patience: number;
  /** What of the validation set is watched; the best weights are chosen by it too. */
  readonly metric?: Metric;
}

export interface Task {
  readonly architecture: Architecture;
  readonly objective: Objective;
  readonly optimiser: Optimiser;
  /** Of the optimiser; missing ones have its defaults. */
  readonly settings?: Options;
  /** Factor on the learning rate at step `step` (from 0) of `of`. */
  readonly schedule: { rate(step: number, of: number): number };
  /** Passes through the training data. */
  readonly epochs: number;
  readonly batch: number;
  /** Decides first values, order, augmentation, dropout and whatever a defence draws. */
  readonly seed: number;
  readonly train: readonly TrainingPart[];
  readonly validation: TrainingSet;
  readonly augment?: readonly Augmentation[];
  /** Largest global L2 norm of the gradient. */
  readonly clip?: number;
  /** Decay of the averages of all weights. */
  readonly ema?: number;
  /** Derivatives that stand in for those of comparisons and rounding. */
  readonly surrogates?: readonly Surrogate[];
  readonly earlyStop?: EarlyStop;
  readonly crafting?: Crafting;
}

/** A sample of a batch in training: augmented, and its id is unlike that of any other sample of the task. */
export interface LabelledSample extends Sample {
  readonly label: number;
}

/** What a defence does to a batch before the step. */
export interface Crafting {
  readonly name: string;
  /** Data inputs whose gradient (of the mean loss) the crafter reads from each step's result. */
  readonly wrtInputs?: readonly string[];
  /** Called once, when the trainer holds the state training goes on from. */
  prepare(scene: CraftScene): Promise<BatchCrafter>;
}

export interface CraftScene {
  /** Its current weights are what an inner attack attacks: `trainer.weights({ raw: true })`. */
  readonly trainer: Trainer;
  readonly runtime: Runtime;
  readonly seed: number;
  /** Most samples of a batch. */
  readonly batch: number;
  /** Looked at between runs of an inner attack; its reason is thrown. */
  readonly signal: AbortSignal;
}

export interface Where {
  /** From 0. */
  readonly epoch: number;
  /** Batch of the whole training, from 0: with the sample's id and the seed it keys all randomness. */
  readonly step: number;
  /** How often this batch was stepped on already: 0 to `replay` - 1. */
  readonly replay: number;
}

export interface BatchCrafter {
  /** How many steps are made on every batch (free adversarial training); 1 if left out. Each counts as a step of optimiser and schedule. */
  readonly replay?: number;
  /** Called before every step, replays included. */
  craft(samples: readonly LabelledSample[], where: Where): Promise<Crafted>;
  /** Called with the result of every step that was kept. */
  after?(result: StepResult, where: Where): void;
  /** What outlives a batch, if anything does: kept in checkpoints, so that a resumed run goes on bit for bit. Everything else must follow from seed, sample id and `where`. */
  state?(): Readonly<Record<string, Tensor>>;
  /** Takes back what `state` gave. */
  restore?(state: Readonly<Record<string, Tensor>>): void;
  release(): Promise<void>;
}

export interface Crafted {
  /** Stands in for the inputs of every sample, in their order; the clean ones where left out. */
  readonly inputs?: readonly Inputs[];
  /** Further inputs of the objective, [N, ...], by the names it asked for. */
  readonly extra?: Readonly<Record<string, Tensor>>;
}

/** Where checkpoints are kept. A write is whole or did not happen. */
export interface CheckpointStore {
  /** What messages call it. */
  readonly name: string;
  read(): Promise<Uint8Array | undefined>;
  write(bytes: Uint8Array): Promise<void>;
}
