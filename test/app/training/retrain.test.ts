/** A model card alone, with the data it names, gives the same weights again. */
import { copyFile, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { nodeRuntime } from '../../../src/app/host/runtime.ts';
import { files, openFolder } from '../../../src/app/training/folder.ts';
import { openTraining } from '../../../src/app/training/open.ts';
import { parseRecipe } from '../../../src/app/training/parse.ts';
import { train } from '../../../src/app/training/train.ts';
import { readModel } from '../../../src/core/onnx/reader.ts';
import { stream } from '../../../src/core/tensor/random.ts';
import { openModel } from '../../../src/kit/model/open.ts';
import { isCard, readCard } from '../../../src/kit/nn/export/read-card.ts';
import { inFolder } from '../cli/provoke.ts';

const runtime = nodeRuntime({ threads: 1 });

/** Pictures in FER2013's format: noise whose brightness follows the class. */
function pictures(): string {
  const row = (i: number): string => {
    const random = stream('fer', i);
    const pixels = Array.from({ length: 48 * 48 }, () => 20 * (i % 7) + random.integer(80));
    return `${i % 7},${pixels.join(' ')},${i < 42 ? 'Training' : 'PublicTest'}`;
  };
  return ['emotion,pixels,Usage', ...Array.from({ length: 56 }, (_, i) => row(i))].join('\n');
}

/** A recipe that uses dropout, augmentation, averages and several sources of randomness. */
const recipe = (more = ''): string => `
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
async function trainFile(path: string, out: string): Promise<Readonly<Record<'weights' | 'model' | 'card', Buffer>>> {
  const parsed = parseRecipe(await readFile(path, 'utf8'), path);
  const signal = new AbortController().signal;
  const opened = await openTraining(parsed, {}, { base: resolve(path, '..'), name: 'tiny', runtime, signal });
  const folder = await openFolder(out, opened.identity, { resume: false, overwrite: false, threads: 1 });
  await train(opened, folder, { runtime, signal, onProgress: () => {}, onJudging: () => {} });
  const [weights, model, card] = await Promise.all(
    [files.weights, files.model, files.card].map((name) => readFile(join(out, name))),
  );
  return { weights: weights!, model: model!, card: card! };
}

describe.each([
  ['standard training', ''],
  ['adversarial training', 'defence: { use: fgsm-rs }\nthreat: { norm: linf, eps: 4/255 }'],
])('after %s', (_, more) => {
  it('the card and the data it names give the same weights, bit for bit', async () => {
    await inFolder(async (at) => {
      await mkdir(join(at, 'data'));
      await writeFile(join(at, 'data', 'faces.csv'), pictures());
      await writeFile(join(at, 'tiny.yaml'), recipe(more));
      const first = await trainFile(join(at, 'tiny.yaml'), join(at, 'models', 'tiny'));
      expect(isCard(first.card.toString())).toBe(true);

      await mkdir(join(at, 'models', 'again'));
      await copyFile(join(at, 'models', 'tiny', files.card), join(at, 'models', 'again', 'card.md'));
      await rm(join(at, 'tiny.yaml'));
      await rm(join(at, 'models', 'tiny'), { recursive: true });
      const again = await trainFile(join(at, 'models', 'again', 'card.md'), join(at, 'models', 'second'));

      expect(Buffer.compare(again.weights, first.weights)).toBe(0);
      expect(readCard(again.card.toString()).provenance.weights).toEqual(readCard(first.card.toString()).provenance.weights);
      const model = await openModel(readModel(again.model), { name: 'm', sha256: '', execute: runtime.execute });
      expect(model.inferred).toEqual([]);
    });
  });
});

it('a card is refused beside other data', async () => {
  await inFolder(async (at) => {
    await mkdir(join(at, 'data'));
    await writeFile(join(at, 'data', 'faces.csv'), pictures());
    await writeFile(join(at, 'tiny.yaml'), recipe());
    await trainFile(join(at, 'tiny.yaml'), join(at, 'models', 'tiny'));
    await writeFile(join(at, 'data', 'faces.csv'), pictures().replace(/\d+,PublicTest$/m, '0,PublicTest'));
    await expect(trainFile(join(at, 'models', 'tiny', files.card), join(at, 'models', 'second'))).rejects.toThrow(
      /data "faces.*" are not those of tiny: \d+ samples with sha256 [0-9a-f]{12}\.\.\., the card has/,
    );
  });
});
