/** @file Small networks, samples and scenes for tests of defences. */
import * as ort from 'onnxruntime-node';
import { createRuntime, type Runtime } from '../../../src/core/runtime/runtime.ts';
import { stream } from '../../../src/core/tensor/random.ts';
import { i64, sizeOf } from '../../../src/core/tensor/tensor.ts';
import { packChunk } from '../../../src/kit/model/batches.ts';
import type { InputSpec, Inputs } from '../../../src/kit/model/model.ts';
import type { Architecture } from '../../../src/kit/nn/architecture.ts';
import { drawNoise } from '../../../src/kit/nn/fit/noise.ts';
import type { BatchCrafter, LabelledSample } from '../../../src/kit/nn/fit/task.ts';
import { relu } from '../../../src/kit/nn/layers/activations.ts';
import { batchNorm } from '../../../src/kit/nn/layers/batch-norm.ts';
import { convolution } from '../../../src/kit/nn/layers/convolution.ts';
import { dense } from '../../../src/kit/nn/layers/dense.ts';
import { dropout } from '../../../src/kit/nn/layers/dropout.ts';
import { flatten } from '../../../src/kit/nn/layers/shape.ts';
import { type Layer, named, sequential } from '../../../src/kit/nn/net.ts';
import { sgd } from '../../../src/kit/nn/optimisers/sgd.ts';
import { openTrainer, type StepResult, type Trainer } from '../../../src/kit/nn/trainer.ts';
import type { Defence, Defended, Threats } from '../../../src/methods/defences/defence.ts';
import { specOf } from '../../kit/threat/spec.ts';

export const runtime = createRuntime(ort, { threads: 1 });

export const spec = (shape: readonly number[], layout: string, more: Partial<InputSpec> = {}): InputSpec =>
  specOf(shape, { layout, ...more });

const eye = sequential(convolution(4, [3, 3], { padding: 'same', bias: false }), batchNorm(), relu, flatten, dense(6));
const ear = sequential(dense(6), relu);

/** Two attacked inputs, `face` [1, 5, 5] in 0..1 and `voice` [4] in -2..2, and `age` [1], which is given. */
export function twoInputs(before: Layer = (_, x) => x): Architecture {
  return {
    name: 'two inputs',
    inputs: {
      face: spec([1, 5, 5], 'NCHW'),
      voice: spec([4], 'NC', { bounds: { lower: -2, upper: 2 } }),
      age: spec([1], 'NC', { role: 'given', bounds: 'unbounded' }),
    },
    classes: ['a', 'b', 'c'],
    write(net, { face, voice, age }) {
      const parts = [named('eye', eye)(net, face!), named('ear', ear)(net, voice!), age!];
      const joined = net.g.op(
        'Concat',
        parts.map(({ name }) => name),
        { axis: 1 },
      );
      return named('head', sequential(before, dense(3)))(net, { name: joined, shape: [13] });
    },
  };
}

export const withDropout = twoInputs(dropout(0.5));

/** Samples of `architecture` with labels in turn. */
export function samplesOf(architecture: Architecture, count: number, key = 'samples'): LabelledSample[] {
  return Array.from({ length: count }, (_, i) => {
    const inputs = Object.entries(architecture.inputs).map(([name, { shape, bounds }]): [string, Float32Array] => {
      const random = stream(key, i, name);
      const [low, high] = bounds === 'unbounded' ? [-1, 1] : [bounds.lower as number, bounds.upper as number];
      return [name, Float32Array.from({ length: sizeOf(shape) }, () => low + (high - low) * random.uniform())];
    });
    return {
      id: `${key}-${i}`,
      group: `${i}`,
      label: i % architecture.classes.length,
      inputs: Object.fromEntries(inputs),
    };
  });
}

export interface Opened {
  readonly defended: Defended;
  readonly trainer: Trainer;
  readonly crafter: BatchCrafter;
  /** craft and step; the step's result. */
  train(samples: readonly LabelledSample[], step: number): Promise<StepResult>;
}

export async function openDefence(
  architecture: Architecture,
  defence: Defence,
  threats: Threats,
  { options = {}, lr = 0.1, batch = 16, on = runtime as Runtime, ema = undefined as number | undefined } = {},
): Promise<Opened> {
  const defended = defence.make({ ...defence.defaults, ...options }, threats);
  const { objective, crafting } = defended;
  const wrtInputs = crafting.wrtInputs ?? [];
  const averaging = ema === undefined ? {} : { ema };
  const trainer = await openTrainer(architecture, on, {
    seed: 5,
    objective,
    optimiser: sgd,
    settings: { lr },
    wrtInputs,
    ...averaging,
  });
  const signal = new AbortController().signal;
  const crafter = await crafting.prepare({ trainer, runtime: on, seed: 7, batch, signal });
  return {
    defended,
    trainer,
    crafter,
    async train(samples, step) {
      let result: StepResult | undefined;
      for (let replay = 0; replay < (crafter.replay ?? 1); replay++) {
        const where = { epoch: 0, step, replay };
        const { inputs = samples.map((s) => s.inputs), extra = {} } = await crafter.craft(samples, where);
        const ids = samples.map(({ id }) => id);
        result = await trainer.step({
          inputs: packed(architecture, inputs),
          label: i64(samples.map(({ label }) => label)),
          extra,
          noise: drawNoise(trainer.noise, ids, { seed: 7, step: trainer.steps }),
          rate: 1,
        });
        crafter.after?.(result, where);
      }
      return result!;
    },
  };
}

export const packed = (architecture: Architecture, inputs: readonly Inputs[]) =>
  packChunk(architecture, inputs, { start: 0, count: inputs.length, size: inputs.length });
