/** @file What is done with one batch: augment, craft, step; several times where a defence asks for it. */
import type { Runtime } from '../../../core/runtime/runtime.ts';
import { i64 } from '../../../core/tensor/tensor.ts';
import { packChunk } from '../../model/batches.ts';
import { argmax } from '../../model/oracle.ts';
import type { StepOptions } from '../step-terms.ts';
import type { Batch, StepResult, Trainer } from '../trainer.ts';
import { augmented } from './augment/augmentation.ts';
import { refusal } from './diagnose.ts';
import type { Running } from './history.ts';
import type { Loaded } from './loader.ts';
import { drawNoise } from './noise.ts';
import type { BatchCrafter, LabelledSample, Task, Where } from './task.ts';

export interface StepScene {
  readonly task: Task;
  readonly runtime: Runtime;
  /** What the trainer was opened with. */
  readonly step: StepOptions;
  readonly trainer: Trainer;
  readonly crafter: BatchCrafter | undefined;
  readonly perEpoch: number;
}

/** Steps of the whole training. */
export const totalSteps = ({ task, crafter, perEpoch }: Pick<StepScene, 'task' | 'crafter' | 'perEpoch'>): number =>
  task.epochs * perEpoch * (crafter?.replay ?? 1);

/**
 * The steps on one batch; returns the epoch's sums with theirs added. Throws a UserError, and leaves the trainer as it was, where a step comes to numbers
 * that are not finite; `kept` is told in its message.
 */
export async function stepsOnBatch(
  scene: StepScene,
  { draws, samples: clean }: Loaded,
  at: Omit<Where, 'replay'>,
  before: Running,
  kept: string,
): Promise<Running> {
  const { task, trainer, crafter } = scene;
  const samples = clean.map(
    (sample, i): LabelledSample => ({
      ...sample,
      inputs: augmented(task.augment ?? [], sample, task.architecture.inputs, { seed: task.seed, pass: draws[i]!.pass }),
    }),
  );
  let running = before;
  for (let replay = 0; replay < (crafter?.replay ?? 1); replay++) {
    const where: Where = { ...at, replay };
    const batch = await batchOf(scene, samples, where);
    const result = await trainer.step(batch);
    if (!result.accepted) throw await refusal({ ...scene, where, batch, ids: samples.map(({ id }) => id), result, kept });
    crafter?.after?.(result, where);
    running = added(running, result, samples);
  }
  return running;
}

async function batchOf(scene: StepScene, samples: readonly LabelledSample[], where: Where): Promise<Batch> {
  const { task, crafter, trainer } = scene;
  const crafted = (await crafter?.craft(samples, where)) ?? {};
  const inputs = crafted.inputs ?? samples.map((sample) => sample.inputs);
  const ids = samples.map(({ id }) => id);
  return {
    inputs: packChunk(task.architecture, inputs, { start: 0, count: inputs.length, size: inputs.length }),
    label: i64(samples.map(({ label }) => label)),
    ...(crafted.extra === undefined ? {} : { extra: crafted.extra }),
    noise: drawNoise(trainer.noise, ids, { seed: task.seed, step: trainer.steps }),
    rate: task.schedule.rate(trainer.steps, totalSteps(scene)),
  };
}

const correct = ({ logits }: StepResult, samples: readonly LabelledSample[]): number => {
  const classes = logits.dims[1]!;
  return samples.filter(({ label }, i) => argmax(logits.data.subarray(i * classes, (i + 1) * classes)) === label).length;
};

const added = (running: Running, result: StepResult, samples: readonly LabelledSample[]): Running => ({
  ...running,
  steps: running.steps + 1,
  samples: running.samples + samples.length,
  loss: running.loss + result.loss * samples.length,
  correct: running.correct + correct(result, samples),
  norm: running.norm + result.norm,
  largestNorm: Math.max(running.largestNorm, result.norm),
});
