/** @file The pictures of shapes as the files of CIFAR-10's binary version, and their note. */
import { UserError } from '../../../../../core/errors.ts';
import { cifar10Meta, cifar10Record } from '../../../cifar10.ts';
import { noteInFolder, noteText } from '../../../synthetic-note.ts';
import { makePicture, type Picture, type PictureOptions, pictureBatches, pictureDefaults } from './picture.ts';
import { shapeNames } from './shapes.ts';

export const pictureCountDefault = 12000;

export interface PictureFilesOptions extends PictureOptions {
  count?: number;
  /** Called with every picture made. */
  onPicture?(picture: Picture, done: number, of: number): void;
}

const batchName = (batch: number): string => (batch === pictureBatches - 1 ? 'test_batch.bin' : `data_batch_${batch + 1}.bin`);

/**
 * Files of the corpus by name: data_batch_1.bin to data_batch_5.bin, test_batch.bin, batches.meta.txt and the note. The same options give the same
 * bytes; the files of a larger corpus begin with those of the smaller one. Throws a UserError where `count` does not fill all files.
 */
export function pictureFiles({
  count = pictureCountDefault,
  onPicture,
  ...options
}: PictureFilesOptions = {}): Record<string, Uint8Array> {
  const least = pictureBatches * shapeNames.length;
  if (count < least)
    throw new UserError(
      `${count} pictures are too few for ${shapeNames.length} classes in ${pictureBatches} files`,
      `ask for ${least} or more (--count)`,
    );
  const settings = { ...pictureDefaults, ...options };
  const batches: Uint8Array[][] = Array.from({ length: pictureBatches }, () => []);
  for (let i = 0; i < count; i++) {
    const picture = makePicture(i, settings);
    const record = new Uint8Array(cifar10Record);
    record[0] = picture.label;
    record.set(picture.pixels, 1);
    batches[picture.batch]!.push(record);
    onPicture?.(picture, i + 1, count);
  }
  const text = (content: string) => new TextEncoder().encode(content);
  return {
    ...Object.fromEntries(batches.map((records, batch) => [batchName(batch), joined(records)])),
    [cifar10Meta]: text(`${shapeNames.join('\n')}\n`),
    [noteInFolder]: text(
      noteText({
        synthetic: 'synthetic pictures: ten kinds of coloured shapes, distorted, textured and cluttered, with noise',
        made: { by: 'provoke synth pictures', count, ...settings },
      }),
    ),
  };
}

function joined(records: readonly Uint8Array[]): Uint8Array {
  const out = new Uint8Array(cifar10Record * records.length);
  for (const [i, record] of records.entries()) out.set(record, i * cifar10Record);
  return out;
}
