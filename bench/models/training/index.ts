/** @file What the benchmark train-step trains. */
import type { Surrogate } from '../../../src/core/autodiff/substitutes.ts';
import { suggestion } from '../../../src/core/errors.ts';
import type { Stream } from '../../../src/core/tensor/random.ts';
import type { InputSpec } from '../../../src/kit/model/model.ts';
import type { Architecture } from '../../../src/kit/nn/architecture.ts';
import type { Layer } from '../../../src/kit/nn/net.ts';
import { adam } from '../../../src/kit/nn/optimisers/adam.ts';
import type { Optimiser } from '../../../src/kit/nn/optimisers/optimiser.ts';
import { sgd } from '../../../src/kit/nn/optimisers/sgd.ts';
import { shape } from '../cnn-lstm.ts';
import { cnnLstm } from './cnn-lstm.ts';
import { arctangent, lif, lifShape } from './lif.ts';
import { resnet18 } from './resnet18.ts';

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
  readonly surrogates: readonly Surrogate[];
}

const classes = (count: number): string[] => Array.from({ length: count }, (_, i) => `class ${i}`);

const spec = (shape: readonly number[], layout: string, modality: InputSpec['modality']): InputSpec => ({
  shape,
  layout,
  modality,
  dtype: 'float32',
  unit: '',
  role: 'attacked',
  domain: 'continuous',
  bounds: 'unbounded',
  storage: 'float32',
});

const network = (name: string, input: InputSpec, count: number, body: (classes: number) => Layer): Architecture => ({
  name,
  inputs: { x: input },
  classes: classes(count),
  write: (net, { x }) => body(count)(net, x!),
});

const cases: readonly TrainingCase[] = [
  {
    name: 'resnet18',
    title: 'ResNet-18 with batch normalisation, 64x64, batch 32, SGD with momentum',
    architecture: network('resnet18', spec([3, 64, 64], 'NCHW', 'image'), 7, resnet18),
    optimiser: sgd as Optimiser,
    settings: { ...sgd.defaults, lr: 0.001, momentum: 0.9, weightDecay: 5e-4 },
    batch: 32,
    steps: 2,
    draw: (random) => random.normal(),
    surrogates: [],
  },
  {
    name: 'cnn-lstm',
    title: 'CNN-LSTM for speech (BiLSTM of 256) with batch normalisation and dropout, batch 16, Adam',
    architecture: network('cnn-lstm', spec([shape.frames, shape.bands, 1], 'NHWC', 'features'), shape.classes, cnnLstm),
    optimiser: adam as Optimiser,
    settings: { ...adam.defaults, lr: 1e-3 },
    batch: 16,
    steps: 4,
    draw: (random) => random.normal(),
    surrogates: [],
  },
  {
    name: 'lif',
    title: `4-layer convolutional LIF net, T = ${lifShape.steps}, batch 16, Adam`,
    architecture: network(
      'lif',
      spec([lifShape.steps, lifShape.polarities, lifShape.side, lifShape.side], 'NTCHW', 'events'),
      10,
      lif,
    ),
    optimiser: adam as Optimiser,
    settings: { ...adam.defaults, lr: 1e-3 },
    batch: 16,
    steps: 4,
    draw: (random) => (random.uniform() < 0.2 ? 1 : 0),
    surrogates: [arctangent],
  },
];

export const trainingCases: readonly string[] = cases.map(({ name }) => name);

/** The case of that name. */
export function trainingCase(name: string): TrainingCase {
  const found = cases.find((one) => one.name === name);
  if (found === undefined) throw new Error(`there is no training case "${name}": ${suggestion(name, trainingCases)}`);
  return found;
}
