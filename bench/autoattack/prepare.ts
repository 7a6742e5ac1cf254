/** @file The net both sides attack: the recipe faces-adversarial, trained here on the synthetic corpus it names, once; later calls find it. */
import { existsSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { provoke } from '../robustness/made.ts';

const recipe = 'examples/training/faces-adversarial.yaml';

export interface Prepared {
  /** The experiment file: model, samples and budget. */
  readonly experiment: string;
  readonly folder: string;
}

/** Makes corpus, net and experiment in `folder` (default runs/autoattack); takes some minutes the first time. */
export async function prepareVictim(samples: number, folder = join('runs', 'autoattack')): Promise<Prepared> {
  await mkdir(folder, { recursive: true });
  const corpus = join(folder, 'faces.csv');
  if (!existsSync(corpus)) await provoke('synth', 'faces', '-o', corpus, '--count', '3400');
  const model = join(folder, 'model');
  if (!existsSync(join(model, 'model.onnx'))) await provoke('train', recipe, '--data', corpus, '--out', model, '--threads', '1');
  const experiment = join(folder, `experiment-${samples}.yaml`);
  await writeFile(
    experiment,
    stringify({
      name: 'autoattack',
      model: { path: 'model/model.onnx' },
      data: { format: 'fer2013', path: 'faces.csv', usage: 'PrivateTest', limit: samples },
      threat: { norm: 'linf', eps: '4/255' },
      attacks: ['autoattack', 'worst-case'],
      seed: 0,
    }),
  );
  return { experiment, folder };
}
