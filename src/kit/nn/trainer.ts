/** @file A network in training: its state, and the one way to move it. Everything above (fit, defences, recipes) is built on this. */
import { UserError } from '../../core/errors.ts';
import type { Feeds, Runtime } from '../../core/runtime/runtime.ts';
import { openStepper } from '../../core/runtime/stepper.ts';
import type { Tensor } from '../../core/tensor/tensor.ts';
import { scalar } from '../../core/tensor/tensor.ts';
import type { Architecture } from './architecture.ts';
import { averageOf } from './averages.ts';
import type { NoiseInput } from './net.ts';
import { makeStep } from './step.ts';
import { type StepOptions, stepNames } from './step-terms.ts';

export interface Batch {
  /** The model's inputs, [N, ...]. */
  readonly inputs: Feeds;
  /** [N], 0 .. classes - 1. */
  readonly label: Tensor<'int64'>;
  /** Further inputs of the objective, by the names it asked for. */
  readonly extra?: Feeds;
  /** One tensor [N, ...shape] for each of `Trainer.noise`. */
  readonly noise: Feeds;
  /** Factor of the schedule on the learning rate. */
  readonly rate: number;
}

/** What of a step was not a finite number: the loss, the gradient (its norm), or what the running statistics would have become. */
export type NotFinite = 'loss' | 'gradient' | 'statistics';

export interface StepResult {
  /** Whether the new state was kept. False: the state is bit for bit what it was before. */
  readonly accepted: boolean;
  /** Absent where the step was accepted. */
  readonly notFinite?: NotFinite;
  /** Mean of `losses`. */
  readonly loss: number;
  /** Loss of every sample, [N]. */
  readonly losses: Tensor<'float32'>;
  /** [N, classes]: what training accuracy is counted on. */
  readonly logits: Tensor<'float32'>;
  /** Euclidean norm of the gradients of all parameters together, before clipping. */
  readonly norm: number;
  /** Gradient of the mean loss with respect to each of `wrtInputs`, by the input's name. */
  readonly inputGradients: Readonly<Record<string, Tensor<'float32'>>>;
  /** Gradient with respect to each parameter, before clipping; only with `outputs: 'gradients'`. */
  readonly gradients: Readonly<Record<string, Tensor<'float32'>>>;
}

export type State = Readonly<Record<string, Tensor<'float32'>>>;

export interface Trainer {
  readonly architecture: Architecture;
  readonly parameters: readonly string[];
  readonly statistics: readonly string[];
  /** Random inputs every step reads. */
  readonly noise: readonly NoiseInput[];
  /** Runs one step on a batch. Throws a UserError where a label is not a class; runs at most one at a time. */
  step(batch: Batch): Promise<StepResult>;
  /** The present state by name: parameters, PARAMETER/SLOT, statistics, NAME/average. Views, valid until the next step; the key order is always the same. */
  state(): State;
  /** Replaces state; values are copied. `steps`: how many steps led to it (optimisers and schedules count them); unchanged if left out. */
  set(state: Readonly<Record<string, Tensor>>, steps?: number): void;
  /** Parameters and statistics for inference: the averages where averaging is on, unless the raw ones are asked for. Views, as `state`. */
  weights(options?: { readonly raw?: boolean }): State;
  /** Steps accepted so far, those before a restore included. */
  readonly steps: number;
  release(): Promise<void>;
}

/**
 * Opens one session that trains `architecture` from its first values on. The same batches give the same bits at a fixed number of runtime threads, and nothing
 * but the state carries over from step to step. Another number of threads may round large sums otherwise (measured: small networks have the same bits at
 * one and two threads, the CNN-LSTM has not).
 */
export async function openTrainer(architecture: Architecture, runtime: Runtime, options: StepOptions): Promise<Trainer> {
  const step = await makeStep(architecture, runtime, options);
  const stepper = await openStepper(step.graph, step.links, runtime);
  const classes = architecture.classes.length;
  let steps = 0;
  let busy = false;
  const pick = (outputs: Feeds, names: Readonly<Record<string, string>>): State =>
    Object.fromEntries(Object.entries(names).map(([name, output]) => [name, outputs[output] as Tensor<'float32'>]));
  const run = async (batch: Batch): Promise<StepResult> => {
    const numbers = Object.entries(step.numbersOf(steps + 1, batch.rate)).map(([name, value]) => [name, scalar(value)]);
    const feeds = {
      ...batch.inputs,
      [stepNames.label]: batch.label,
      ...batch.extra,
      ...batch.noise,
      ...Object.fromEntries(numbers),
    };
    const outputs = await stepper.run(feeds, (made) => fault(made) === undefined);
    const notFinite = fault(outputs);
    if (notFinite === undefined) steps++;
    return {
      accepted: notFinite === undefined,
      ...(notFinite === undefined ? {} : { notFinite }),
      loss: first(outputs[stepNames.loss]!),
      losses: outputs[stepNames.losses] as Tensor<'float32'>,
      logits: outputs[stepNames.logits] as Tensor<'float32'>,
      norm: first(outputs[stepNames.norm]!),
      inputGradients: pick(outputs, step.inputGradients),
      gradients: pick(outputs, step.gradients),
    };
  };
  return {
    architecture,
    parameters: step.parameters,
    statistics: step.statistics,
    noise: step.noise,
    async step(batch) {
      if (busy) throw new Error('a step is still running: steps follow one another');
      refuseLabels(batch.label, classes);
      busy = true;
      try {
        return await run(batch);
      } finally {
        busy = false;
      }
    },
    state: () => stepper.state(),
    set(values, count) {
      if (busy) throw new Error('a step is still running: set state between steps');
      stepper.set(values);
      steps = count ?? steps;
    },
    weights({ raw = false } = {}) {
      const now = stepper.state();
      const names = [...step.parameters, ...step.statistics];
      return Object.fromEntries(names.map((name) => [name, (raw ? undefined : now[averageOf(name)]) ?? now[name]!]));
    },
    get steps() {
      return steps;
    },
    release: () => stepper.release(),
  };
}

const first = (t: Tensor): number => (t.data as Float32Array)[0]!;

function fault(outputs: Feeds): NotFinite | undefined {
  if (!Number.isFinite(first(outputs[stepNames.loss]!))) return 'loss';
  if (!Number.isFinite(first(outputs[stepNames.norm]!))) return 'gradient';
  const statistics = outputs[stepNames.statistics];
  return statistics !== undefined && !Number.isFinite(first(statistics)) ? 'statistics' : undefined;
}

/** A label outside the classes would match none of them, and the graph would train on it without a word. */
function refuseLabels(label: Tensor<'int64'>, classes: number): void {
  const wrong = label.data.findIndex((y) => y < 0n || y >= BigInt(classes));
  if (wrong !== -1)
    throw new UserError(
      `sample ${wrong} of the batch has the label ${label.data[wrong]}, and the model has ${classes} classes (0 to ${classes - 1})`,
      'give every label of the data a class of the model (`labels` of the data), or add the class',
    );
}
