import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { i64, type Tensor } from '../../../src/core/tensor/tensor.ts';
import { relu } from '../../../src/kit/nn/layers/activations.ts';
import { batchNorm } from '../../../src/kit/nn/layers/batch-norm.ts';
import { convolution } from '../../../src/kit/nn/layers/convolution.ts';
import { dense } from '../../../src/kit/nn/layers/dense.ts';
import { maxPool } from '../../../src/kit/nn/layers/pooling.ts';
import { flatten } from '../../../src/kit/nn/layers/shape.ts';
import { named } from '../../../src/kit/nn/net.ts';
import { standard } from '../../../src/kit/nn/objectives/cross-entropy.ts';
import { sgd } from '../../../src/kit/nn/optimisers/sgd.ts';
import { type Batch, openTrainer } from '../../../src/kit/nn/trainer.ts';
import { uniform, weight } from './formula.ts';
import { netOf, runtime } from './nets.ts';

const { steps, batches, samples, classes, losses } = JSON.parse(
  readFileSync(new URL('../../fixtures/nn/curve.json', import.meta.url), 'utf8'),
) as {
  steps: number;
  batches: number;
  samples: number;
  classes: number;
  losses: Readonly<Record<'one' | 'two' | 'float64', readonly number[]>>;
};

const architecture = netOf(
  [1, 12, 12],
  classes,
  named('conv1', convolution(8, [3, 3], { padding: 'same', bias: false })),
  named('bn1', batchNorm()),
  relu,
  maxPool(2),
  named('conv2', convolution(16, [3, 3], { padding: 'same' })),
  named('bn2', batchNorm()),
  relu,
  flatten,
  named('head', dense(classes)),
);
const theirs = (name: string): string => name.replace(/^\d+\./, '');

/** What a pixel says, with a quarter of the labels drawn at random. */
function batchOf(step: number): Batch {
  const batch = step % batches;
  const x = uniform(`x${batch}`, [samples, 1, 12, 12]);
  const drawn = uniform(`label${batch}`, [samples]).data;
  const label = Array.from(drawn, (u, n) => Math.floor(u < 0.25 ? u * 4 * classes : x.data[n * 144 + 5 * 12 + 5]! * classes));
  return { inputs: { x }, label: i64(label) as Tensor<'int64'>, noise: {}, rate: 1 };
}

it('200 steps of a convolutional net have the losses of PyTorch, within 1 % or twice what its number of threads changes', async () => {
  const settings = { lr: 0.02, momentum: 0.9, weightDecay: 5e-4 };
  const trainer = await openTrainer(architecture, runtime, { seed: 0, objective: standard(), optimiser: sgd, settings });
  trainer.set(Object.fromEntries(trainer.parameters.map((p) => [p, weight(theirs(p), trainer.state()[p]!.dims)])));
  const made: number[] = [];
  for (let step = 0; step < steps; step++) {
    const { loss } = await trainer.step(batchOf(step));
    made.push(loss);
    const [one, two] = [losses.one[step]!, losses.two[step]!];
    expect(Math.abs(loss - one), `step ${step}`).toBeLessThanOrEqual(Math.max(0.01 * one, 2 * Math.abs(one - two)));
  }
  expect(made.at(-1)).toBeLessThan(0.5 * made[0]!);
});
