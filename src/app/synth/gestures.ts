/** @file Makes the synthetic gestures and writes them as DVS128 Gesture comes: AEDAT 3.1, tables of labels, lists of the splits. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { writeAedat3 } from '../../kit/data/events/aedat3.ts';
import type { RawImage } from '../../kit/data/source.ts';
import { gestureClasses, gestureSettings } from '../../kit/data/synth/events/gestures/gesture.ts';
import { makeRecordings, wholeRecordings } from '../../kit/data/synth/events/gestures/recording.ts';
import { snapshots } from '../../kit/data/synth/events/snapshots.ts';
import { noteInFolder, noteText } from '../../kit/data/synthetic-note.ts';
import { contactSheet } from '../host/contact-sheet.ts';
import { makeFolder, writeWhole } from '../host/files.ts';

export interface SynthGesturesOptions {
  readonly out: string;
  readonly count: number;
  readonly seed: number;
  readonly size: number;
  readonly sheet?: string;
  readonly replace: boolean;
  onProgress(done: number, of: number): void;
}

/** On the contact sheet: clips of a class, and parts of a clip. */
const [sheetClips, sheetParts] = [2, 8];

/** What the data and all reports on them say. */
const about =
  'synthetic gestures: an invented figure of two arms before a simulated event camera, 11 kinds of gesture, clips of 1.5 s';

/** Makes at least `count` gestures and writes them, a recording at a time; what was made, in a sentence. */
export async function synthGestures({
  out,
  count,
  seed,
  size,
  sheet,
  replace,
  onProgress,
}: SynthGesturesOptions): Promise<string> {
  const settings = gestureSettings({ seed, size });
  const clips = wholeRecordings(count);
  const rows: RawImage[][] = gestureClasses.map(() => []);
  const lists = { train: [] as string[], test: [] as string[] };
  let events = 0;
  await makeFolder(
    out,
    async (folder) => {
      const made = makeRecordings(count, settings, (gesture, done, of) => {
        events += gesture.events.t.length;
        const row = rows[gesture.label]!;
        if (sheet !== undefined && row.length < sheetClips * sheetParts) row.push(...snapshots(gesture.events, sheetParts));
        onProgress(done, of);
      });
      for (const recording of made) {
        const file = `${recording.name}.aedat`;
        await writeFile(join(folder, file), writeAedat3(recording.events, { comments: [about] }));
        await writeFile(join(folder, `${recording.name}_labels.csv`), recording.table);
        lists[recording.split].push(file);
      }
      for (const [split, files] of Object.entries(lists))
        await writeFile(join(folder, `trials_to_${split}.txt`), `${files.sort().join('\n')}\n`);
      const by = { by: 'provoke synth gestures', count: clips, ...settings };
      await writeFile(join(folder, noteInFolder), noteText({ synthetic: about, made: by }));
    },
    replace,
  );
  if (sheet !== undefined) await writeWhole(sheet, await contactSheet(rows, size > 64 ? 1 : 2));
  const files = lists.train.length + lists.test.length;
  return `${clips} synthetic gestures in ${files} recordings (${lists.test.length} for testing), ${Math.round(events / clips)} events each`;
}
