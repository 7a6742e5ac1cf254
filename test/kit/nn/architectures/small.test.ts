import * as ort from 'onnxruntime-node';
import { describe, expect, it } from 'vitest';
import { UserError } from '../../../../src/core/errors.ts';
import { createRuntime } from '../../../../src/core/runtime/runtime.ts';
import { openStepper } from '../../../../src/core/runtime/stepper.ts';
import { stream } from '../../../../src/core/tensor/random.ts';
import { f32, i64, scalar, sizeOf } from '../../../../src/core/tensor/tensor.ts';
import { type Architecture, buildNetwork } from '../../../../src/kit/nn/architecture.ts';
import { architectures, findArchitecture } from '../../../../src/kit/nn/architectures/registry.ts';
import { standard } from '../../../../src/kit/nn/objectives/cross-entropy.ts';
import { sgd } from '../../../../src/kit/nn/optimisers/sgd.ts';
import { makeStep } from '../../../../src/kit/nn/step.ts';
import { inputSpec } from './task.ts';

const runtime = createRuntime(ort, { threads: 1 });

/** Two classes told apart by which half of the last axis is brighter. */
async function learn(architecture: Architecture, steps: number, lr: number): Promise<number[]> {
  const [name, { shape }] = Object.entries(architecture.inputs)[0]!;
  const settings = { ...sgd.defaults, lr };
  const step = await makeStep(architecture, runtime, { seed: 1, objective: standard(), optimiser: sgd, settings });
  const stepper = await openStepper(step.graph, step.links, runtime);
  const random = stream(2);
  const [n, size, last] = [16, sizeOf(shape), shape.at(-1)!];
  const losses: number[] = [];
  for (let i = 0; i < steps; i++) {
    const labels = Array.from({ length: n }, () => random.integer(2));
    const x = Float32Array.from({ length: n * size }, (_, k) => {
      const side = Number(k % last >= last / 2);
      return random.uniform() * 0.6 + (side === labels[Math.floor(k / size)] ? 0.4 : 0);
    });
    const noise = Object.fromEntries(
      step.noise.map((s) => [
        s.name,
        f32(
          Float32Array.from({ length: n * sizeOf(s.shape) }, () => random.uniform()),
          [n, ...s.shape],
        ),
      ]),
    );
    const out = await stepper.run({
      [name]: f32(x, [n, ...shape]),
      label: i64(labels),
      ...noise,
      step_lr: scalar(lr),
    });
    losses.push((out.loss!.data as Float32Array)[0]!);
  }
  await stepper.release();
  return losses;
}

describe('small networks', () => {
  it.each([
    ['small-cnn', inputSpec([1, 24, 24], 'NCHW')],
    ['small-cnn', inputSpec([24, 24, 3], 'NHWC')],
    ['sequence-cnn', inputSpec([3, 32], 'NCT')],
    ['sequence-cnn', inputSpec([32], 'NT')],
  ])('%s learns to tell halves apart (%#)', async (family, spec) => {
    const { build, defaults } = findArchitecture(family);
    const architecture = build({ inputs: { x: spec }, classes: ['first', 'second'] }, { ...defaults, width: 8, norm: 'group' });
    const losses = await learn(architecture, 40, 0.05);
    expect(losses[0]).toBeGreaterThan(0.3);
    expect(Math.max(...losses.slice(-5))).toBeLessThan(0.5 * losses[0]!);
  });

  it('the layout only says where an axis lies: both give the same logits', async () => {
    const { build, defaults } = findArchitecture('small-cnn');
    const [c, h, w] = [3, 16, 12];
    const values = Float32Array.from({ length: 2 * c * h * w }, (_, i) => Math.abs(Math.sin(i)));
    const logits = async (layout: 'NCHW' | 'NHWC'): Promise<number[]> => {
      const shape = layout === 'NCHW' ? [c, h, w] : [h, w, c];
      const architecture = build({ inputs: { x: inputSpec(shape, layout) }, classes: ['a', 'b', 'c'] }, defaults);
      const { graph } = buildNetwork(architecture, { mode: 'inference', seed: 3 });
      const at = (n: number, i: number, y: number, x: number) => values[((n * c + i) * h + y) * w + x]!;
      const data: number[] = [];
      for (const n of [0, 1])
        if (layout === 'NCHW')
          for (let i = 0; i < c; i++) for (let y = 0; y < h; y++) for (let x = 0; x < w; x++) data.push(at(n, i, y, x));
        else for (let y = 0; y < h; y++) for (let x = 0; x < w; x++) for (let i = 0; i < c; i++) data.push(at(n, i, y, x));
      const [y] = Object.values(await runtime.execute(graph, { x: f32(data, [2, ...shape]) }));
      return [...(y!.data as Float32Array)];
    };
    expect(await logits('NHWC')).toEqual(await logits('NCHW'));
  });

  it('small-cnn maps the bounds: pixels in 0..255 and in 0..1 are the same to it', async () => {
    const { build, defaults } = findArchitecture('small-cnn');
    const unit = Float32Array.from({ length: 64 }, (_, i) => Math.round(255 * Math.abs(Math.sin(i))) / 255);
    const logits = async (upper: number): Promise<Float32Array> => {
      const spec = { ...inputSpec([1, 8, 8], 'NCHW'), bounds: { lower: 0, upper } };
      const { graph } = buildNetwork(build({ inputs: { x: spec }, classes: ['a', 'b'] }, { ...defaults, norm: 'none' }), {
        mode: 'inference',
        seed: 3,
      });
      const [y] = Object.values(
        await runtime.execute(graph, {
          x: f32(
            unit.map((v) => v * upper),
            [1, 1, 8, 8],
          ),
        }),
      );
      return y!.data as Float32Array;
    };
    const [small, large] = [await logits(1), await logits(255)];
    expect(Math.hypot(...small)).toBeGreaterThan(0.01);
    for (const [i, value] of small.entries()) expect(large[i]).toBeCloseTo(value, 5);
  });
});

describe('what does not suit', () => {
  const classes = ['a', 'b'];
  it.each([
    [
      'two inputs',
      { x: inputSpec([1, 8, 8], 'NCHW'), y: inputSpec([1], 'NC') },
      classes,
      /reads one input, and the task has 2: x, y/,
    ],
    ['no input', {}, classes, /has 0/],
    ['one class', { x: inputSpec([1, 8, 8], 'NCHW') }, ['a'], /at least two classes/],
    ['a sequence', { x: inputSpec([4, 8], 'NCT') }, classes, /layout NCT/],
    ['integers', { x: { ...inputSpec([1, 8, 8], 'NCHW'), dtype: 'int64' as const } }, classes, /is int64/],
    ['a short layout', { x: inputSpec([1, 8, 8], 'NHW') }, classes, /names 2 axes/],
  ])('small-cnn refuses %s', (_, inputs, names, message) => {
    const { build, defaults } = findArchitecture('small-cnn');
    expect(() => build({ inputs, classes: names }, defaults)).toThrow(UserError);
    expect(() => build({ inputs, classes: names }, defaults)).toThrow(message);
  });

  it('an unknown family is answered with the nearest', () => {
    expect(() => findArchitecture('smal-cnn')).toThrow(/there is no model family "smal-cnn"/);
    expect(() => findArchitecture('toString')).toThrow(UserError);
  });

  it.each(Object.values(architectures))('the defaults of $name pass its own check, and every option is explained', (family) => {
    expect(family.check?.(family.defaults)).toBeUndefined();
    expect(Object.keys(family.about).sort()).toEqual(Object.keys(family.defaults).sort());
  });

  it('values no network can have are refused', () => {
    const { check, defaults } = findArchitecture('small-cnn');
    expect(check!({ ...defaults, width: 0 })).toMatch(/width/);
    expect(check!({ ...defaults, dropout: 1 })).toMatch(/dropout/);
    expect(check!({ ...defaults, norm: 'layer' })).toMatch(/norm/);
  });
});
