/** @file Tiny trainings: a net of a few dozen weights, data made from a stream, a store in memory. */
import type { Runtime } from '../../../../src/core/runtime/runtime.ts';
import { stream } from '../../../../src/core/tensor/random.ts';
import type { Sample } from '../../../../src/kit/model/model.ts';
import type { Architecture } from '../../../../src/kit/nn/architecture.ts';
import { augmentation } from '../../../../src/kit/nn/fit/augment/augmentation.ts';
import { flip } from '../../../../src/kit/nn/fit/augment/flip.ts';
import { gaussian } from '../../../../src/kit/nn/fit/augment/gaussian.ts';
import { shift } from '../../../../src/kit/nn/fit/augment/shift.ts';
import { type FitOptions, type Fitted, fit } from '../../../../src/kit/nn/fit/fit.ts';
import type { CheckpointStore, Task, TrainingSet } from '../../../../src/kit/nn/fit/task.ts';
import { batchNorm } from '../../../../src/kit/nn/layers/batch-norm.ts';
import { convolution } from '../../../../src/kit/nn/layers/convolution.ts';
import { dense } from '../../../../src/kit/nn/layers/dense.ts';
import { dropout } from '../../../../src/kit/nn/layers/dropout.ts';
import { flatten } from '../../../../src/kit/nn/layers/shape.ts';
import { standard } from '../../../../src/kit/nn/objectives/cross-entropy.ts';
import { sgd } from '../../../../src/kit/nn/optimisers/sgd.ts';
import { elementwise, netOf, runtime } from '../nets.ts';

export { runtime };

/** Convolution, batch normalisation, dropout, dense: everything that has state of its own or draws random numbers. */
const layers = netOf(
  [1, 4, 4],
  2,
  convolution(3, [3, 3], { padding: 'same', bias: false }),
  batchNorm(),
  elementwise('Relu'),
  flatten,
  dropout(0.25),
  dense(2),
);

export const net: Architecture = {
  ...layers,
  inputs: { x: { ...layers.inputs.x!, layout: 'NCHW', modality: 'image', bounds: { lower: -4, upper: 4 } } },
};

/** Pictures whose upper half (class 0) or lower half (class 1) is brighter. */
export function halves(name: string, count: number, changes: Partial<TrainingSet> = {}): TrainingSet {
  return {
    name,
    sha256: `${name}-${count}`,
    count,
    async sample(index): Promise<Sample> {
      const random = stream(7, name, index);
      const label = index % 2;
      const x = Float32Array.from({ length: 16 }, (_, i) => random.normal() * 0.5 + (i < 8 === (label === 0) ? 1 : -1));
      return { id: `${index}`, group: `${index}`, inputs: { x }, label };
    },
    ...changes,
  };
}

/** `halves` with other values where `change` gives some. */
export const altered = (set: TrainingSet, change: (sample: Sample, index: number) => Partial<Sample>): TrainingSet => ({
  ...set,
  async sample(index) {
    const sample = await set.sample(index);
    return { ...sample, ...change(sample, index) };
  },
});

export const task = (changes: Partial<Task> = {}): Task => ({
  architecture: net,
  objective: standard(),
  optimiser: sgd as unknown as Task['optimiser'],
  settings: { lr: 0.05 },
  schedule: { rate: (step, of) => 1 - step / of },
  epochs: 3,
  batch: 4,
  seed: 1,
  train: [{ set: halves('train', 22) }],
  validation: halves('validation', 9),
  ...changes,
});

/** A task in which everything random and everything stateful is on. */
export const fullTask = (changes: Partial<Task> = {}): Task =>
  task({
    augment: [augmentation(flip), augmentation(shift, { by: 1 }), augmentation(gaussian, { sd: 0.1 })],
    ema: 0.9,
    clip: 1,
    earlyStop: { patience: 1, metric: 'accuracy' },
    ...changes,
  });

/** A store in memory; `writes` are all versions it ever held. */
export function memoryStore(first?: Uint8Array): CheckpointStore & { readonly writes: Uint8Array[] } {
  const writes: Uint8Array[] = first === undefined ? [] : [first];
  return {
    name: 'checkpoint.npz',
    writes,
    read: async () => writes.at(-1),
    async write(bytes) {
      writes.push(bytes);
    },
  };
}

export const train = (of: Task, options: Partial<FitOptions> = {}, on: Runtime = runtime): Promise<Fitted> =>
  fit(of, { runtime: on, identity: 'recipe', ...options });

/** What must be equal bit for bit: weights of the last and the best epoch, and the history without its times. */
export const outcome = ({ best, last, history, steps, stoppedEarly }: Fitted): unknown => ({
  best: { epoch: best.epoch, weights: bits(best.weights) },
  last: bits(last),
  history: history.map(({ seconds: _, rate: __, ...rest }) => rest),
  steps,
  stoppedEarly,
});

const bits = (weights: Fitted['last']): Record<string, string> =>
  Object.fromEntries(
    Object.entries(weights).map(([name, { data }]) => [
      name,
      Array.from(new Uint32Array(data.buffer, data.byteOffset, data.length)).join(),
    ]),
  );
