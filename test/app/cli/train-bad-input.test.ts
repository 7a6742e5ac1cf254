import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Ended, inFolder, type Line, provoke, provokeInTurn } from './provoke.ts';
import { recipe, writeSequences } from './sequences.ts';

interface Case {
  readonly what: string;
  readonly change: Readonly<Record<string, string>>;
  readonly says: string;
  readonly args?: readonly string[];
}

const data = (change: (line: string, split: string) => string): string =>
  [
    'data:',
    ...['train', 'validation', 'test'].map((split) =>
      change(`  ${split}: { format: sequences, path: seq, usage: ${split} }`, split),
    ),
  ].join('\n');

const cases: readonly Case[] = [
  {
    what: 'a class without samples to learn from',
    change: { data: data((line) => line.replace('path: seq', 'path: gap')) },
    says: 'error: x.yaml:6:3: data.train: the training data have no sample of the class "still"\n  add samples of them, map a label of the data to them (labels), or take them out of classes\n',
  },
  {
    what: 'a class without samples to validate on',
    change: { data: data((line, split) => (split === 'validation' ? line.replace('path: seq', 'path: half') : line)) },
    says: 'error: x.yaml:7:3: data.validation: the validation data have no sample of the class "right"\n  split the data so that every class is in both parts, or take the class out of classes and of the training data\n',
  },
  {
    what: 'a batch larger than the data',
    change: { batch: 'batch: 1000' },
    says: 'error: x.yaml:11:1: batch: a batch of 1000 is larger than the training data (48 samples)\n  set batch to 48 or less, or add data\n',
  },
  {
    what: 'a label outside the classes',
    change: { classes: 'classes: [left, right]' },
    says: `error: x.yaml:6:3: data.train: the data's label "still" is not among the model's classes: left, right\n  say which class each stands for, under data: labels: { still: CLASS }\n`,
  },
  {
    what: 'a label map to no class',
    change: { data: data((line) => line.replace(' }', ', labels: { still: stil } }')) },
    says: 'error: x.yaml:6:3: data.train: labels: "still" is mapped to "stil", which is not a class of the model\n  the classes are: left, right, still\n',
  },
  {
    what: 'an unknown architecture',
    change: { model: 'model: { use: sequence-cn }' },
    says: 'error: x.yaml:2:1: model: there is no model family "sequence-cn"\n  did you mean "sequence-cnn"?',
  },
  {
    what: 'an unknown option of the architecture',
    change: { model: 'model: { use: sequence-cnn, widht: 4 }' },
    says: 'error: x.yaml:2:29: model.widht: sequence-cnn has no option "widht"\n  did you mean "width"? (one of: width, kernel, dropout, norm)\n',
  },
  {
    what: 'an unknown optimiser',
    change: { optimiser: 'optimiser: adamv' },
    says: 'error: x.yaml:9:1: optimiser: there is no optimiser "adamv"\n  did you mean "adam"? (one of: sgd, adam, adamw)\n',
  },
  {
    what: 'an unknown option of the optimiser',
    change: { optimiser: 'optimiser: { use: sgd, momemtum: 0.5 }' },
    says: 'error: x.yaml:9:24: optimiser.momemtum: sgd has no option "momemtum"\n  did you mean "momentum"?',
  },
  {
    what: 'an unknown schedule',
    change: { schedule: 'schedule: cosin' },
    says: 'error: x.yaml:12:1: schedule: there is no schedule "cosin"\n  did you mean "cosine"?',
  },
  {
    what: 'an unknown augmentation',
    change: { augment: 'augment: [timeshift]' },
    says: 'error: x.yaml:12:11: augment.0: there is no augmentation "timeshift"\n  did you mean "time-shift"?',
  },
  {
    what: 'an augmentation of other data',
    change: { augment: 'augment: [rotate]' },
    says: 'error: x.yaml:12:11: augment.0: rotate means nothing for these inputs\n  take it out; the inputs are x (physiology, NCT)\n',
  },
  {
    what: 'an unknown defence',
    change: { defence: 'defence: { use: trade, beta: 6 }', threat: 'threat: { norm: linf, eps: 0.1 }' },
    says: 'error: x.yaml:12:1: defence: there is no defence "trade"\n  did you mean "trades"?',
  },
  {
    what: 'an unknown option of the defence',
    change: { defence: 'defence: { use: trades, gamma: 6 }', threat: 'threat: { norm: linf, eps: 0.1 }' },
    says: 'error: x.yaml:12:25: defence.gamma: trades has no option "gamma"\n',
  },
  {
    what: 'a defence against nothing',
    change: { defence: 'defence: pgd-at' },
    says: 'error: x.yaml:12:1: defence: pgd-at needs to know what it defends against\n  add threat: { norm: linf, eps: 8/255 }\n',
  },
  {
    what: 'a layout that does not fit the shape',
    change: { inputs: 'inputs: { x: { shape: [2, 16], layout: NCHW } }' },
    says: 'error: x.yaml:3:11: inputs.x: the layout NCHW names 4 axes, the shape [2, 16] has 2 and the batch is one more\n',
  },
  {
    what: 'a misspelt key',
    change: { epochs: 'epoch: 3' },
    says: 'error: x.yaml:10:1: epoch: unknown key "epoch"\n  did you mean "epochs"?',
  },
  {
    what: 'a missing key',
    change: { epochs: '' },
    says: 'error: x.yaml:1:1: epochs: is missing\n  see docs/training.md',
  },
  {
    what: 'data that are not there',
    change: { data: data((line) => line.replace('path: seq', 'path: nope')) },
    says: 'error: x.yaml:6:3: data.train: the data folder "DIR/nope" does not exist\n',
  },
  {
    what: 'a data format nobody has',
    change: { data: data((line) => line.replace('format: sequences', 'format: sequence')) },
    says: 'error: x.yaml:6:3: data.train: there is no data format "sequence"\n  did you mean "sequences"?',
  },
  {
    what: 'a number of epochs that is none',
    change: {},
    args: ['--epochs', 'many'],
    says: 'error: --epochs: "many" is not a positive whole number\n',
  },
];

describe('provoke train with bad input', () => {
  let folder = '';
  let ended: readonly (Ended & { readonly folder: string })[] = [];
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'provoke-test-'));
    await writeSequences(join(folder, 'seq'));
    await writeSequences(join(folder, 'gap'), { train: [0, 1] });
    await writeSequences(join(folder, 'half'), { validation: [0, 2] });
    const lines: Line[] = [];
    for (const [i, { change, args = [] }] of cases.entries()) {
      const cwd = join(folder, `${i}`);
      await mkdir(cwd);
      for (const data of ['seq', 'gap', 'half']) await symlink(join('..', data), join(cwd, data));
      await writeFile(join(cwd, 'x.yaml'), recipe(change));
      lines.push({ args: ['train', 'x.yaml', '--out', 'out', ...args], cwd });
    }
    ended = (await provokeInTurn(lines)).map((end, i) => ({ ...end, folder: lines[i]!.cwd }));
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  it.each(cases.map(({ what, says }, i) => ({ what, says, i })))(
    'says in one message what is wrong and what to do: $what',
    ({ says, i }) => {
      const { code, stdout, stderr, folder } = ended[i]!;
      expect(stderr.replaceAll(folder, 'DIR')).toContain(says);
      expect(stderr).toMatch(/^error: [^\n]+\n {2}[^\n]+\n$/);
      expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
      // no folder is begun for what cannot be trained
      expect(existsSync(join(folder, 'out'))).toBe(false);
    },
  );

  it('stops where the loss is no number, says where it began, and leaves the folder free', async () => {
    await inFolder(async (folder) => {
      await writeSequences(join(folder, 'seq'));
      await writeFile(join(folder, 'x.yaml'), recipe({ optimiser: 'optimiser: { use: sgd, lr: 1e10 }' }));
      const { code, stderr } = await provoke(['train', 'x.yaml', '--out', 'out'], folder);
      expect(stderr).toMatch(/^error: .* is not finite in epoch 1, step \d of 3: .*it began in /);
      expect(stderr).toContain('lower the learning rate');
      expect(code).toBe(2);
      await writeFile(join(folder, 'x.yaml'), recipe({ epochs: 'epochs: 1' }));
      expect((await provoke(['train', 'x.yaml', '--out', 'out'], folder)).code).toBe(0);
    });
  });

  it('mixes no two trainings in one folder', async () => {
    await inFolder(async (folder) => {
      await writeSequences(join(folder, 'seq'));
      await writeFile(join(folder, 'x.yaml'), recipe({ epochs: 'epochs: 1' }));
      const train = (...args: string[]) => provoke(['train', 'x.yaml', '--out', 'out', ...args], folder);
      expect((await train()).code).toBe(0);
      expect(await train()).toMatchObject({
        code: 2,
        stderr:
          'error: the output folder "out" holds a training of this recipe already\n  continue it with --resume, or replace it with --overwrite\n',
      });
      expect(await train('--seed', '1', '--resume')).toMatchObject({
        code: 2,
        stderr:
          'error: the output folder "out" holds a checkpoint of another recipe (its model, data, options or seed differ)\n  choose another folder with --out, or --overwrite to replace that training\n',
      });
      expect((await train('--seed', '1', '--overwrite')).code).toBe(0);
      expect((await provoke(['train', 'nope.yaml'], folder)).stderr).toContain('error: the recipe "nope.yaml" does not exist\n');
      const occupied = await provoke(['train', 'x.yaml', '--out', 'seq'], folder);
      expect(occupied.stderr).toContain('the output folder "seq" is not empty and holds no training (index.json, test.npz');
    });
  });
});
