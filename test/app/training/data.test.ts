import { mkdir, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { expect, it } from 'vitest';
import { encodePng } from '../../../src/app/host/images.ts';
import { choicesOf } from '../../../src/app/training/choices.ts';
import { openSet } from '../../../src/app/training/data.ts';
import { parseRecipe } from '../../../src/app/training/parse.ts';
import { inFolder } from '../cli/provoke.ts';
import { recipe, runtime } from './tiny.ts';

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
