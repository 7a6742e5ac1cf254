/** @file Tables of DVS128-Gesture: what is done when in a recording (NAME_labels.csv), and which recordings train and test (trials_to_train.txt). */
import { csvFields } from './csv.ts';

/** In the order of the codes 1..11. Source: the set's gesture_mapping.csv, as TONIC 1.7.0 words it. */
export const gestureLabels = [
  'hand clapping',
  'right hand wave',
  'left hand wave',
  'right arm cw',
  'right arm ccw',
  'left arm cw',
  'left arm ccw',
  'arm roll',
  'air drums',
  'air guitar',
  'other gestures',
] as const;

/** A line of the table: a gesture from start to before end (microseconds), or why it is none. */
export type Trial = { readonly line: number } & (
  | { readonly label: string; readonly start: number; readonly end: number }
  | { readonly reason: string }
);

/** The lines of a table below its header; a reason instead where there is no table. */
export function trialsIn(bytes: Uint8Array): Trial[] | { readonly reason: string } {
  const lines = new TextDecoder()
    .decode(bytes)
    .replace(/^\uFEFF/, '')
    .split(/\r?\n/);
  const columns = csvFields(lines[0]!).map((c) => c.toLowerCase());
  if (columns.join() !== 'class,starttime_usec,endtime_usec')
    return { reason: `its first line is "${lines[0]!.slice(0, 60)}", not class,startTime_usec,endTime_usec` };
  return lines.flatMap((text, i): Trial[] => (i === 0 || text.trim() === '' ? [] : [trial(text, i + 1)]));
}

function trial(text: string, line: number): Trial {
  const fields = csvFields(text);
  const numbers = fields.map(Number);
  if (fields.length !== 3 || fields.includes('') || !numbers.every((n) => Number.isInteger(n) && n >= 0))
    return { line, reason: `it is "${text.slice(0, 60)}", not three whole numbers` };
  const [code, start, end] = numbers as [number, number, number];
  const label = gestureLabels[code - 1];
  if (label === undefined) return { line, reason: `its class is ${code}, and there are 1 to ${gestureLabels.length}` };
  if (end <= start) return { line, reason: `it ends at ${end} us and begins at ${start} us` };
  return { line, label, start, end };
}

/** Names in a list of recordings, one per line. */
export const namesIn = (bytes: Uint8Array): string[] =>
  new TextDecoder()
    .decode(bytes)
    .split(/\r?\n/)
    .map((line) => line.trim())
    .filter((line) => line !== '');
