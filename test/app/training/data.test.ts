import { mkdir, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { expect, it } from 'vitest';
import { encodePng } from '../../../src/app/host/images.ts';
import { choicesOf } from '../../../src/app/training/choices.ts';
import { openSet } from '../../../src/app/training/data.ts';
import { openTraining } from '../../../src/app/training/open.ts';
import { parseRecipe } from '../../../src/app/training/parse.ts';
import { inFolder } from '../cli/provoke.ts';
import { pictures, recipe, runtime } from './tiny.ts';

it('calls a corpus by its name, also where the recipe lies in it: order is drawn by that name, and a card names the path differently', async () => {
  await inFolder(async (at) => {
    await mkdir(join(at, 'angry'));
    const png = await encodePng({ kind: 'image', width: 48, height: 48, channels: 1, data: new Uint8Array(48 * 48) });
    await writeFile(join(at, 'angry', '1.png'), png);
    const target = choicesOf(parseRecipe(recipe(), 'r').value, () => '').architecture;
    const names = ['.', join('..', basename(at)), 'angry/..'].map(
      async (path) => (await openSet({ format: 'image-folder', path }, { base: at, runtime, target, seed: 0, field: 'x' })).name,
    );
    expect(await Promise.all(names)).toEqual(names.map(() => basename(at)));
  });
});

it('keeps no more samples in memory than all sets together may have, and gives the others just the same', async () => {
  await inFolder(async (at) => {
    await mkdir(join(at, 'data'));
    await writeFile(join(at, 'data', 'faces.csv'), pictures());
    const sample = 4 * 48 * 48;
    const open = (memory: number) => openTraining(parseRecipe(recipe(), 'r'), {}, { base: at, name: 'tiny', runtime, memory });
    const [some, all] = [await open(45.5 * sample), await open(56 * sample)];
    expect([some.train[0]!.set.kept, some.validation.kept]).toEqual([42 * sample, 3 * sample]);
    expect([all.train[0]!.set.kept, all.validation.kept]).toEqual([42 * sample, 14 * sample]);
    for (const index of [2, 3, 13]) expect(await some.validation.sample(index)).toEqual(await all.validation.sample(index));
  });
});
