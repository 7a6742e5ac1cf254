import { describe, expect, test } from 'vitest';
import { decodeImage, encodePng } from '../../../src/app/host/images.ts';
import { imageFolder } from '../../../src/kit/data/image-folder.ts';
import { complaint, everything, problemsOf, treeOf, usableOf } from './samples.ts';

const png = (value: number) =>
  encodePng({ kind: 'image', width: 2, height: 1, channels: 1, data: Uint8Array.of(value, 255 - value) });

describe('image-folder', () => {
  test('takes the class from the sub-folder and the group from the folder inside it', async () => {
    const tree = treeOf({
      'happy/a.png': await png(1),
      'sad/anna/b.PNG': await png(2),
      'sad/anna/c.png': await png(3),
      'notes.txt': 'x',
    });
    const data = await imageFolder(tree, { decodeImage });
    expect(data.labels).toEqual(['happy', 'sad']);
    expect(data.labelsAre).toBe('the names of the folders');
    const items = usableOf(await everything(data));
    expect(items.map(({ id, label, group }) => [id, label, group])).toEqual([
      ['happy/a.png', 'happy', 'happy/a.png'],
      ['sad/anna/b.PNG', 'sad', 'anna'],
      ['sad/anna/c.png', 'sad', 'anna'],
    ]);
    expect(items[1]!.inputs['']).toEqual({
      kind: 'image',
      width: 2,
      height: 1,
      channels: 1,
      data: expect.objectContaining({ 0: 2, 1: 253 }),
    });
  });

  test('without sub-folders the images have no labels, and it says what stands in for them', async () => {
    const data = await imageFolder(treeOf({ 'a.png': await png(1), 'b.png': await png(2) }), { decodeImage });
    expect(data.labels).toEqual([]);
    expect(data.labelsAre).toContain('agreement, not accuracy');
    expect(usableOf(await everything(data)).map((i) => i.label)).toEqual([undefined, undefined]);
  });

  test('reads labels.csv, with quotes, blank lines and a group', async () => {
    const csv = '\uFEFFFile,label,group\r\n"x,1.png",Angry,s1\r\n\r\ny.png, Happy ,\r\n';
    const data = await imageFolder(
      treeOf({ 'labels.csv': csv, 'x,1.png': await png(1), 'y.png': await png(2), 'z.png': await png(3) }),
      { decodeImage },
    );
    expect(data.labelsAre).toBe('the column "label" of labels.csv');
    expect(usableOf(await everything(data)).map(({ id, label, group }) => [id, label, group])).toEqual([
      ['x,1.png', 'Angry', 's1'],
      ['y.png', 'Happy', 'y.png'],
    ]);
  });

  test('names and counts what it cannot use, and goes on', async () => {
    const good = await png(7);
    const tree = treeOf({
      'happy/good.png': good,
      'happy/cut.png': good.subarray(0, 40),
      'happy/text.jpg': 'this is not an image',
      'happy/empty.png': '',
      'stray.png': good,
    });
    const items = await everything(await imageFolder(tree, { decodeImage }));
    expect(usableOf(items).map((i) => i.id)).toEqual(['happy/good.png']);
    const problems = problemsOf(items);
    expect(problems.map((p) => p.item)).toEqual(['happy/cut.png', 'happy/empty.png', 'happy/text.jpg', 'stray.png']);
    for (const { reason } of problems.slice(0, 3)) expect(reason).toMatch(/^it is not a readable image: ./);
    expect(problems[3]!.reason).toBe('it lies beside the class folders, so it has no label');
  });

  test('a table that names a missing file or has a short line is a problem of that line', async () => {
    const tree = treeOf({ 'labels.csv': 'file,label\ngone.png,happy\nx.png\nx.png,sad\n', 'x.png': await png(1) });
    const items = await everything(await imageFolder(tree, { decodeImage }));
    expect(problemsOf(items)).toEqual([
      { item: 'gone.png', reason: 'labels.csv line 2 names it, but the file is not there' },
      { item: 'labels.csv line 3', reason: 'it has 1 fields, 2 are needed, none of file and label empty' },
    ]);
    expect(usableOf(items)).toHaveLength(1);
  });

  test('a picture that a table names twice is one sample', async () => {
    const tree = treeOf({ 'labels.csv': 'file,label\nx.png,happy\nx.png,sad\n', 'x.png': await png(1) });
    const items = await everything(await imageFolder(tree, { decodeImage }));
    expect(usableOf(items).map(({ id, label }) => [id, label])).toEqual([['x.png', 'happy']]);
    expect(problemsOf(items)).toEqual([
      { item: 'labels.csv line 3', reason: 'it names "x.png" again, as labels.csv line 2 does' },
    ]);
  });

  test('refuses a folder without images and a table without its columns', async () => {
    expect(await complaint(() => imageFolder(treeOf({ 'readme.txt': 'x' }, 'mine'), { decodeImage }))).toBe(
      '"mine" holds no images -> put PNG, JPEG, WebP, TIFF, GIF or AVIF files into a sub-folder per class, or list them in labels.csv (file,label)',
    );
    expect(await complaint(() => imageFolder(treeOf({ 'labels.csv': 'name;class\n' }), { decodeImage }))).toBe(
      'the first line of "faces/labels.csv" is "name;class" -> it has to name the columns: file,label (and, if you like, group)',
    );
    expect(await complaint(() => imageFolder(treeOf({ 'label.csv': 'file,label' }), { decodeImage, csv: 'labels.csv' }))).toBe(
      '"faces" holds no "labels.csv" -> did you mean "label.csv"? (one of: label.csv)',
    );
  });

  test('the digest follows content, names and labels', async () => {
    const of = async (files: Record<string, Uint8Array>) => (await imageFolder(treeOf(files), { decodeImage })).sha256;
    const base = await of({ 'a/x.png': await png(1) });
    expect(await of({ 'a/x.png': await png(1) })).toBe(base);
    expect(await of({ 'a/x.png': await png(2) })).not.toBe(base);
    expect(await of({ 'b/x.png': await png(1) })).not.toBe(base);
    expect(base).toMatch(/^[0-9a-f]{64}$/);
  });
});
