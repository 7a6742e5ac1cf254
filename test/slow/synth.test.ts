import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadData } from '../../src/app/host/data.ts';
import { nodeRuntime } from '../../src/app/host/runtime.ts';
import { expressions } from '../../src/kit/data/synth/faces/expressions.ts';
import { type Ended, inFolder, provoke, provokeInTurn } from '../app/cli/provoke.ts';
import { everything, usableOf } from '../kit/data/samples.ts';

const open = (format: string, path: string, base: string, usage?: string) =>
  loadData({ format, path, ...(usage === undefined ? {} : { usage }) }, { base, runtime: nodeRuntime({ threads: 1 }) });

describe('provoke synth', () => {
  it('sequences: a folder the format reads, which says that it is synthetic; the same bytes again', async () => {
    await inFolder(async (folder) => {
      for (const out of ['a', 'b']) {
        const { code, stdout, stderr } = await provoke(['synth', 'sequences', '-o', out, '--count', '60', '--seed', '3'], folder);
        expect([code, stderr]).toEqual([0, '']);
        expect(stdout).toBe(`${out}: 60 synthetic sequences (index.json, train.npz, validation.npz, test.npz)\n`);
      }
      for (const name of await readdir(join(folder, 'a')))
        expect(Buffer.compare(await readFile(join(folder, 'a', name)), await readFile(join(folder, 'b', name)))).toBe(0);
      const data = await open('sequences', 'a', folder, 'test');
      expect(data.synthetic).toMatch(/^synthetic sequences: 6 kinds of rhythmic movement of 40 invented subjects/);
      expect(data.labels).toEqual(['walk', 'run', 'jump', 'wave', 'sit', 'stumble']);
      expect(usableOf(await everything(data))[0]!.inputs['']).toMatchObject({ kind: 'array', shape: [6, 128] });
      expect(await readdir(folder)).toEqual(['a', 'b']);
    });
  }, 120_000);

  it('faces: the CSV with its note, and a contact sheet', async () => {
    await inFolder(async (folder) => {
      const args = ['synth', 'faces', '-o', 'faces.csv', '--count', '49', '--sheet', 'sheet.png'];
      const { code, stdout } = await provoke(args, folder);
      expect(code).toBe(0);
      expect(stdout).toMatch(/^faces\.csv: 49 synthetic faces: 19 photographed faces of the npm package @vladmandic\/face-api/);
      const data = await open('fer2013', 'faces.csv', folder);
      expect([data.count, data.synthetic?.slice(0, 15)]).toEqual([49, 'synthetic faces']);
      const items = usableOf(await everything(data));
      expect(items.map((i) => i.label)).toEqual(items.map((_, i) => expressions[i % 7]!.name));
      expect(items[0]!.group).toMatch(/^sample\d-face\d$/);
      const { width, height } = await sharp(join(folder, 'sheet.png')).metadata();
      expect([width, height]).toEqual([7 * 97, 7 * 97]);
      expect((await readdir(folder)).sort()).toEqual(['faces.csv', 'faces.csv.synthetic.json', 'sheet.png']);
    });
  }, 120_000);

  it('faces as folders: each split is an image folder of its own, with its note', async () => {
    await inFolder(async (folder) => {
      const args = ['synth', 'faces', '-o', 'faces', '--format', 'image-folder', '--count', '49'];
      expect((await provoke(args, folder)).code).toBe(0);
      expect((await readdir(join(folder, 'faces'))).sort()).toEqual(['test', 'train', 'validation']);
      const data = await open('image-folder', 'faces/test', folder);
      expect([data.count, data.labels]).toEqual([7, expressions.map((e) => e.name.toLowerCase()).sort()]);
      expect(data.synthetic).toMatch(/^synthetic faces/);
    });
  }, 120_000);

  it('recordings of an event camera and pictures: in the formats their models come with, by the same seed the same bytes', async () => {
    await inFolder(async (folder) => {
      const corpora = [
        ['gestures', ['--count', '66', '--size', '32'], 'dvs-gesture', 66],
        ['saccades', ['--count', '60'], 'n-mnist', 60],
        ['objects', ['--count', '100', '--size', '32'], 'cifar10-dvs', 100],
        ['pictures', ['--count', '60'], 'cifar10', 60],
      ] as const;
      for (const [name, options, format, count] of corpora) {
        const { code, stdout, stderr } = await provoke(['synth', name, '-o', name, ...options, '--sheet', `${name}.png`], folder);
        expect([code, stderr]).toEqual([0, '']);
        expect(stdout).toMatch(new RegExp(`^${name}: ${count} synthetic ${name === 'saccades' ? 'digits' : name}`));
        expect((await sharp(join(folder, `${name}.png`)).metadata()).channels).toBe(3);
        const data = await open(format, name, folder);
        expect([data.count, data.synthetic?.slice(0, 10)]).toEqual([count, 'synthetic ']);
        expect(usableOf(await everything(data))).toHaveLength(count);
        const parts = await Promise.all(['fit', 'validation', 'test'].map((usage) => open(format, name, folder, usage)));
        expect(parts.reduce((sum, part) => sum + part.count, 0)).toBe(count);
        expect((await provoke(['synth', name, '-o', 'again', ...options], folder)).code).toBe(0);
        expect((await open(format, 'again', folder)).sha256).toBe(data.sha256);
        expect((await provoke(['synth', name, '-o', 'again', ...options, '--force'], folder)).code).toBe(0);
        await rm(join(folder, 'again'), { recursive: true });
      }
    });
  }, 240_000);

  it('overwrites nothing unless told to', async () => {
    await inFolder(async (folder) => {
      await mkdir(join(folder, 'mine'));
      await writeFile(join(folder, 'mine', 'notes.txt'), 'keep me');
      const args = ['synth', 'sequences', '-o', 'mine', '--count', '60'];
      const { code, stderr } = await provoke(args, folder);
      expect([code, stderr]).toEqual([2, 'error: "mine" exists\n  choose another place with --out, or --force to replace it\n']);
      expect(existsSync(join(folder, 'mine', 'notes.txt'))).toBe(true);
      const forced = await provoke([...args, '--force'], folder);
      expect(forced.code).toBe(2);
      expect(forced.stderr).toMatch(/"mine" holds what provoke synth did not make \(notes\.txt\): it stays/);
      expect(await readFile(join(folder, 'mine', 'notes.txt'), 'utf8')).toBe('keep me');
      expect(await readdir(folder)).toEqual(['mine']);
    });
  }, 120_000);

  it('replaces a corpus of its own with --force, unless something else was put into it', async () => {
    await inFolder(async (folder) => {
      const args = ['synth', 'sequences', '-o', 'corpus', '--count', '60', '--seed'];
      const bytes = () => readFile(join(folder, 'corpus', 'train.npz'));
      expect((await provoke([...args, '1'], folder)).code).toBe(0);
      const first = await bytes();
      expect((await provoke([...args, '2'], folder)).code).toBe(2);
      expect((await provoke([...args, '2', '--force'], folder)).code).toBe(0);
      expect((await bytes()).equals(first)).toBe(false);
      expect(await readdir(folder)).toEqual(['corpus']);
      await writeFile(join(folder, 'corpus', 'notes.txt'), 'keep me');
      expect((await provoke([...args, '3', '--force'], folder)).code).toBe(2);
      expect(await readFile(join(folder, 'corpus', 'notes.txt'), 'utf8')).toBe('keep me');
    });
  }, 120_000);

  it('keeps a picture that has the name of the contact sheet', async () => {
    await inFolder(async (folder) => {
      await writeFile(join(folder, 'sheet.png'), 'mine');
      const { code, stderr } = await provoke(['synth', 'faces', '-o', 'f.csv', '--count', '49', '--sheet', 'sheet.png'], folder);
      expect([code, stderr]).toEqual([2, expect.stringContaining('"sheet.png" exists')]);
      expect(await readdir(folder)).toEqual(['sheet.png']);
    });
  }, 120_000);

  describe('refuses in one message', () => {
    const refused: readonly [string, string[], RegExp][] = [
      [
        'no corpus',
        ['synth'],
        /^error: synth needs the name of a corpus\n {2}one of: sequences, faces, gestures, saccades, objects, pictures\n$/,
      ],
      [
        'an unknown corpus, with options',
        ['synth', 'face', '-o', 'x.csv'],
        /^error: there is no synthetic corpus "face"\n {2}did you mean "faces"\? /,
      ],
      ['more than a corpus', ['synth', 'sequences', 'extra', '-o', 'x'], /^error: too many arguments/],
      ['an unknown corpus', ['synth', 'face'], /^error: there is no synthetic corpus "face"\n {2}did you mean "faces"\? /],
      ['no place', ['synth', 'faces'], /^error: required option '-o, --out <path>' not specified\n/],
      ['an unknown option', ['synth', 'faces', '-o', 'x', '--sed', '1'], /^error: unknown option '--sed'\n/],
      [
        'too few',
        ['synth', 'faces', '-o', 'x.csv', '--count', '10'],
        /^error: 10 samples are too few for 7 classes in three splits\n/,
      ],
      [
        'a count that is none',
        ['synth', 'sequences', '-o', 'x', '--count', 'many'],
        /^error: --count: "many" is not a positive whole/,
      ],
      [
        'a seed that is none',
        ['synth', 'sequences', '-o', 'x', '--seed', '-1'],
        /^error: --seed: "-1" is not a whole number, 0 or more\n/,
      ],
      ['too many classes', ['synth', 'sequences', '-o', 'x', '--classes', '9'], /^error: there are 2 to 8 classes, not 9\n/],
      [
        'an unknown format',
        ['synth', 'faces', '-o', 'x', '--format', 'fer2012'],
        /^error: --format: there is no format "fer2012"\n {2}did you mean/,
      ],
    ];
    let [folder, ended]: [string, readonly Ended[]] = ['', []];
    beforeAll(async () => {
      folder = await mkdtemp(join(tmpdir(), 'provoke-test-'));
      ended = await provokeInTurn(refused.map(([, args]) => ({ args, cwd: folder })));
    });
    afterAll(() => rm(folder, { recursive: true, force: true }));

    it.each(refused.map(([what, , says], i) => [what, says, i] as const))('%s', (_, says, i) => {
      const { code, stdout, stderr } = ended[i]!;
      expect([code, stdout]).toEqual([2, '']);
      expect(stderr).toMatch(says);
    });

    it('and writes nothing', async () => {
      expect(await readdir(folder)).toEqual([]);
    });
  });

  it('explains itself', async () => {
    await inFolder(async (folder) => {
      const { code, stdout } = await provoke(['synth', '--help'], folder);
      expect([code, stdout]).toEqual([0, expect.stringContaining('$ provoke synth faces -o faces.csv')]);
      expect((await provoke(['synth', 'sequences', '--help'], folder)).stdout).toContain('--subjects <n>');
    });
  }, 60_000);
});
