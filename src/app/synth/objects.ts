/** @file Makes the synthetic drifting objects and writes them as CIFAR10-DVS comes: a folder per class, AEDAT 2.0 of a DVS128. */
import { UserError } from '../../core/errors.ts';
import { writeAedat2 } from '../../kit/data/events/aedat2.ts';
import { makeObject, objectCamera, objectSettings } from '../../kit/data/synth/events/objects/drift.ts';
import { shapeNames } from '../../kit/data/synth/events/objects/shapes.ts';
import { spread } from '../../kit/data/synth/events/spread.ts';
import { type EventFoldersOptions, writeEventFolders } from './event-folders.ts';

export interface SynthObjectsOptions extends Omit<EventFoldersOptions, 'make' | 'note'> {
  readonly seed: number;
  readonly size: number;
}

export const objectCountDefault = 2000;

/** Width and height of the sensor whose addresses the format holds. */
const sensor = 128;

const about = 'synthetic objects: textured shapes with clutter, moved along a closed path before a simulated event camera';

/** Makes `count` recordings; what was made, in a sentence. */
export async function synthObjects({ seed, size, ...options }: SynthObjectsOptions): Promise<string> {
  const settings = objectSettings({ seed, size });
  const { count } = options;
  // loaders take the last tenth of every class for testing
  const least = 10 * shapeNames.length;
  if (count < least)
    throw new UserError(
      `${count} recordings are too few for ${shapeNames.length} classes, a tenth of each for testing`,
      `ask for ${least} or more (--count)`,
    );
  const camera = objectCamera(settings);
  const events = await writeEventFolders({
    ...options,
    make(index) {
      const { label, number, events } = makeObject(index, settings, camera);
      const name = shapeNames[label]!;
      const bytes = writeAedat2(spread(events, sensor / size), { comments: [about] });
      return { label, events, file: `${name}/cifar10_${name}_${number}.aedat`, bytes };
    },
    note: { synthetic: about, made: { by: 'provoke synth objects', count, ...settings } },
  });
  return `${count} synthetic objects (${shapeNames.join(', ')}), ${events} events each`;
}
