/** @file The generated corpora for spiking networks: recordings of event cameras, and still pictures. */
import type { Command } from 'commander';
import { gestureDefaults } from '../../../kit/data/synth/events/gestures/gesture.ts';
import { gestureCountDefault } from '../../../kit/data/synth/events/gestures/recording.ts';
import { objectDefaults, objectSizes } from '../../../kit/data/synth/events/objects/drift.ts';
import { pictureCountDefault } from '../../../kit/data/synth/events/objects/picture-files.ts';
import { saccadeDefaults } from '../../../kit/data/synth/events/saccades/saccade.ts';
import { synthGestures } from '../../synth/gestures.ts';
import { objectCountDefault, synthObjects } from '../../synth/objects.ts';
import { synthPictures } from '../../synth/pictures.ts';
import { refuseTaken } from '../../synth/place.ts';
import { saccadeCountDefault, synthSaccades } from '../../synth/saccades.ts';
import { naturalNumber, positiveInteger } from '../numbers.ts';
import { createProgress } from '../progress.ts';

interface Flags {
  out: string;
  count: string;
  seed: string;
  size?: string;
  sheet?: string;
  force?: boolean;
}

interface Making {
  readonly out: string;
  readonly count: number;
  readonly seed: number;
  readonly sheet?: string;
  readonly replace: boolean;
  onProgress(done: number, of: number): void;
}

/** What the corpora of this file have in common: place, count, seed, contact sheet; `make` answers what was made, in a sentence. */
function corpus(
  parent: Command,
  name: string,
  about: string,
  count: number,
  make: (making: Making, flags: Flags) => Promise<string>,
) {
  return parent
    .command(name)
    .description(about)
    .requiredOption('-o, --out <dir>', 'the folder to make')
    .option('--count <n>', 'samples', String(count))
    .option('--seed <n>', 'other seeds give other samples', '0')
    .option('--sheet <png>', 'a contact sheet to look at')
    .option('--force', 'replace the corpus that is there')
    .action(async (flags: Flags) => {
      const { out, sheet, force = false } = flags;
      const numbers = { count: positiveInteger(flags.count, '--count'), seed: naturalNumber(flags.seed, '--seed') };
      await refuseTaken(out, force, 'folder');
      if (sheet !== undefined) await refuseTaken(sheet, force, 'file', '--sheet');
      const progress = createProgress(name);
      const onProgress = (done: number, of: number) => progress.update(done, of, 'generating');
      const made = await make(
        { out, ...numbers, ...(sheet === undefined ? {} : { sheet }), replace: force, onProgress },
        flags,
      ).finally(() => progress.end());
      process.stdout.write(`${out}: ${made}\n`);
    });
}

const sizeOf = ({ size }: Flags, fallback: number): number => (size === undefined ? fallback : positiveInteger(size, '--size'));

export function addVisionCorpora(parent: Command): void {
  corpus(
    parent,
    'gestures',
    'gestures filmed by a simulated event camera, as DVS128 Gesture comes (format: dvs-gesture)',
    gestureCountDefault,
    (making, flags) => synthGestures({ ...making, size: sizeOf(flags, gestureDefaults.size) }),
  ).option('--size <n>', 'width and height of the sensor in pixels', String(gestureDefaults.size));
  corpus(
    parent,
    'saccades',
    'digits seen in three quick movements by a simulated event camera, as N-MNIST comes (format: n-mnist)',
    saccadeCountDefault,
    (making, flags) => synthSaccades({ ...making, size: sizeOf(flags, saccadeDefaults.size) }),
  ).option('--size <n>', 'width and height of the sensor in pixels', String(saccadeDefaults.size));
  corpus(
    parent,
    'objects',
    'textured shapes moved before a simulated event camera, as CIFAR10-DVS comes (format: cifar10-dvs)',
    objectCountDefault,
    (making, flags) => synthObjects({ ...making, size: sizeOf(flags, objectDefaults.size) }),
  ).option('--size <n>', `width and height of what is filmed: ${objectSizes.join(', ')}`, String(objectDefaults.size));
  corpus(
    parent,
    'pictures',
    '32 x 32 colour pictures of ten shapes, as the binary version of CIFAR-10 comes (format: cifar10)',
    pictureCountDefault,
    (making) => synthPictures(making),
  );
}
