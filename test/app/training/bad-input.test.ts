/** What a user may get wrong in the data and the folder of a training; test/app/cli/train-bad-input.test.ts has the wording of messages. */
import { existsSync } from 'node:fs';
import { mkdir, readFile, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { files } from '../../../src/app/training/folder.ts';
import { UserError } from '../../../src/core/errors.ts';
import { inFolder } from '../cli/provoke.ts';
import { pictures, recipe, trainFile } from './tiny.ts';

interface Project {
  readonly at: string;
  readonly out: string;
  /** Trains tiny.yaml; changes what it is called with. */
  run(options?: Parameters<typeof trainFile>[2]): ReturnType<typeof trainFile>;
  write(change: (recipe: string) => string): Promise<void>;
  data(change: (csv: string) => string): Promise<void>;
}

const inProject = (use: (project: Project) => Promise<void>): Promise<void> =>
  inFolder(async (at) => {
    await mkdir(join(at, 'data'));
    const out = join(at, 'models', 'tiny');
    const project: Project = {
      at,
      out,
      run: (options) => trainFile(join(at, 'tiny.yaml'), out, options),
      write: (change) => writeFile(join(at, 'tiny.yaml'), change(recipe())),
      data: (change) => writeFile(join(at, 'data', 'faces.csv'), change(pictures())),
    };
    await project.write((text) => text);
    await project.data((csv) => csv);
    await use(project);
  });

/** The error of a promise, which has to be one for users. */
async function refusal(promise: Promise<unknown>): Promise<UserError> {
  const error: unknown = await promise.then(
    () => undefined,
    (e: unknown) => e,
  );
  if (!(error instanceof UserError)) throw new Error(`not refused, or not for users: ${error}`, { cause: error });
  expect(error.remedy).not.toBe('');
  return error;
}

it.each<[string, (project: Project) => Promise<void>, RegExp]>([
  ['a split that does not exist', ({ write }) => write((y) => y.replace('usage: PublicTest', 'usage: Publictest')), /Publictest/],
  [
    'validation data that are the training data',
    ({ write }) => write((y) => y.replace(/, usage: \w+/g, '')),
    /data\.validation: all samples of faces\.csv are among the training data/,
  ],
  [
    'test data that chose the weights',
    ({ write }) =>
      write((y) => y.replace('augment:', '  test: { format: fer2013, path: data/faces.csv, usage: PublicTest }\naugment:')),
    /data\.test: all samples .* are among the training or validation data/,
  ],
  [
    'pictures of another size',
    ({ write }) => write((y) => y.replace('[1, 48, 48]', '[1, 32, 32]')),
    /data\.train: none of the 42 samples .* it is 48x48, the model's input "image" is 32x32/,
  ],
])('refuses %s', async (_, spoil, message) => {
  await inProject(async (project) => {
    await spoil(project);
    const error = await refusal(project.run());
    expect(error.message).toMatch(message);
    expect(error.message).not.toMatch(/\n {4}at /);
    expect(existsSync(join(project.out, files.model))).toBe(false);
  });
});

it('leaves out a row whose label is no number of the format, and names it in the record', async () => {
  await inProject(async ({ out, run, data }) => {
    await data((csv) => csv.replace(/^3,/m, '9,'));
    await run();
    const { problems } = JSON.parse(await readFile(join(out, files.record), 'utf8')) as { problems: { reason: string }[] };
    expect(problems).toHaveLength(1);
    expect(problems[0]!.reason).toContain('9');
  });
});

it('says in the record and on the page how many validation samples were trained on', async () => {
  await inProject(async ({ out, run, data }) => {
    await data((csv) => `${csv}\n${csv.split('\n').slice(1, 4).join('\n').replaceAll('Training', 'PublicTest')}`);
    await run();
    const { notes } = JSON.parse(await readFile(join(out, files.record), 'utf8')) as { notes: string[] };
    expect(notes).toEqual([
      'data.validation: 3 of 17 different samples of faces.csv (PublicTest) are among the training data too: figures on them flatter the model',
    ]);
    expect(await readFile(join(out, files.page), 'utf8')).toContain(notes[0]);
  });
});

it('refuses the checkpoint of another recipe, and leaves it as it is', async () => {
  await inProject(async ({ out, run, write }) => {
    await run();
    const before = await readFile(join(out, files.checkpoint));
    await write((y) => y.replace('seed: 5', 'seed: 6'));
    expect((await refusal(run({ resume: true }))).message).toMatch(/checkpoint of another recipe/);
    expect(Buffer.compare(await readFile(join(out, files.checkpoint)), before)).toBe(0);
  });
});

it('refuses a checkpoint that was cut short', async () => {
  await inProject(async ({ out, run }) => {
    await run();
    await truncate(join(out, files.checkpoint), 1000);
    expect((await refusal(run({ resume: true }))).message).toContain(files.checkpoint);
  });
});

it('goes on over what an interrupted write left behind, to the same weights', async () => {
  await inProject(async ({ out, run, at }) => {
    const whole = await trainFile(join(at, 'tiny.yaml'), join(at, 'models', 'whole'));
    const stop = new AbortController();
    let steps = 0;
    const onProgress = (): void => {
      if (++steps === 4) stop.abort(new Error('interrupted'));
    };
    await expect(run({ signal: stop.signal, onProgress })).rejects.toThrow('interrupted');
    expect(existsSync(join(out, files.checkpoint))).toBe(true);
    await writeFile(join(out, `${files.model}.1.2.tmp`), 'half a mod');
    const resumed = await run({ resume: true });
    expect(Buffer.compare(resumed.weights, whole.weights)).toBe(0);
  });
});
