/** @file Writes generated recordings, a file each, with their note and a contact sheet. */
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { EventStream } from '../../kit/data/events/stream.ts';
import type { RawImage } from '../../kit/data/source.ts';
import { snapshots } from '../../kit/data/synth/events/snapshots.ts';
import { noteInFolder, noteText, type SyntheticNote } from '../../kit/data/synthetic-note.ts';
import { contactSheet } from '../host/contact-sheet.ts';
import { makeFolder, writeWhole } from '../host/files.ts';

/** A recording, and the file it becomes. */
export interface MadeRecording {
  readonly label: number;
  readonly events: EventStream;
  /** Path below the folder. */
  readonly file: string;
  readonly bytes: Uint8Array;
}

export interface EventFoldersOptions {
  readonly out: string;
  readonly count: number;
  /** Recording 0 ... count - 1. */
  make(index: number): MadeRecording;
  readonly note: SyntheticNote;
  readonly sheet?: string;
  readonly replace: boolean;
  onProgress(done: number, of: number): void;
}

/** On the contact sheet: recordings of a class, and parts of a recording. */
const [sheetRecordings, sheetParts] = [4, 4];

/** Makes the recordings one after the other and writes them; how many events they have on average. */
export async function writeEventFolders({
  out,
  count,
  make,
  note,
  sheet,
  replace,
  onProgress,
}: EventFoldersOptions): Promise<number> {
  const rows: RawImage[][] = [];
  let events = 0;
  await makeFolder(
    out,
    async (folder) => {
      await writeFile(join(folder, noteInFolder), noteText(note));
      for (let i = 0; i < count; i++) {
        const { label, events: stream, file, bytes } = make(i);
        const path = join(folder, file);
        await mkdir(dirname(path), { recursive: true });
        await writeFile(path, bytes);
        events += stream.t.length;
        rows[label] ??= [];
        if (rows[label].length < sheetRecordings * sheetParts) rows[label].push(...snapshots(stream, sheetParts));
        onProgress(i + 1, count);
      }
    },
    replace,
  );
  if (sheet !== undefined) await writeWhole(sheet, await contactSheet(rows, rows[0]![0]!.width > 64 ? 1 : 2));
  return Math.round(events / count);
}
