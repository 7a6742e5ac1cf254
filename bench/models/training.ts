/** @file What the benchmark train-step trains: three of the product's families of networks. */
import { suggestion } from '../../src/core/errors.ts';
import type { Stream } from '../../src/core/tensor/random.ts';
import type { InputSpec } from '../../src/kit/model/model.ts';
import type { Architecture } from '../../src/kit/nn/architecture.ts';
import { cnnLstm } from '../../src/kit/nn/architectures/cnn-lstm.ts';
import { resnet18 } from '../../src/kit/nn/architectures/resnet18.ts';
import { spikingCnn } from '../../src/kit/nn/architectures/spiking/cnn.ts';
import { adam } from '../../src/kit/nn/optimisers/adam.ts';
import type { Optimiser } from '../../src/kit/nn/optimisers/optimiser.ts';
import { sgd } from '../../src/kit/nn/optimisers/sgd.ts';
import { shape } from './cnn-lstm.ts';

export interface TrainingCase {
  readonly name: string;
  readonly title: string;
  readonly architecture: Architecture;
  readonly optimiser: Optimiser;
  readonly settings: Optimiser['defaults'];
  readonly batch: number;
  /** Steps of one measurement. */
  readonly steps: number;
  /** An element of the inputs. */
  draw(random: Stream): number;
}

const task = (
  sizes: readonly number[],
  layout: string,
  count: number,
  rest: Partial<InputSpec> = {},
): Pick<Architecture, 'inputs' | 'classes'> => {
  const x: InputSpec = {
    shape: sizes,
    layout,
    modality: 'features',
    dtype: 'float32',
    unit: '',
    role: 'attacked',
    domain: 'continuous',
    bounds: 'unbounded',
    storage: 'float32',
    ...rest,
  };
  return { inputs: { x }, classes: Array.from({ length: count }, (_, i) => `class ${i}`) };
};

/** Event clips: time steps, polarities, and the side of a frame. */
const clip = [4, 2, 32, 32] as const;

const cases: readonly TrainingCase[] = [
  {
    name: 'resnet18',
    title: 'ResNet-18 with batch normalisation, 64x64, batch 32, SGD with momentum',
    architecture: resnet18.build(task([3, 64, 64], 'NCHW', 7, { modality: 'image' }), resnet18.defaults),
    optimiser: sgd as Optimiser,
    settings: { ...sgd.defaults, lr: 0.001, momentum: 0.9, weightDecay: 5e-4 },
    batch: 32,
    steps: 2,
    draw: (random) => random.normal(),
  },
  {
    name: 'cnn-lstm',
    title: 'CNN-LSTM for speech (BiLSTM of 256) with batch normalisation and dropout, batch 16, Adam',
    architecture: cnnLstm.build(task([shape.frames, shape.bands, 1], 'NTFC', shape.classes), cnnLstm.defaults),
    optimiser: adam as Optimiser,
    settings: { ...adam.defaults, lr: 1e-3 },
    batch: 16,
    steps: 4,
    draw: (random) => random.normal(),
  },
  {
    name: 'lif',
    title: '4-layer convolutional LIF net, event clips of T = 4 and 32x32, batch 16, Adam',
    architecture: spikingCnn.build(
      task(clip, 'NTCHW', 10, { modality: 'events', domain: 'binary', bounds: { lower: 0, upper: 1 }, storage: 'binary' }),
      { ...spikingCnn.defaults, width: 32, steps: clip[0] },
    ),
    optimiser: adam as Optimiser,
    settings: { ...adam.defaults, lr: 1e-3 },
    batch: 16,
    steps: 4,
    draw: (random) => (random.uniform() < 0.2 ? 1 : 0),
  },
];

export const trainingCases: readonly string[] = cases.map(({ name }) => name);

/** The case of that name. */
export function trainingCase(name: string): TrainingCase {
  const found = cases.find((one) => one.name === name);
  if (found === undefined) throw new Error(`there is no training case "${name}": ${suggestion(name, trainingCases)}`);
  return found;
}
