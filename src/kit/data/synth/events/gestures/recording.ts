/** @file Gestures put one after the other into recordings, as DVS128 Gesture comes: a file per person and lighting, and a table of what is done when. */
import { UserError } from '../../../../../core/errors.ts';
import type { EventStream } from '../../../events/stream.ts';
import { joinStreams } from '../join-streams.ts';
import type { GestureOptions } from './gesture.ts';
import { type Gesture, gestureCamera, gestureClasses, makeGesture, recordingOf, recordings } from './gesture.ts';

/** Everybody in every light, once. */
export const gestureCountDefault = recordings * gestureClasses.length;

export interface Recording {
  /** user01_fluorescent. */
  readonly name: string;
  readonly split: 'train' | 'test';
  readonly events: EventStream;
  /** Contents of NAME_labels.csv: class 1..11, first and last moment in microseconds. */
  readonly table: string;
}

/** Seconds between two gestures, in which nothing is recorded. */
const pause = 0.3;

/** Clips a corpus of `count` has: recordings are not left unfinished. Throws a UserError where test people would not be among them. */
export function wholeRecordings(count: number): number {
  const kinds = gestureClasses.length;
  const rounds = Math.ceil(count / kinds);
  const first = Array.from({ length: recordings }, (_, r) => r).findIndex((r) => recordingOf(r).split === 'test');
  if (rounds <= first)
    throw new UserError(
      `${count} gestures are too few for people who train and people who test`,
      `ask for ${kinds * (first + 1)} or more (--count)`,
    );
  return rounds * kinds;
}

/**
 * The recordings of a corpus of `count` gestures, one after the other. From 1595 gestures on, every person has been filmed in every light, and
 * performs everything once more. The same settings give the same recordings; a larger corpus adds to them.
 */
export function* makeRecordings(
  count: number,
  settings: Required<GestureOptions>,
  onGesture?: (gesture: Gesture, done: number, of: number) => void,
): Generator<Recording> {
  const kinds = gestureClasses.length;
  const rounds = wholeRecordings(count) / kinds;
  const camera = gestureCamera(settings);
  let done = 0;
  for (let file = 0; file < Math.min(rounds, recordings); file++) {
    const parts: { events: EventStream; start: number }[] = [];
    const lines = ['class,startTime_usec,endTime_usec'];
    const { lighting, split } = recordingOf(file);
    let name = '';
    for (let round = file; round < rounds; round += recordings) {
      for (let kind = 0; kind < kinds; kind++) {
        const gesture = makeGesture(round * kinds + kind, settings, camera);
        const start = Math.round(1e6 * (pause + parts.length * (settings.duration + pause)));
        name = `${gesture.person}_${lighting.name}`;
        parts.push({ events: gesture.events, start });
        lines.push(`${gesture.label + 1},${start},${start + Math.round(1e6 * settings.duration)}`);
        onGesture?.(gesture, ++done, rounds * kinds);
      }
    }
    yield { name, split, events: joinStreams(parts), table: `${lines.join('\n')}\n` };
  }
}
