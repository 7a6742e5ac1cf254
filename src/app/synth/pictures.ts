/** @file Makes the synthetic pictures and writes them as CIFAR-10's binary version comes. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { RawImage } from '../../kit/data/source.ts';
import { type Picture, pictureSide } from '../../kit/data/synth/events/objects/picture.ts';
import { pictureFiles } from '../../kit/data/synth/events/objects/picture-files.ts';
import { shapeNames } from '../../kit/data/synth/events/objects/shapes.ts';
import { contactSheet } from '../host/contact-sheet.ts';
import { makeFolder, writeWhole } from '../host/files.ts';

export interface SynthPicturesOptions {
  readonly out: string;
  readonly count: number;
  readonly seed: number;
  readonly sheet?: string;
  readonly replace: boolean;
  onProgress(done: number, of: number): void;
}

const sheetColumns = 16;

/** Makes `count` pictures and writes them; what was made, in a sentence. */
export async function synthPictures({ out, count, seed, sheet, replace, onProgress }: SynthPicturesOptions): Promise<string> {
  const rows: RawImage[][] = shapeNames.map(() => []);
  const files = pictureFiles({
    count,
    seed,
    onPicture(picture, done, of) {
      const row = rows[picture.label]!;
      if (row.length < sheetColumns) row.push(interleaved(picture));
      onProgress(done, of);
    },
  });
  await makeFolder(
    out,
    async (folder) => {
      for (const [name, bytes] of Object.entries(files)) await writeFile(join(folder, name), bytes, { flush: true });
    },
    replace,
  );
  if (sheet !== undefined) await writeWhole(sheet, await contactSheet(rows));
  return `${count} synthetic pictures of ${shapeNames.length} shapes (${Object.keys(files).join(', ')})`;
}

function interleaved({ pixels }: Picture): RawImage {
  const plane = pictureSide * pictureSide;
  const data = Uint8Array.from({ length: 3 * plane }, (_, i) => pixels[(i % 3) * plane + Math.floor(i / 3)]!);
  return { kind: 'image', width: pictureSide, height: pictureSide, channels: 3, data };
}
