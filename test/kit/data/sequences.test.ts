import { describe, expect, test } from 'vitest';
import { writeNpz } from '../../../src/core/tensor/npy.ts';
import { f32, i64, type Tensor, tensor } from '../../../src/core/tensor/tensor.ts';
import { sequences } from '../../../src/kit/data/sequences.ts';
import { complaint, everything, problemsOf, treeOf, usableOf } from './samples.ts';

const names = (...data: string[]): Tensor => ({ dtype: 'string', dims: [data.length], data });
const index = (more: object = {}) => JSON.stringify({ classes: ['rest', 'walk'], ...more });
const x = f32([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12], [2, 2, 3]);
const good = { x, y: i64([1, 0]), subject: names('ann', 'bo') };
const folder = (arrays: Readonly<Record<string, Tensor>>, more: object = {}) =>
  treeOf({ 'index.json': index(more), 'train.npz': writeNpz(arrays) }, 'motion');
const refused = (arrays: Readonly<Record<string, Tensor>>, more: object = {}) => complaint(() => sequences(folder(arrays, more)));

describe('sequences', () => {
  test('gives channels x steps, the label by its name, and the subject as group', async () => {
    const data = await sequences(folder(good));
    expect([data.name, data.labels, data.count, data.synthetic]).toEqual(['motion', ['rest', 'walk'], 2, undefined]);
    expect(data.labelsAre).toBe('the array "y" of the archives in motion');
    const [first, second] = usableOf(await everything(data));
    expect(first).toEqual({
      id: 'train-0',
      group: 'ann',
      label: 'walk',
      inputs: { '': { kind: 'array', shape: [2, 3], data: Float32Array.of(1, 2, 3, 4, 5, 6) } },
    });
    expect([second!.group, second!.label]).toEqual(['bo', 'rest']);
  });

  test('takes double precision, small integers, numbered subjects, and none', async () => {
    const data = await sequences(
      folder({ x: tensor('float64', [1, 1, 2], Float64Array.of(0.5, 1)), y: tensor('uint8', [1], Uint8Array.of(1)) }),
    );
    expect(usableOf(await everything(data))[0]).toMatchObject({ group: 'train-0', label: 'walk' });
    const numbered = await sequences(folder({ ...good, subject: i64([7, 8]) }));
    expect(usableOf(await everything(numbered)).map((i) => i.group)).toEqual(['7', '8']);
  });

  test('keeps one split, and says so in its name and digest; says what the index says of the data', async () => {
    const tree = treeOf({
      'index.json': index({ splits: { fit: 'a.npz', held: 'b.npz' }, synthetic: 'synthetic: made up', labelsAre: 'asked for' }),
      'a.npz': writeNpz(good),
      'b.npz': writeNpz({ ...good, subject: names('cy', 'di') }),
    });
    const [all, held] = [await sequences(tree), await sequences(tree, { usage: 'held', name: './m' })];
    expect([all.count, held.count, held.name]).toEqual([4, 2, './m (held)']);
    expect(usableOf(await everything(held)).map((i) => i.id)).toEqual(['held-0', 'held-1']);
    expect(held.sha256).not.toBe(all.sha256);
    expect([held.synthetic, held.labelsAre]).toEqual(['synthetic: made up', 'asked for']);
    expect(await complaint(() => sequences(tree, { usage: 'hold' }))).toBe(
      'faces has no split "hold" -> did you mean "held"? (one of: fit, held)',
    );
  });

  test('a label without a class and a value that is not finite are problems of their sequence; the rest goes on', async () => {
    const three = f32([1, 2, 3, 4, Number.NaN, 6, 7, 8, 9], [3, 1, 3]);
    const items = await everything(await sequences(folder({ x: three, y: i64([5, 0, 1]) })));
    expect(problemsOf(items).map(({ item, reason }) => [item, reason])).toEqual([
      ['train-0', 'its label is 5, and there are 2 classes, 0..1'],
      ['train-1', 'channel 0, step 1 is NaN'],
    ]);
    expect(usableOf(items).map((i) => i.id)).toEqual(['train-2']);
  });

  test('refuses archives that do not fit, naming file and array', async () => {
    const { y: _, ...unlabelled } = good;
    expect(await refused(unlabelled)).toBe(
      '"motion/train.npz": it has no array "y" -> it needs x [N, channels, steps] and y [N] (it has: x, subject)',
    );
    expect(await refused({ ...good, x: f32([1, 2], [2, 1]) })).toMatch(/^"motion\/train.npz": x is float32 \[2, 1\] -> /);
    expect(await refused({ ...good, y: i64([1]) })).toMatch(/^"motion\/train.npz": y is \[1\] beside x \[2, 2, 3\] -> /);
    expect(await refused({ ...good, y: f32([1, 0]) })).toMatch(/^"motion\/train.npz": y is float32 -> /);
    expect(await refused({ ...good, subject: f32([1, 0]) })).toMatch(/subject is float32/);
    expect(await refused(good, { channels: ['a', 'b', 'c'] })).toMatch(/x has 2 channels, index.json names 3/);
    expect(await refused({ ...good, x: f32([], [0, 2, 3]), y: i64([]), subject: names() })).toMatch(/holds no sequences/);
    const cut = treeOf({ 'index.json': index(), 'train.npz': writeNpz(good).subarray(0, 90) }, 'motion');
    expect(await complaint(() => sequences(cut))).toMatch(/^"motion\/train.npz" is not a readable .npz archive/);
  });

  test('refuses an index that is none, naming the field', async () => {
    const open = (text: string) =>
      complaint(() => sequences(treeOf({ 'index.json': text, 'train.npz': writeNpz(good) }, 'motion')));
    expect(await open('{')).toMatch(/^"motion\/index.json" is not JSON: /);
    expect(await open('{}')).toMatch(/^"motion\/index.json": classes: /);
    expect(await open(index({ classses: [] }))).toMatch(/^"motion\/index.json": unrecognized key: "classses"/);
    expect(await open(index({ classes: ['a', 'a'] }))).toMatch(/classes names "a" twice/);
    expect(await open(index({ splits: { train: 'gone.npz' } }))).toMatch(/splits.train names "gone.npz", which is not there/);
    expect(await complaint(() => sequences(treeOf({ 'train.npz': writeNpz(good) }, 'motion')))).toMatch(
      /"motion" holds no index.json/,
    );
    expect(await complaint(() => sequences(treeOf({ 'index.json': index() }, 'motion')))).toMatch(/there is no split/);
  });
});
