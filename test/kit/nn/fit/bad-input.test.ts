import { describe, expect, it } from 'vitest';
import type { UserError } from '../../../../src/core/errors.ts';
import { augmentation } from '../../../../src/kit/nn/fit/augment/augmentation.ts';
import { timeShift } from '../../../../src/kit/nn/fit/augment/time-shift.ts';
import type { Task } from '../../../../src/kit/nn/fit/task.ts';
import { batchNorm } from '../../../../src/kit/nn/layers/batch-norm.ts';
import { convolution } from '../../../../src/kit/nn/layers/convolution.ts';
import { dense } from '../../../../src/kit/nn/layers/dense.ts';
import { flatten } from '../../../../src/kit/nn/layers/shape.ts';
import { elementwise, netOf } from '../nets.ts';
import { altered, fullTask, halves, memoryStore, net, task, train } from './tasks.ts';

const good = halves('train', 22);
const labelled = (label: number | undefined) =>
  altered(good, (sample, i) => (i === 5 ? { label: label as number } : { label: sample.label! }));
/** Normalises what is left of the picture at one place. */
const lone = netOf([1, 4, 4], 2, convolution(3, [4, 4]), batchNorm(), flatten, dense(2));
const refusal = async (of: Promise<unknown>): Promise<UserError> => {
  const error = await of.then(
    () => undefined,
    (e: unknown) => e,
  );
  expect(error).toMatchObject({ name: 'UserError', remedy: expect.stringMatching(/./) });
  return error as UserError;
};

describe('data that cannot be trained on', () => {
  it.each<[string, Partial<Task>, RegExp]>([
    [
      'a class missing from training',
      { train: [{ set: altered(good, () => ({ label: 1 })) }] },
      /training data have no sample of the class "c0"/,
    ],
    [
      'a class missing from validation',
      { validation: halves('validation', 1) },
      /validation data have no sample of the class "c1"/,
    ],
    ['a batch larger than the data', { batch: 23 }, /batch of 23 is larger than the training data \(22 samples\)/],
    [
      'a label outside the classes',
      { train: [{ set: labelled(2) }] },
      /sample "5" of "train" has the label 2, and there are 2 classes/,
    ],
    ['a negative label', { train: [{ set: labelled(-1) }] }, /has the label -1/],
    [
      'a label that the set tells beforehand',
      { train: [{ set: { ...good, labels: async () => Array.from({ length: 22 }, (_, i) => i) } }] },
      /sample 2 of "train" has the label 2/,
    ],
    ['no label', { train: [{ set: labelled(undefined) }] }, /sample "5" of "train" has no label/],
    ['an empty training set', { train: [{ set: halves('train', 0) }] }, /training set "train" is empty/],
    ['an empty validation set', { validation: halves('validation', 0) }, /validation set "validation" is empty/],
    ['no training set', { train: [] }, /no training set/],
    [
      'an input of another size',
      { train: [{ set: altered(good, (_, i) => (i === 3 ? { inputs: { x: new Float32Array(9) } } : {})) }] },
      /sample "3" of "train": input "x" has 9 values/,
    ],
    [
      'an input of another name',
      { train: [{ set: altered(good, ({ inputs }) => ({ inputs: { y: inputs.x! } })) }] },
      /has no input "x"/,
    ],
    [
      'an augmentation of no input',
      { augment: [augmentation(timeShift)] },
      /"time-shift" means nothing for input "x" \(image, NCHW\)/,
    ],
    [
      'batch statistics of single values',
      { batch: 1, architecture: { ...net, write: lone.write } },
      /batch of 1 has a single value per channel where "1\.weight" scales/,
    ],
    ['no epochs', { epochs: 0 }, /0 epochs/],
    ['a seed that is no number', { seed: Number.NaN }, /^the seed is NaN$/],
    ['a negative seed', { seed: -1 }, /^the seed is -1$/],
    ['half a seed', { seed: 0.5 }, /^the seed is 0\.5$/],
    ['no patience', { earlyStop: { patience: 0 } }, /patience of 0/],
  ])('%s', async (_, changes, message) => {
    expect((await refusal(train(task(changes)))).message).toMatch(message);
  });

  it('a sample that cannot be read ends training with its own error, also while it is loaded ahead', async () => {
    const broken = { ...good, labels: async () => Array.from({ length: 22 }, (_, i) => i % 2) };
    const set = { ...broken, sample: (i: number) => (i === 7 ? Promise.reject(new Error('disk gone')) : good.sample(i)) };
    await expect(train(task({ train: [{ set }] }))).rejects.toThrow('disk gone');
  });
});

describe('checkpoints that cannot be gone on from', () => {
  const written = async (): Promise<Uint8Array> => {
    const store = memoryStore();
    await train(fullTask({ epochs: 1 }), { store });
    return store.writes.at(-1)!;
  };

  it('of another recipe', async () => {
    const error = await refusal(train(fullTask({ epochs: 1 }), { store: memoryStore(await written()), identity: 'another' }));
    expect(error.message).toBe('checkpoint.npz is a checkpoint of another recipe');
  });

  it('of other data', async () => {
    const changed = [{ set: { ...good, sha256: 'changed' } }];
    const error = await refusal(train(fullTask({ epochs: 1, train: changed }), { store: memoryStore(await written()) }));
    expect(error.message).toMatch(/checkpoint of other data: "train train" has changed since/);
  });

  it('of another network under the same identity', async () => {
    const other = { ...net, write: netOf([1, 4, 4], 2, flatten, elementwise('Tanh'), dense(2)).write };
    const error = await refusal(train(fullTask({ epochs: 1, architecture: other }), { store: memoryStore(await written()) }));
    expect(error.message).toMatch(/another network/);
  });

  it('cut short, anywhere', async () => {
    const whole = await written();
    for (const share of [0, 0.1, 0.5, 0.9, 0.999]) {
      const cut = whole.slice(0, Math.floor(share * whole.length));
      const error = await refusal(train(fullTask({ epochs: 1 }), { store: memoryStore(cut) }));
      expect(error.message).toMatch(/checkpoint\.npz is damaged: it is cut short/);
    }
  });

  it('with one bit of a weight turned over', async () => {
    const bytes = (await written()).slice();
    const name = new TextEncoder().encode('state/0.weight.npy');
    const at = bytes.findIndex((_, i) => name.every((b, k) => bytes[i + k] === b));
    expect(at).toBeGreaterThan(0);
    bytes[at + name.length + 140]! ^= 1;
    const error = await refusal(train(fullTask({ epochs: 1 }), { store: memoryStore(bytes) }));
    expect(error.message).toMatch(/damaged: its content does not match its digest/);
  });

  it('files that are something else', async () => {
    const { writeNpz } = await import('../../../../src/core/tensor/npy.ts');
    const { f32 } = await import('../../../../src/core/tensor/tensor.ts');
    const foreign = memoryStore(writeNpz({ weights: f32([1, 2]) }));
    expect((await refusal(train(task(), { store: foreign }))).message).toMatch(/is not a checkpoint of a training/);
    const text = memoryStore(new TextEncoder().encode('hello'));
    expect((await refusal(train(task(), { store: text }))).message).toMatch(/damaged/);
  });
});
