import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { i64, type Tensor } from '../../../src/core/tensor/tensor.ts';
import { gelu, tanh } from '../../../src/kit/nn/layers/activations.ts';
import { convolution } from '../../../src/kit/nn/layers/convolution.ts';
import { dense } from '../../../src/kit/nn/layers/dense.ts';
import { layerNorm } from '../../../src/kit/nn/layers/norms.ts';
import { flatten } from '../../../src/kit/nn/layers/shape.ts';
import { named } from '../../../src/kit/nn/net.ts';
import { standard } from '../../../src/kit/nn/objectives/cross-entropy.ts';
import { findOptimiser } from '../../../src/kit/nn/optimisers/registry.ts';
import { openTrainer } from '../../../src/kit/nn/trainer.ts';
import { uniform, weight } from './formula.ts';
import { netOf, runtime } from './nets.ts';

interface Case {
  readonly use: string;
  readonly options: Readonly<Record<string, number | boolean | string>>;
  /** Of the gradient at each step. */
  readonly norms: readonly number[];
  /** Relative distance PyTorch's float32 ends up at. */
  readonly float32: number;
  /** Parameters after the last step, float32 in base64. */
  readonly end: Readonly<Record<string, string>>;
}
const { steps, samples, classes, cases } = JSON.parse(
  readFileSync(new URL('../../fixtures/nn/trajectories.json', import.meta.url), 'utf8'),
) as { steps: number; samples: number; classes: number; cases: readonly Case[] };

const architecture = netOf(
  [1, 4, 4],
  classes,
  (net, x) => named('conv', convolution(4, [3, 3], { padding: 'same' }))(net, x),
  tanh,
  flatten,
  (net, x) => named('hidden', dense(6))(net, x),
  gelu,
  (net, x) => named('norm', layerNorm())(net, x),
  (net, x) => named('head', dense(classes))(net, x),
);
/** PyTorch's name of a parameter: without the place in the sequence. */
const theirs = (name: string): string => name.replace(/^\d+\./, '');
const floats = (text: string): Float32Array => new Float32Array(new Uint8Array(Buffer.from(text, 'base64')).buffer);

describe('twenty steps on a smooth net end where PyTorch float64 does', () => {
  it.each(cases.map((c) => [`${c.use} ${JSON.stringify(c.options)}`, c] as const))(
    '%s',
    async (_, { use, options, norms, end }) => {
      const { clip, ...settings } = options;
      const trainer = await openTrainer(architecture, runtime, {
        seed: 0,
        objective: standard(),
        optimiser: findOptimiser(use),
        settings,
        ...(clip === undefined ? {} : { clip: Number(clip) }),
      });
      const first = Object.fromEntries(trainer.parameters.map((p) => [p, weight(theirs(p), trainer.state()[p]!.dims)]));
      trainer.set(first);
      for (let step = 0; step < steps; step++) {
        const label = i64(Array.from({ length: samples }, (_, n) => (n + step) % classes)) as Tensor<'int64'>;
        const x = uniform(`x${step}`, [samples, 1, 4, 4]);
        const { norm } = await trainer.step({ inputs: { x }, label, noise: {}, rate: 0.5 + (step % 4) / 4 });
        expect(Math.abs(norm / norms[step]! - 1)).toBeLessThan(1e-4);
      }
      let [error, change, worst] = [0, 0, 0];
      for (const name of trainer.parameters) {
        const expected = floats(end[theirs(name)]!);
        trainer.state()[name]!.data.forEach((value, i) => {
          error += (value - expected[i]!) ** 2;
          change += (expected[i]! - first[name]!.data[i]!) ** 2;
          worst = Math.max(worst, Math.abs(value - expected[i]!));
        });
      }
      expect(Math.sqrt(error / change)).toBeLessThan(1e-5);
      expect(worst).toBeLessThan(1e-5);
    },
  );
});
