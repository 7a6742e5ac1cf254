import { describe, expect, test } from 'vitest';
import { readNpz } from '../../../../src/core/tensor/npy.ts';
import { numbersOf } from '../../../../src/core/tensor/tensor.ts';
import { sequences } from '../../../../src/kit/data/sequences.ts';
import { sequenceFiles } from '../../../../src/kit/data/synth/sequence-files.ts';
import { makeSequence, type Sequence, sequenceClasses, sequenceSettings } from '../../../../src/kit/data/synth/sequences.ts';
import { splitNames } from '../../../../src/kit/data/synth/splits.ts';
import { complaint, everything, treeOf, usableOf } from '../samples.ts';
import { logisticAccuracy } from './logistic.ts';

const settings = sequenceSettings();
const corpus: readonly Sequence[] = Array.from({ length: 840 }, (_, i) => makeSequence(i, settings));

/** Mean and loudness of every channel. */
function loudness({ values }: Sequence): number[] {
  return Array.from({ length: settings.channels }, (_, c) => {
    const channel = values.subarray(c * settings.steps, (c + 1) * settings.steps);
    const mean = channel.reduce((a, b) => a + b, 0) / channel.length;
    return [mean, Math.sqrt(channel.reduce((a, b) => a + b * b, 0) / channel.length)];
  }).flat();
}

/** Power of a channel at a frequency, in squared amplitude. */
function power({ values }: Sequence, channel: number, hz: number): number {
  let [re, im] = [0, 0];
  for (let t = 0; t < settings.steps; t++) {
    const angle = (2 * Math.PI * hz * t) / settings.rate;
    const window = 1 - Math.cos((2 * Math.PI * t) / settings.steps);
    re += window * values[channel * settings.steps + t]! * Math.cos(angle);
    im += window * values[channel * settings.steps + t]! * Math.sin(angle);
  }
  return (4 * (re * re + im * im)) / settings.steps ** 2;
}

describe('synthetic sequences', () => {
  test('the same seed gives the same bytes, another seed others', () => {
    const [a, b, c] = [7, 7, 8].map((seed) => sequenceFiles({ seed, count: 120 }));
    expect(Object.keys(a!)).toEqual(['index.json', 'train.npz', 'validation.npz', 'test.npz']);
    for (const name of Object.keys(a!)) expect(Buffer.compare(a![name]!, b![name]!)).toBe(0);
    expect(Buffer.compare(a!['train.npz']!, c!['train.npz']!)).not.toBe(0);
  });

  test('a larger corpus begins with the smaller one', async () => {
    const read = async (count: number) =>
      usableOf(await everything(await sequences(treeOf(sequenceFiles({ count })), { usage: 'train' })));
    const [small, large] = [await read(120), await read(240)];
    expect(large.length).toBeGreaterThan(small.length);
    expect(large.slice(0, small.length)).toEqual(small);
  });

  test('no subject is in two splits; every split has every class equally often', () => {
    const owners = new Map<string, string>();
    for (const { subject, split } of corpus) {
      expect(owners.get(subject) ?? split).toBe(split);
      owners.set(subject, split);
    }
    for (const split of splitNames) {
      const part = corpus.filter((s) => s.split === split);
      const counts = sequenceClasses(settings.classes).map((_, k) => part.filter((s) => s.label === k).length);
      expect(new Set(counts).size).toBe(1);
    }
    expect(corpus.filter((s) => s.split === 'train').length).toBe(588);
  });

  test('loudness and mean of the channels tell nothing: a logistic regression on them stays at chance', () => {
    const of = (split: string) => corpus.filter((s) => s.split === split).map((s) => ({ x: loudness(s), y: s.label }));
    const accuracy = logisticAccuracy(of('train'), of('test'), settings.classes);
    expect(accuracy).toBeLessThan(1 / settings.classes + 0.15);
  });

  test("the class's ripple is there in every recording, and small beside the movement", () => {
    const hz = (label: number) => 10 + 2 * label;
    for (const sequence of corpus.slice(0, 60)) {
      const own = power(sequence, 0, hz(sequence.label));
      expect(Math.sqrt(own)).toBeGreaterThan(0.5 * settings.ripple);
      expect(Math.sqrt(own)).toBeLessThan(1.6 * settings.ripple);
    }
    const sd = Math.sqrt(
      corpus.flatMap((s) => Array.from(s.values.subarray(0, 128))).reduce((a, v) => a + v * v, 0) / (840 * 128),
    );
    expect(sd).toBeGreaterThan(0.9);
    expect(sd).toBeLessThan(1.3);
  });

  test('options that cannot be are refused by name', async () => {
    expect(await complaint(() => sequenceSettings({ classes: 9 }))).toBe('there are 2 to 8 classes, not 9 -> choose --classes 6');
    expect(await complaint(() => sequenceSettings({ subjects: 4 }))).toMatch(/^4 subjects cannot be divided/);
    expect(await complaint(() => sequenceSettings({ steps: 8 }))).toMatch(/^sequences have 32 to 4096 steps, not 8/);
    expect(await complaint(() => sequenceFiles({ count: 20 }))).toBe(
      '20 samples are too few for 6 classes in three splits -> ask for 42 or more (--count)',
    );
  });

  test('the smallest corpus has all classes in all splits, more classes and channels work', () => {
    const files = sequenceFiles({ count: 56, classes: 8, channels: 9, steps: 32 });
    for (const split of ['train', 'validation', 'test']) {
      const arrays = readNpz(files[`${split}.npz`]!);
      expect(arrays.get('x')!.dims.slice(1)).toEqual([9, 32]);
      expect(new Set(numbersOf(arrays.get('y')!)).size).toBe(8);
    }
  });
});
