import * as ort from 'onnxruntime-node';
import { describe, expect, it } from 'vitest';
import { UserError } from '../../../src/core/errors.ts';
import { createRuntime } from '../../../src/core/runtime/runtime.ts';
import { stream } from '../../../src/core/tensor/random.ts';
import { bytesOf, f32, i64, type Tensor } from '../../../src/core/tensor/tensor.ts';
import { filled } from '../../../src/kit/nn/initialisers.ts';
import { dense } from '../../../src/kit/nn/layers/dense.ts';
import type { Layer } from '../../../src/kit/nn/net.ts';
import { standard } from '../../../src/kit/nn/objectives/cross-entropy.ts';
import { findOptimiser } from '../../../src/kit/nn/optimisers/registry.ts';
import { sgd } from '../../../src/kit/nn/optimisers/sgd.ts';
import type { StepOptions } from '../../../src/kit/nn/step-terms.ts';
import { type Batch, openTrainer, type State, type Trainer } from '../../../src/kit/nn/trainer.ts';
import { convNet, netOf, runtime } from './nets.ts';

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
const open = (options: Partial<StepOptions> = {}) =>
  openTrainer(convNet(), runtime, { seed: 0, objective: standard(), optimiser: sgd, settings: { lr: 0.05 }, ...options });
const copy = (state: State) => Object.fromEntries(Object.entries(state).map(([name, t]) => [name, f32(t.data.slice(), t.dims)]));
/** The exact bits, so that -0 and NaN are told apart too. */
const bits = (state: State) =>
  Object.fromEntries(Object.entries(state).map(([name, t]) => [name, Buffer.from(bytesOf(t)).toString('base64')]));

const train = async (trainer: Trainer, from: number, to: number): Promise<number[]> => {
  const losses: number[] = [];
  for (let i = from; i < to; i++) losses.push((await trainer.step(batchOf(i, 1 / (1 + i)))).loss);
  return losses;
};

describe('a trainer', () => {
  it('learns', async () => {
    const trainer = await open();
    const losses: number[] = [];
    for (let i = 0; i < 60; i++) losses.push((await trainer.step(batchOf(i))).loss);
    expect(losses.slice(50).reduce((a, b) => a + b) / 10).toBeLessThan(0.5 * losses[0]!);
    expect(trainer.steps).toBe(60);
  });

  it.each(['sgd', 'adam', 'adamw'])('goes on from its state under %s as if it had never stopped, bit for bit', async (name) => {
    const options = { optimiser: findOptimiser(name), settings: { lr: 0.01, weightDecay: 0.01 }, ema: 0.9, clip: 0.5 };
    const whole = await open(options);
    const first = await train(whole, 0, 5);
    const saved = copy(whole.state());
    const rest = await train(whole, 5, 10);
    const resumed = await open({ ...options, seed: 99 });
    resumed.set(saved, 5);
    expect(await train(resumed, 5, 10)).toEqual(rest);
    expect(bits(resumed.state())).toEqual(bits(whole.state()));
    expect(resumed.steps).toBe(10);
    expect(first).not.toEqual(rest);
  });

  it('computes the same bits from the same seed and others from another', async () => {
    const [a, b, c] = [await open(), await open(), await open({ seed: 1 })];
    for (const trainer of [a, b, c]) await train(trainer, 0, 3);
    expect(bits(b.state())).toEqual(bits(a.state()));
    expect(bits(c.state())).not.toEqual(bits(a.state()));
  });

  it('computes the same bits every time with two threads', async () => {
    const pair = createRuntime(ort, { threads: 2 });
    const options = { seed: 0, objective: standard(), optimiser: sgd };
    const [a, b] = [await openTrainer(convNet(), pair, options), await openTrainer(convNet(), pair, options)];
    for (const trainer of [a, b]) await train(trainer, 0, 5);
    expect(bits(b.state())).toEqual(bits(a.state()));
  });

  it('puts gradients of all parameters into one norm', async () => {
    const trainer = await open({ outputs: 'gradients' });
    const { norm, gradients } = await trainer.step(batchOf(0));
    const squares = Object.values(gradients).flatMap((t) => Array.from(t.data, (v) => v * v));
    expect(norm).toBeCloseTo(Math.sqrt(squares.reduce((a, b) => a + b)), 5);
    expect(Object.keys(gradients)).toEqual(trainer.parameters);
  });

  it('leaves the parameters to its caller who asks for gradients, and moves the statistics', async () => {
    const trainer = await open({ outputs: 'gradients' });
    const before = copy(trainer.state());
    await trainer.step(batchOf(0));
    const after = trainer.state();
    for (const name of trainer.parameters) expect(after[name]!.data).toEqual(before[name]!.data);
    for (const name of trainer.statistics) expect(after[name]!.data).not.toEqual(before[name]!.data);
  });

  it('clips to the norm asked for: the step is as long as the gradient scaled down', async () => {
    const clip = 0.125;
    const options = { settings: { lr: 1, momentum: 0 } };
    const [free, clipped] = [await open(options), await open({ ...options, clip })];
    const before = copy(free.state());
    const { norm } = await free.step(batchOf(0));
    expect((await clipped.step(batchOf(0))).norm).toBe(norm);
    expect(norm).toBeGreaterThan(clip);
    for (const name of free.parameters) {
      const moved = Array.from(before[name]!.data, (w, i) => [
        w - free.state()[name]!.data[i]!,
        w - clipped.state()[name]!.data[i]!,
      ]);
      for (const [step, short] of moved as [number, number][])
        expect(Math.abs(short - (step * clip) / (norm + 1e-6))).toBeLessThan(1e-6);
    }
  });

  it('returns the gradient of the mean loss with respect to inputs asked for', async () => {
    const trainer = await open({ wrtInputs: ['x'], outputs: 'gradients' });
    const batch = batchOf(0);
    const { inputGradients } = await trainer.step(batch);
    const direction = Float32Array.from(batch.inputs.x!.data as Float32Array, (_, i) => Math.sin(i));
    const shifted = async (h: number) => {
      const x = (batch.inputs.x!.data as Float32Array).map((v, i) => v + h * direction[i]!);
      return (await trainer.step({ ...batch, inputs: { x: f32(x, [n, 1, 8, 8]) } })).loss;
    };
    const slope = ((await shifted(1e-3)) - (await shifted(-1e-3))) / 2e-3;
    expect(inputGradients.x!.dims).toEqual([n, 1, 8, 8]);
    expect(inputGradients.x!.data.reduce((sum, g, i) => sum + g * direction[i]!, 0)).toBeCloseTo(slope, 2);
  });

  it('refuses a label that is no class', async () => {
    const trainer = await open();
    const label = i64(Array.from({ length: n }, (_, i) => (i === 3 ? 2 : 0))) as Tensor<'int64'>;
    await expect(trainer.step({ ...batchOf(0), label })).rejects.toThrow(/sample 3 .* label 2, .* 2 classes \(0 to 1\)/);
    expect(trainer.steps).toBe(0);
  });

  it('runs one step at a time', async () => {
    const trainer = await open();
    const running = trainer.step(batchOf(0));
    await expect(trainer.step(batchOf(1))).rejects.toThrow(/still running/);
    expect((await running).accepted).toBe(true);
  });
});

describe('a step that is not finite', () => {
  const one = { label: i64([0, 1]) as Tensor<'int64'>, noise: {}, rate: 1 };
  const zeroDense = dense(2, { initialise: filled(0) });
  /** Keeps 1e30 times the largest input as a statistic, and passes on 1e-30 of the input. */
  const peak: Layer = (net, x) => {
    net.statistic('peak', [1], 0);
    const largest = net.g.op('Reshape', [net.g.op('ReduceMax', [x.name], { keepdims: 0 }), net.g.ints([1])]);
    net.update('peak', net.g.op('Mul', [largest, net.g.number(1e30)]));
    return { name: net.g.op('Mul', [x.name, net.g.number(1e-30)]), shape: x.shape };
  };
  it.each([
    ['loss', netOf([2], 2, dense(2)), [Number.POSITIVE_INFINITY, 1, 1, 1]],
    ['loss', netOf([2], 2, dense(2)), [1, 1, Number.NaN, 1]],
    // logits are 0 and the loss is log 2, while the gradient is half the input
    ['gradient', netOf([2], 2, zeroDense), [3e38, 3e38, 1, 1]],
    ['statistics', netOf([2], 2, peak, dense(2)), [1e20, 1, 1, 1]],
  ] as const)('is not kept: %s', async (what, architecture, x) => {
    const trainer = await openTrainer(architecture, runtime, {
      seed: 0,
      objective: standard(),
      optimiser: findOptimiser('adam'),
      ema: 0.9,
    });
    const good = { ...one, inputs: { x: f32([1, 2, -1, 0.5], [2, 2]) } };
    if (what !== 'gradient') await trainer.step(good);
    const before = { state: bits(trainer.state()), steps: trainer.steps };
    const result = await trainer.step({ ...one, inputs: { x: f32(x, [2, 2]) } });
    expect(result).toMatchObject({ accepted: false, notFinite: what });
    expect({ state: bits(trainer.state()), steps: trainer.steps }).toEqual(before);
    expect((await trainer.step(good)).accepted).toBe(true);
    expect(Object.values(trainer.state()).every((t) => t.data.every(Number.isFinite))).toBe(true);
  });
});

describe('moving averages', () => {
  it.each([
    [true, (t: number) => Math.min(0.7, (1 + t) / (10 + t))],
    [false, () => 0.7],
  ])('follow weights and statistics (warm-up %s), and are the weights for inference', async (emaWarmup, decay) => {
    const trainer = await open({ ema: 0.7, emaWarmup });
    const expected = Object.fromEntries(
      Object.entries(trainer.weights({ raw: true })).map(([name, t]) => [name, Float64Array.from(t.data)]),
    );
    for (let t = 1; t <= 25; t++) {
      await trainer.step(batchOf(t));
      const d = decay(t);
      for (const [name, { data }] of Object.entries(trainer.weights({ raw: true })))
        expected[name] = expected[name]!.map((average, i) => d * average + (1 - d) * data[i]!);
    }
    const averages = trainer.weights();
    expect(Object.keys(averages)).toEqual([...trainer.parameters, ...trainer.statistics]);
    for (const [name, { data }] of Object.entries(averages)) {
      const off = data.map((value, i) => Math.abs(value - expected[name]![i]!));
      expect(Math.max(...off)).toBeLessThan(2e-6);
      expect(data).not.toEqual(trainer.weights({ raw: true })[name]!.data);
    }
  });

  it('without them the weights are the present ones', async () => {
    const trainer = await open();
    expect(trainer.weights()).toEqual(trainer.weights({ raw: true }));
  });
});

describe('a trainer is refused', () => {
  const twoHeads = netOf([2], 2, (net, x) => {
    dense(3)(net.within('lost'), x);
    return dense(2)(net.within('kept'), x);
  });
  it('with parameters the loss does not reach, by name', async () => {
    const options = { seed: 0, objective: standard(), optimiser: sgd };
    const opening = openTrainer(twoHeads, runtime, options);
    await expect(opening).rejects.toThrow(UserError);
    await expect(opening).rejects.toThrow(/does not depend on "0.lost.weight", "0.lost.bias":/);
  });

  it.each([
    [{ clip: 0 }, /clip is 0/],
    [{ seed: Number.NaN }, /the seed is NaN/],
    [{ ema: 1 }, /ema is 1/],
    [{ settings: { lr: -1 } }, /sgd.lr is -1/],
    [{ settings: { momentum: 1 } }, /momentum is 1/],
    [{ settings: { momentum: 0, nesterov: true } }, /nesterov looks ahead/],
    [{ settings: { decay: 'biases' } }, /decay is "biases"/],
    [{ settings: { beta1: 0.9 } }, /no option "beta1"/],
  ] as [Partial<StepOptions>, RegExp][])('with %j', async (options, message) => {
    await expect(open(options)).rejects.toThrow(message);
  });
});
