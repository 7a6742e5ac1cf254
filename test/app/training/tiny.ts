/** A training of seconds: pictures in FER2013's format, a recipe for them, and the way from a file to a trained model. */
import { readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { nodeRuntime } from '../../../src/app/host/runtime.ts';
import { files, openFolder } from '../../../src/app/training/folder.ts';
import { openTraining } from '../../../src/app/training/open.ts';
import { parseRecipe } from '../../../src/app/training/parse.ts';
import { train } from '../../../src/app/training/train.ts';
import { stream } from '../../../src/core/tensor/random.ts';

export const runtime = nodeRuntime({ threads: 1 });

/** Pictures in FER2013's format: noise whose brightness follows the class. */
export function pictures(): string {
  const row = (i: number): string => {
    const random = stream('fer', i);
    const pixels = Array.from({ length: 48 * 48 }, () => 20 * (i % 7) + random.integer(80));
    return `${i % 7},${pixels.join(' ')},${i < 42 ? 'Training' : 'PublicTest'}`;
  };
  return ['emotion,pixels,Usage', ...Array.from({ length: 56 }, (_, i) => row(i))].join('\n');
}

/** A recipe that uses dropout, augmentation, averages and several sources of randomness. */
export const recipe = (more = ''): string => `
name: tiny
model: { use: small-cnn, width: 2 }
inputs: { image: { shape: [1, 48, 48], layout: NCHW, modality: image, bounds: [0, 1], storage: uint8 } }
classes: [angry, disgust, fear, happy, sad, surprise, neutral]
data:
  train: { format: fer2013, path: data/faces.csv, usage: Training }
  validation: { format: fer2013, path: data/faces.csv, usage: PublicTest }
augment: [{ use: shift, by: 2 }, flip]
optimiser: { use: adamw, lr: 0.002 }
schedule: { use: cosine, warmup: 0.1 }
ema: 0.9
epochs: 2
batch: 14
seed: 5
${more}`;

/** Trains a recipe or a card as `provoke train` does, into a folder; returns the bytes of its files. */
export async function trainFile(
  path: string,
  out: string,
  options: { readonly resume?: boolean; readonly signal?: AbortSignal; readonly onProgress?: () => void } = {},
): Promise<Readonly<Record<'weights' | 'model' | 'card', Buffer>>> {
  const parsed = parseRecipe(await readFile(path, 'utf8'), path);
  const { resume = false, signal = new AbortController().signal, onProgress = () => {} } = options;
  const opened = await openTraining(parsed, {}, { base: resolve(path, '..'), name: 'tiny', runtime, signal });
  const folder = await openFolder(out, opened.identity, { resume, overwrite: false, threads: 1 });
  await train(opened, folder, { runtime, signal, onProgress, onJudging: () => {} });
  const [weights, model, card] = await Promise.all(
    [files.weights, files.model, files.card].map((name) => readFile(join(out, name))),
  );
  return { weights: weights!, model: model!, card: card! };
}
