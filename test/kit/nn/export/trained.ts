/** Networks with weights as training leaves them: nothing at its first value, statistics far from 0 and 1. */
import { float } from '../../../../src/core/onnx/builder.ts';
import { stream } from '../../../../src/core/tensor/random.ts';
import { f32, type Tensor } from '../../../../src/core/tensor/tensor.ts';
import type { InputSpec } from '../../../../src/kit/model/model.ts';
import { type Architecture, buildNetwork } from '../../../../src/kit/nn/architecture.ts';
import type { TrainingFacts } from '../../../../src/kit/nn/export/export.ts';
import { filled, type Initialiser } from '../../../../src/kit/nn/initialisers.ts';
import { relu } from '../../../../src/kit/nn/layers/activations.ts';
import { batchNorm } from '../../../../src/kit/nn/layers/batch-norm.ts';
import { convolution } from '../../../../src/kit/nn/layers/convolution.ts';
import { dense } from '../../../../src/kit/nn/layers/dense.ts';
import { flatten } from '../../../../src/kit/nn/layers/shape.ts';
import { type Layer, sequential } from '../../../../src/kit/nn/net.ts';

export const image = (channels: number, size: number): InputSpec => ({
  shape: [channels, size, size],
  layout: 'NCHW',
  dtype: 'float32',
  modality: 'image',
  unit: 'intensity',
  role: 'attacked',
  domain: 'continuous',
  bounds: { lower: 0, upper: 1 },
  storage: 'uint8',
});

/** Convolution, normalisation, rectifier, twice; then a layer to the classes. */
export function normalised(classes: readonly string[] = ['calm', 'tense']): Architecture {
  const body = sequential(
    convolution(6, [3, 3], { padding: 'same', bias: false }),
    batchNorm(),
    relu,
    convolution(8, [3, 3], { stride: 2 }),
    batchNorm(),
    relu,
    flatten,
    dense(classes.length),
  );
  return { name: 'normalised', inputs: { image: image(3, 8) }, classes, write: (net, inputs) => body(net, inputs.image!) };
}

/** Weights drawn anew around the first ones; running means about 0.2, running variances between 0.5 and 2.5. */
export function asTrained(architecture: Architecture, seed = 1): Record<string, Tensor<'float32'>> {
  const { graph, parameters, statistics } = buildNetwork(architecture, { mode: 'inference', seed });
  const value = (name: string, change: (first: number, random: ReturnType<typeof stream>) => number): Tensor<'float32'> => {
    const { data, dims } = graph.initializers.get(name) as Tensor<'float32'>;
    const random = stream(seed, 'trained', name);
    return f32(
      data.map((v) => change(v, random)),
      dims,
    );
  };
  return Object.fromEntries([
    ...parameters.map((name) => [name, value(name, (v, random) => v + 0.05 * random.normal())] as const),
    ...[...statistics.keys()].map(
      (name) =>
        [
          name,
          value(name, (_, random) =>
            name.endsWith('running_var') ? 0.5 + 2 * random.uniform() ** 2 : 0.2 + 0.3 * random.normal(),
          ),
        ] as const,
    ),
  ]);
}

/** What `sums` makes, near 1000, less its mean: folded into the weights, the difference loses digits. `sums` has a bias of its own, `units` wide. */
export const cancelling =
  (units: number, sums: (bias: Initialiser) => Layer): Layer =>
  (net, x) => {
    const made = sums(filled(level))(net.within('sums'), x);
    const norm = net.within('norm');
    const inputs = [
      made.name,
      norm.parameter('weight', [units], filled(1)),
      norm.parameter('bias', [units], filled(0)),
      norm.statistic('running_mean', [units], level),
      norm.statistic('running_var', [units], 1),
    ];
    return { name: net.g.op('BatchNormalization', inputs, { epsilon: float(1e-5) }), shape: made.shape };
  };

const level = 1000;

const hash = (digit: string): string => digit.repeat(64);

export const facts = (more: Partial<TrainingFacts> = {}): TrainingFacts => ({
  name: 'toy',
  seed: 3,
  recipe: {
    name: 'toy',
    model: { use: 'normalised', width: 6 },
    optimiser: { use: 'adamw', lr: 0.001, weightDecay: 0.05 },
    schedule: { use: 'cosine', warmup: 0.05 },
    loss: { smoothing: 0 },
    augment: [{ use: 'shift', by: 2 }, 'flip'],
    epochs: 4,
    batch: 8,
    seed: 3,
  },
  data: [
    { split: 'train', name: 'faces', sha256: hash('a'), count: 40 },
    { split: 'validation', name: 'faces/validation', sha256: hash('b'), count: 10 },
  ],
  versions: { provoke: '0.1.0', onnxruntime: '1.30.0', node: 'v20.0.0' },
  training: { epochs: 4, steps: 20, bestEpoch: 3 },
  ...more,
});
