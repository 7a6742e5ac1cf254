import { describe, expect, test } from 'vitest';
import { cifar10 } from '../../../src/kit/data/cifar10.ts';
import type { RawImage } from '../../../src/kit/data/source.ts';
import { pictureFiles } from '../../../src/kit/data/synth/events/objects/picture-files.ts';
import { shapeNames } from '../../../src/kit/data/synth/events/objects/shapes.ts';
import { complaint, everything, treeOf, usableOf } from './samples.ts';

/** A record as the site of CIFAR-10 describes it: the class, 1024 bytes of red, of green, of blue, row by row. */
function record(label: number, pixel: (channel: number, row: number, column: number) => number): number[] {
  const bytes = [label];
  for (let c = 0; c < 3; c++) for (let y = 0; y < 32; y++) for (let x = 0; x < 32; x++) bytes.push(pixel(c, y, x));
  return bytes;
}

const batch = (...labels: number[]) =>
  Uint8Array.from(labels.flatMap((label) => record(label, (c, y, x) => 80 * c + 2 * y + (x % 2))));

const set = {
  'data_batch_1.bin': batch(6, 9),
  'data_batch_2.bin': batch(0),
  'data_batch_10.bin': batch(1),
  'test_batch.bin': batch(3, 8, 8),
  'batches.meta.txt': 'airplane\nautomobile\nbird\ncat\ndeer\ndog\nfrog\nhorse\nship\ntruck\n\n',
  'readme.html': '<html>',
};

const open = (files: Record<string, string | Uint8Array>, usage?: string) =>
  cifar10(treeOf(files, 'cifar'), usage === undefined ? {} : { usage });
const ids = async (usage?: string) => usableOf(await everything(await open(set, usage))).map(({ id, label }) => [id, label]);

describe('cifar10', () => {
  test('reads labels, and pixels from three planes', async () => {
    const data = await open(set);
    expect([data.count, data.labels[9], data.synthetic]).toEqual([7, 'truck', undefined]);
    const [item] = usableOf(await everything(data));
    const image = item!.inputs[''] as RawImage;
    expect([item!.id, item!.label, image.width, image.height, image.channels]).toEqual(['data_batch_1-0', 'frog', 32, 32, 3]);
    const at = (row: number, column: number) =>
      Array.from(image.data.slice(3 * (32 * row + column), 3 * (32 * row + column) + 3));
    expect([at(0, 0), at(0, 1), at(31, 2)]).toEqual([
      [0, 80, 160],
      [1, 81, 161],
      [62, 142, 222],
    ]);
  });

  test('splits: train is all batches in the order of their numbers, of which validation is the last and fit the others', async () => {
    expect(await ids('train')).toEqual([
      ['data_batch_1-0', 'frog'],
      ['data_batch_1-1', 'truck'],
      ['data_batch_2-0', 'airplane'],
      ['data_batch_10-0', 'automobile'],
    ]);
    expect(await ids('test')).toEqual([
      ['test_batch-0', 'cat'],
      ['test_batch-1', 'ship'],
      ['test_batch-2', 'ship'],
    ]);
    const [train, fit, validation] = [await ids('train'), await ids('fit'), await ids('validation')];
    expect([...fit, ...validation]).toEqual(train);
    expect(validation).toEqual([['data_batch_10-0', 'automobile']]);
    const [a, b] = [await open(set, 'train'), await open(set, 'test')];
    expect(a.sha256).not.toBe(b.sha256);
    expect(b.name).toBe('cifar (test)');
  });

  test('the folder of the archive may be named, or the one above it; names of classes may be missing', async () => {
    const packed = { 'cifar-10-batches-bin/data_batch_1.bin': set['data_batch_1.bin'] };
    const data = await open(packed);
    expect([data.count, data.labels[0], data.sha256]).toEqual([
      2,
      'airplane',
      (await open({ 'data_batch_1.bin': set['data_batch_1.bin'] })).sha256,
    ]);
  });

  test('says in one message what is wrong', async () => {
    const cases: readonly [Record<string, string | Uint8Array>, string | undefined, string][] = [
      [
        { 'data_batch_1.bin': set['test_batch.bin'].slice(0, 7000) },
        undefined,
        '"cifar/data_batch_1.bin" has 7000 bytes: 2 pictures of 3073 and 854 more -> it was cut short: get it again',
      ],
      [
        { 'test_batch.bin': new Uint8Array(0) },
        undefined,
        '"cifar/test_batch.bin" has 0 bytes: 0 pictures of 3073 and 0 more -> it was cut short: get it again',
      ],
      [
        { 'data_batch_1.bin': batch(2, 10) },
        undefined,
        '"cifar/data_batch_1.bin": the class of picture 1 is 10, and there are 10, 0..9 -> this is not the binary version of CIFAR-10, or the file is damaged: get it again',
      ],
      [set, 'tset', 'cifar has no split "tset" -> did you mean "test"? (one of: train, test, fit, validation)'],
      [
        { 'data_batch_1.bin': batch(1) },
        'test',
        'cifar has no split "test": its files are data_batch_1.bin -> validation is the last of several data_batch files, fit all the others, test is test_batch.bin',
      ],
      [
        { 'train.bin': '', 'test.bin': '' },
        undefined,
        '"cifar" holds neither data_batch_1.bin nor test_batch.bin -> CIFAR-100 has another layout: name the folder of CIFAR-10, "binary version"',
      ],
      [
        { ...set, 'batches.meta.txt': 'a\nb\n' },
        undefined,
        '"cifar/batches.meta.txt" names 2 classes -> write 10 different names, a line each, or remove it',
      ],
    ];
    for (const [files, usage, message] of cases) expect(await complaint(() => open(files, usage))).toBe(message);
  });
});

describe('synthetic pictures', () => {
  const files = pictureFiles({ count: 180 });

  test('are read by the format, say that they are synthetic, and have every class equally often in every file', async () => {
    for (const [usage, count] of [
      ['train', 150],
      ['fit', 120],
      ['validation', 30],
      ['test', 30],
    ] as const) {
      const data = await open(files, usage);
      expect([data.count, data.labels, data.synthetic?.slice(0, 18)]).toEqual([count, shapeNames, 'synthetic pictures']);
      const items = usableOf(await everything(data));
      for (const name of shapeNames) expect(items.filter(({ label }) => label === name)).toHaveLength(count / 10);
    }
  });

  test('the same seed gives the same bytes, another seed others; files of a larger corpus begin with the smaller ones', () => {
    const small = pictureFiles({ count: 60 });
    const again = pictureFiles({ count: 60 });
    for (const [name, bytes] of Object.entries(small)) expect(Buffer.compare(again[name]!, bytes)).toBe(0);
    expect(Buffer.compare(pictureFiles({ count: 60, seed: 1 })['test_batch.bin']!, small['test_batch.bin']!)).not.toBe(0);
    for (const name of ['data_batch_1.bin', 'test_batch.bin'])
      expect(Buffer.compare(files[name]!.subarray(0, small[name]!.length), small[name]!)).toBe(0);
  });

  test('too few for all files are refused', async () => {
    expect(await complaint(() => pictureFiles({ count: 59 }))).toBe(
      '59 pictures are too few for 10 classes in 6 files -> ask for 60 or more (--count)',
    );
  });
});
