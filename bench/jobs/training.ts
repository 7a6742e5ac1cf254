/** @file The jobs of the benchmark train-step: a net in training on one batch, as fit() trains it. */
import * as ort from 'onnxruntime-node';
import { createRuntime } from '../../src/core/runtime/runtime.ts';
import { stream } from '../../src/core/tensor/random.ts';
import { f32, i64, scalar, sizeOf, type Tensor } from '../../src/core/tensor/tensor.ts';
import { transpose } from '../../src/core/tensor/transpose.ts';
import { drawNoise } from '../../src/kit/nn/fit/noise.ts';
import { standard } from '../../src/kit/nn/objectives/cross-entropy.ts';
import { makeStep } from '../../src/kit/nn/step.ts';
import { type Step, type StepOptions, stepNames } from '../../src/kit/nn/step-terms.ts';
import { openTrainer, type Trainer } from '../../src/kit/nn/trainer.ts';
import { type TrainingCase, trainingCase } from '../models/training.ts';

export interface TrainingJob {
  readonly trainer: Trainer;
  /** One step on the batch, its random inputs drawn anew; returns the loss before it. */
  train(): Promise<number>;
}

const seed = 0;

/** The inputs of a case, one fixed batch, and the classes in turn as labels. */
export function batchOf({ architecture, batch, draw }: TrainingCase): { inputs: Record<string, Tensor>; label: Tensor<'int64'> } {
  const inputs = Object.entries(architecture.inputs).map(([name, { shape }]): [string, Tensor] => {
    const random = stream(seed, 'bench', name);
    return [
      name,
      f32(
        Float32Array.from({ length: batch * sizeOf(shape) }, () => draw(random)),
        [batch, ...shape],
      ),
    ];
  });
  const label = i64(Array.from({ length: batch }, (_, i) => i % architecture.classes.length));
  return { inputs: Object.fromEntries(inputs), label };
}

/** Random inputs of step `step` (from 0). */
export const noiseOf = ({ batch }: TrainingCase, noise: Step['noise'], step: number): Record<string, Tensor> =>
  drawNoise(
    noise,
    Array.from({ length: batch }, (_, i) => String(i)),
    { seed, step },
  );

const optionsOf = ({ optimiser, settings }: TrainingCase): StepOptions => ({
  seed,
  objective: standard(),
  optimiser,
  settings,
});

/** A case opened with this many threads. */
export async function openTrainingJob(name: string, threads: number): Promise<TrainingJob> {
  const chosen = trainingCase(name);
  const trainer = await openTrainer(chosen.architecture, createRuntime(ort, { threads }), optionsOf(chosen));
  const fixed = batchOf(chosen);
  return {
    trainer,
    async train() {
      const result = await trainer.step({ ...fixed, noise: noiseOf(chosen, trainer.noise, trainer.steps), rate: 1 });
      if (!result.accepted) throw new Error(`${name}: the ${result.notFinite} is not finite`);
      return result.loss;
    },
  };
}

/** The graph of a case's step, and everything its first run is fed. */
export async function firstStep(name: string): Promise<{ step: Step; feeds: Record<string, Tensor> }> {
  const chosen = trainingCase(name);
  const step = await makeStep(chosen.architecture, createRuntime(ort), optionsOf(chosen));
  const { inputs, label } = batchOf(chosen);
  const numbers = Object.entries(step.numbersOf(1, 1)).map(([input, value]) => [input, scalar(value)] as const);
  const state = Object.entries(step.links).map(
    ([input, { first, held }]) => [input, held === undefined ? first : transpose(first, held)] as const,
  );
  const feeds = {
    ...inputs,
    [stepNames.label]: label,
    ...noiseOf(chosen, step.noise, 0),
    ...Object.fromEntries([...numbers, ...state]),
  };
  return { step, feeds };
}
