/** @file Free adversarial training: what the perturbation is after each step, and that it outlives batches and checkpoints. */
import { describe, expect, it } from 'vitest';
import { f32 } from '../../../src/core/tensor/tensor.ts';
import type { LabelledSample, Where } from '../../../src/kit/nn/fit/task.ts';
import type { StepResult } from '../../../src/kit/nn/trainer.ts';
import type { Threats } from '../../../src/methods/defences/defence.ts';
import { free } from '../../../src/methods/defences/free.ts';
import { openDefence, samplesOf, twoInputs } from './toy.ts';

const architecture = twoInputs();
const threats: Threats = { face: { norm: 'linf', eps: 0.1 }, voice: { norm: 'l2', eps: 0.5 } };
const batch = 4;
const where: Where = { epoch: 0, step: 0, replay: 0 };
const open = async (options: Partial<typeof free.defaults> = {}) =>
  (await openDefence(architecture, free, threats, { options, batch })).crafter;

/** A step's result as far as the crafter reads it: every slope of `face` and `voice` is the sample's own. */
const slopes = (face: readonly number[], voice: readonly number[]): StepResult =>
  ({
    inputGradients: {
      face: f32(
        face.flatMap((v) => new Array<number>(25).fill(v)),
        [face.length, 1, 5, 5],
      ),
      voice: f32(
        voice.flatMap((v) => new Array<number>(4).fill(v)),
        [voice.length, 4],
      ),
    },
  }) as unknown as StepResult;

/** Samples in the middle of the bounds, where no bound cuts. */
const central = (key: string): LabelledSample[] =>
  samplesOf(architecture, batch, key).map((sample) => ({
    ...sample,
    inputs: {
      face: sample.inputs.face!.map((v) => 0.3 + 0.4 * v),
      voice: sample.inputs.voice!.map((v) => 0.5 * v),
      age: sample.inputs.age!,
    },
  }));

const changes = async (
  crafter: Awaited<ReturnType<typeof open>>,
  samples: readonly LabelledSample[],
  input: 'face' | 'voice',
) => {
  const { inputs } = await crafter.craft(samples, where);
  return samples.map((sample, i) => Array.from(inputs![i]![input]!, (v, k) => v - sample.inputs[input]![k]!));
};

const all = (values: readonly number[], want: number) => values.every((v) => Math.abs(v - want) < 1e-6);

describe('the perturbation', () => {
  it('begins at nothing, moves by the sign of the step, and is carried to the next batch', async () => {
    const crafter = await open();
    const first = central('first');
    expect(crafter.replay).toBe(8);
    expect((await crafter.craft(first, where)).inputs).toEqual(first.map((s) => s.inputs));
    crafter.after!(slopes([1e-9, -3, 0, 2], [1, -1, 0, 5]), where);
    const second = central('second');
    const face = await changes(crafter, second, 'face');
    for (const [i, sign] of [1, -1, 0, 1].entries()) expect(all(face[i]!, 0.1 * sign)).toBe(true);
    const voice = await changes(crafter, second, 'voice');
    for (const [i, sign] of [1, -1, 0, 1].entries()) expect(all(voice[i]!, (0.5 * sign) / 2)).toBe(true);
  });

  it('is cut to the ball', async () => {
    const crafter = await open({ alpha: 0.06 });
    const samples = central('cut');
    const sizes: number[] = [];
    for (let step = 0; step < 3; step++) {
      crafter.after!(slopes([1, 1, 1, 1], [1, 1, 1, 1]), where);
      sizes.push((await changes(crafter, samples, 'face'))[0]![0]!);
    }
    for (const [i, want] of [0.06, 0.1, 0.1].entries()) expect(sizes[i]).toBeCloseTo(want, 6);
    crafter.after!(slopes([-1, 1, 1, 1], [1, 1, 1, 1]), where);
    expect((await changes(crafter, samples, 'face'))[0]![0]).toBeCloseTo(0.04, 6);
  });

  it('meets bounds and mask of the sample in its place, and forgets neither', async () => {
    const crafter = await open();
    crafter.after!(slopes([1, 1, 1, 1], [1, 1, 1, 1]), where);
    const edge = central('edge').map(
      (sample): LabelledSample => ({
        ...sample,
        inputs: { ...sample.inputs, face: new Float32Array(25).fill(0.97) },
        mask: { face: Float32Array.from({ length: 25 }, (_, i) => i % 2) },
      }),
    );
    const { inputs } = await crafter.craft(edge, where);
    expect(Array.from(inputs![0]!.face!)).toEqual(Array.from({ length: 25 }, (_, i) => (i % 2 === 1 ? 1 : Math.fround(0.97))));
    expect(all((await changes(crafter, central('after'), 'face'))[0]!, 0.1)).toBe(true);
  });

  it('stays where a slope is not finite', async () => {
    const crafter = await open();
    crafter.after!(slopes([Number.NaN, 1, 1, 1], [1, 1, 1, 1]), where);
    const face = await changes(crafter, central('nan'), 'face');
    expect(all(face[0]!, 0)).toBe(true);
    expect(all(face[1]!, 0.1)).toBe(true);
  });

  it('comes back from a checkpoint bit for bit', async () => {
    const [crafter, resumed] = [await open({ alpha: 0.03 }), await open({ alpha: 0.03 })];
    crafter.after!(slopes([1, -2, 3, 0], [0.1, 2, -1, 0]), where);
    const kept = crafter.state!();
    crafter.after!(slopes([9, 9, 9, 9], [9, 9, 9, 9]), where);
    resumed.restore!(kept);
    expect(resumed.state!()).toEqual(kept);
    resumed.after!(slopes([9, 9, 9, 9], [9, 9, 9, 9]), where);
    const samples = central('resumed');
    expect(await resumed.craft(samples, where)).toEqual(await crafter.craft(samples, where));
    expect(() => resumed.restore!({})).toThrow('face');
  });
});

it('uses the input gradients of the training step, in every replay', async () => {
  const opened = await openDefence(architecture, free, threats, { options: { replays: 3 }, batch, lr: 0.05 });
  const samples = central('steps');
  await opened.train(samples, 0);
  expect(opened.trainer.steps).toBe(3);
  const face = await changes(opened.crafter, samples, 'face');
  const grown = face.flat().filter((v) => Math.abs(Math.abs(v) - 0.1) < 1e-6).length;
  expect(grown).toBeGreaterThan(0.8 * face.flat().length);
});
