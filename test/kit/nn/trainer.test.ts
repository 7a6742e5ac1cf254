import { describe, expect, it } from 'vitest';
import { stream } from '../../../src/core/tensor/random.ts';
import { bytesOf, f32, i64, type Tensor } from '../../../src/core/tensor/tensor.ts';
import { standard } from '../../../src/kit/nn/objectives/cross-entropy.ts';
import { sgd } from '../../../src/kit/nn/optimisers/sgd.ts';
import { type Batch, openTrainer, type State, type TrainerOptions } from '../../../src/kit/nn/trainer.ts';
import { convNet, runtime } from './nets.ts';

const n = 16;
/** Images whose label says which half is brighter; the i-th batch is always the same. */
function batchOf(i: number, rate = 1): Batch {
  const random = stream(7, 'batch', i);
  const x = Float32Array.from({ length: n * 64 }, () => random.uniform());
  const bright = (image: number, half: number) =>
    x.subarray(image * 64 + half * 32, image * 64 + half * 32 + 32).reduce((a, b) => a + b);
  const label = i64(Array.from({ length: n }, (_, image) => Number(bright(image, 0) > bright(image, 1))));
  return { inputs: { x: f32(x, [n, 1, 8, 8]) }, label: label as Tensor<'int64'>, noise: {}, rate };
}
const open = (options: Partial<TrainerOptions> = {}) =>
  openTrainer(convNet(), runtime, { seed: 0, objective: standard(), optimiser: sgd, settings: { lr: 0.05 }, ...options });
const copy = (state: State) => Object.fromEntries(Object.entries(state).map(([name, t]) => [name, f32(t.data.slice(), t.dims)]));
/** The exact bits, so that -0 and NaN are told apart too. */
const bits = (state: State) =>
  Object.fromEntries(Object.entries(state).map(([name, t]) => [name, Buffer.from(bytesOf(t)).toString('base64')]));

describe('a trainer', () => {
  it('learns', async () => {
    const trainer = await open();
    const losses: number[] = [];
    for (let i = 0; i < 60; i++) losses.push((await trainer.step(batchOf(i))).loss);
    expect(losses.slice(50).reduce((a, b) => a + b) / 10).toBeLessThan(0.5 * losses[0]!);
    expect(trainer.steps).toBe(60);
  });
});
