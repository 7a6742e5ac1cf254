/** A model card alone, with the data it names, gives the same weights again. */
import { copyFile, mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { files } from '../../../src/app/training/folder.ts';
import { parseRecipe } from '../../../src/app/training/parse.ts';
import { readModel } from '../../../src/core/onnx/reader.ts';
import { openModel } from '../../../src/kit/model/open.ts';
import { isCard, readCard } from '../../../src/kit/nn/export/read-card.ts';
import { inFolder } from '../cli/provoke.ts';
import { pictures, recipe, runtime, trainFile } from './tiny.ts';

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

it('a model trained again from its card has its name, also where that was the name of the recipe file', async () => {
  await inFolder(async (at) => {
    await mkdir(join(at, 'data'));
    await writeFile(join(at, 'data', 'faces.csv'), pictures());
    await writeFile(join(at, 'r.yaml'), recipe().replace('name: tiny', ''));
    const { card } = await trainFile(join(at, 'r.yaml'), join(at, 'models', 'a'));
    expect(parseRecipe(card.toString(), 'model-card.md').value.name).toBe('tiny');
    const spaced = card.toString().replace(/^name: tiny$/m, 'name: my recipe');
    expect(parseRecipe(spaced, 'model-card.md').value.name).toBe(undefined);
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
