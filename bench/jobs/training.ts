/** @file The jobs of the benchmark train-step: a net with its optimiser, one batch, and the step as one graph with its state in place. */
import * as ort from 'onnxruntime-node';
import { createRuntime } from '../../src/core/runtime/runtime.ts';
import { openStepper } from '../../src/core/runtime/stepper.ts';
import { stream } from '../../src/core/tensor/random.ts';
import { f32, i64, scalar, sizeOf, type Tensor } from '../../src/core/tensor/tensor.ts';
import type { Architecture } from '../../src/kit/nn/architecture.ts';
import { standard } from '../../src/kit/nn/objectives/cross-entropy.ts';
import { makeStep, type Step, stepNames } from '../../src/kit/nn/step.ts';
import { type TrainingCase, trainingCase } from '../models/training/index.ts';

export interface TrainingJob {
  readonly case: TrainingCase;
  readonly step: Step;
  /** What every step is fed, its own numbers and random inputs included. */
  feeds(index: number): Record<string, Tensor>;
  /** One step on the batch; returns the loss before it. */
  train(): Promise<number>;
  /** Weights as they stand. */
  parameters(): Readonly<Record<string, Tensor>>;
  release(): Promise<void>;
}

/** The batch of a case: standard normal inputs (or what the case draws), labels in turn. */
export function batchOf({ architecture, batch, draw }: TrainingCase): Record<string, Tensor> {
  const inputs = Object.entries(architecture.inputs).map(([name, { shape }]): [string, Tensor] => {
    const random = stream(0, 'bench', name);
    return [
      name,
      f32(
        Float32Array.from({ length: batch * sizeOf(shape) }, () => draw(random)),
        [batch, ...shape],
      ),
    ];
  });
  return { ...Object.fromEntries(inputs), [stepNames.label]: i64(labels(architecture, batch)) };
}

const labels = ({ classes }: Pick<Architecture, 'classes'>, batch: number): number[] =>
  Array.from({ length: batch }, (_, i) => i % classes.length);

/** The step of a case, opened with this many threads. */
export async function openTrainingJob(name: string, threads: number): Promise<TrainingJob> {
  const chosen = trainingCase(name);
  const { architecture, optimiser, settings, batch, surrogates } = chosen;
  const runtime = createRuntime(ort, { threads });
  const options = { seed: 0, objective: standard(), optimiser, settings, surrogates };
  const step = await makeStep(architecture, runtime, options);
  const stepper = await openStepper(step.graph, step.links, runtime);
  const fixed = batchOf(chosen);
  const feeds = (index: number): Record<string, Tensor> => {
    const numbers = optimiser.numbers(index + 1, settings.lr, settings);
    const noise = step.noise.map(({ name, shape, kind }): [string, Tensor] => {
      const random = stream(0, name, index);
      return [
        name,
        f32(
          Float32Array.from({ length: batch * sizeOf(shape) }, () => random[kind]()),
          [batch, ...shape],
        ),
      ];
    });
    return {
      ...fixed,
      ...Object.fromEntries(Object.entries(step.numbers).map(([key, input]) => [input, scalar(numbers[key]!)])),
      ...Object.fromEntries(noise),
    };
  };
  let done = 0;
  return {
    case: chosen,
    step,
    feeds,
    async train() {
      const out = await stepper.run(feeds(done++));
      return (out[stepNames.loss]!.data as Float32Array)[0]!;
    },
    parameters: () => stepper.state(),
    release: () => stepper.release(),
  };
}
