/** @file Makes the synthetic digits under saccades and writes them as N-MNIST comes: Train and Test, a folder per digit, ATIS .bin. */
import { UserError } from '../../core/errors.ts';
import { writeAtis } from '../../kit/data/events/atis.ts';
import { digitNames } from '../../kit/data/synth/events/saccades/digits.ts';
import { makeSaccade, saccadeCamera, saccadeRounds, saccadeSettings } from '../../kit/data/synth/events/saccades/saccade.ts';
import { type EventFoldersOptions, writeEventFolders } from './event-folders.ts';

export interface SynthSaccadesOptions extends Omit<EventFoldersOptions, 'make' | 'note'> {
  readonly seed: number;
  readonly size: number;
}

export const saccadeCountDefault = 3000;

/** Makes `count` recordings; what was made, in a sentence. */
export async function synthSaccades({ seed, size, ...options }: SynthSaccadesOptions): Promise<string> {
  const settings = saccadeSettings({ seed, size });
  const { count } = options;
  const least = digitNames.length * saccadeRounds;
  if (count < least)
    throw new UserError(
      `${count} recordings are too few for ${digitNames.length} digits in two splits`,
      `ask for ${least} or more (--count)`,
    );
  const camera = saccadeCamera(settings);
  const events = await writeEventFolders({
    ...options,
    make(index) {
      const { label, split, events } = makeSaccade(index, settings, camera);
      const file = `${split === 'train' ? 'Train' : 'Test'}/${label}/${String(index + 1).padStart(5, '0')}.bin`;
      return { label, events, file, bytes: writeAtis(events) };
    },
    note: {
      synthetic: 'synthetic digits: drawn by lines, moved three times before a simulated event camera',
      made: { by: 'provoke synth saccades', count, ...settings },
    },
  });
  return `${count} synthetic digits (Train, Test), ${events} events each`;
}
