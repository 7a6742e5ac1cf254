/** @file Trainings and attacks as a user would run them: `provoke train` and `provoke run` in child processes, each going on where it was interrupted. */
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { stringify } from 'yaml';
import { readRun } from '../../src/app/experiment/read-run.ts';
import type { RunRecord } from '../../src/app/experiment/results.ts';
import { readJson } from '../../src/app/experiment/store.ts';
import type { TrainingRecord } from '../../src/app/training/train.ts';
import type { Row } from '../../src/kit/record/row.ts';

export interface Plan {
  /** Recipes; the first is the one the others are compared with. */
  readonly recipes: readonly string[];
  readonly seeds: readonly number[];
  /** The corpus, for `provoke train --data`. */
  readonly data?: string;
  /** Instead of those of the recipes. */
  readonly epochs?: number;
  /** Most test samples that are attacked. */
  readonly samples: number;
  readonly steps: number;
  readonly restarts: number;
  readonly threads: number;
  /** Folder of trainings and runs. */
  readonly work: string;
}

/** A recipe trained with one seed, and attacked. */
export interface Made {
  readonly training: TrainingRecord;
  readonly run: RunRecord;
  readonly rows: readonly Row[];
}

/** Trains the recipe with the seed and attacks the exported model on its test split, with the budget of the recipe. What is finished already is read back. */
export async function make(plan: Plan, recipe: string, seed: number, say: (what: string) => void): Promise<Made> {
  const { data, epochs, samples, steps, restarts, threads, work } = plan;
  const name = recipe.replace(/^.*[\\/]/, '').replace(/\.[^.]*$/, '');
  const folder = join(work, name, `seed-${seed}`);
  const model = join(folder, 'model');
  const run = join(folder, 'run');
  await mkdir(folder, { recursive: true });
  say('training');
  await provoke(
    'train',
    recipe,
    '--out',
    model,
    '--seed',
    String(seed),
    '--threads',
    String(threads),
    '--json',
    ...[
      ...(data === undefined ? [] : ['--data', data]),
      ...(epochs === undefined ? [] : ['--epochs', String(epochs)]),
      ...goingOn(model, 'training.json'),
    ],
  );
  const training = (await readJson<TrainingRecord>(join(model, 'training.json')))!;
  const { test } = training.recipe.data;
  const { threat } = training.recipe;
  if (test === undefined || threat === undefined)
    throw new Error(`${recipe}: robustness is measured on the test data (data.test) under the budget (threat) of the recipe`);
  const experiment = {
    name: `${name}-seed-${seed}`,
    model: { path: 'model/model.onnx' },
    // the record's paths are seen from the folder of the model
    data: { ...test, ...('path' in test ? { path: join('model', test.path) } : {}), limit: samples },
    threat,
    attacks: [{ use: 'pgd', steps, restarts }],
    seed: 0,
  };
  const file = join(folder, 'attack.yaml');
  await writeFile(file, stringify(experiment));
  say('attacking');
  await provoke('run', file, '--out', run, '--threads', String(threads), '--json', ...goingOn(run, 'run.json'));
  const { record, rows } = await readRun(run);
  return { training, run: record, rows };
}

const goingOn = (folder: string, record: string): string[] => (existsSync(join(folder, record)) ? ['--resume'] : []);

/** Runs the built product; its progress goes to standard error. Throws when it does not end well. */
export function provoke(...args: readonly string[]): Promise<void> {
  const program = fileURLToPath(new URL('../../bin/provoke.js', import.meta.url));
  const child = spawn(process.execPath, [program, ...args], { stdio: ['ignore', 'ignore', 'inherit'] });
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code, signal) =>
      code === 0 ? resolve() : reject(new Error(`provoke ${args.join(' ')} ended with ${signal ?? `code ${code}`}`)),
    );
  });
}
