/** @file `tsx bench/jobs/adversarial-epoch.ts [THREADS]`, and the job of the benchmark of that name: epochs of PGD-AT through fit(), as a recipe runs them. */
import { pathToFileURL } from 'node:url';
import * as ort from 'onnxruntime-node';
import { createRuntime } from '../../src/core/runtime/runtime.ts';
import { stream } from '../../src/core/tensor/random.ts';
import { sizeOf } from '../../src/core/tensor/tensor.ts';
import type { InputSpec } from '../../src/kit/model/model.ts';
import { smallCnn } from '../../src/kit/nn/architectures/small-cnn.ts';
import { fit } from '../../src/kit/nn/fit/fit.ts';
import type { TrainingSet } from '../../src/kit/nn/fit/task.ts';
import { sgd } from '../../src/kit/nn/optimisers/sgd.ts';
import { pgdAt } from '../../src/methods/defences/pgd-at.ts';

export const epochJob = {
  samples: 1024,
  side: 48,
  classes: 7,
  batch: 64,
  eps: 8 / 255,
  steps: 7,
  lr: 0.01,
  momentum: 0.9,
} as const;

const image: InputSpec = {
  shape: [1, epochJob.side, epochJob.side],
  layout: 'NCHW',
  dtype: 'float32',
  modality: 'image',
  unit: 'grey intensity',
  role: 'attacked',
  domain: 'continuous',
  bounds: { lower: 0, upper: 1 },
  storage: 'uint8',
};

const noiseImages = (name: string, count: number): TrainingSet => {
  const samples = Array.from({ length: count }, (_, i) => ({
    id: `${name} ${i}`,
    group: String(i),
    label: i % epochJob.classes,
    inputs: { image: Float32Array.from({ length: sizeOf(image.shape) }, stream(0, 'bench', name, i).uniform) },
  }));
  return { name, sha256: name, count, sample: async (index) => samples[index]! };
};

const training = noiseImages('training', epochJob.samples);
const validation = noiseImages('validation', epochJob.classes);

/** Trains an epoch; returns its seconds without the opening of sessions and without validation. */
export async function adversarialEpoch(threads: number): Promise<number> {
  const { samples, classes, batch, eps, steps, lr, momentum } = epochJob;
  const task = { inputs: { image }, classes: Array.from({ length: classes }, (_, i) => `class ${i}`) };
  const { objective, crafting } = pgdAt.make({ ...pgdAt.defaults, steps }, { image: { norm: 'linf', eps } });
  const { history } = await fit(
    {
      architecture: smallCnn.build(task, smallCnn.defaults),
      objective,
      crafting,
      optimiser: sgd,
      settings: { lr, momentum },
      schedule: { rate: () => 1 },
      epochs: 1,
      batch,
      seed: 0,
      train: [{ set: training }],
      validation,
    },
    { runtime: createRuntime(ort, { threads }), identity: 'bench' },
  );
  return samples / history[0]!.rate;
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href)
  process.stdout.write(`${(await adversarialEpoch(Number(process.argv[2] ?? 2))).toFixed(3)} s\n`);
