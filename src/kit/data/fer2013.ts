/** @file Data format `fer2013`: a CSV with the columns emotion, pixels and (in the original release) Usage; 48 x 48 grey pixels as text. */
import { suggestion, UserError } from '../../core/errors.ts';
import { csvFields } from './csv.ts';
import { digest } from './digest.ts';
import type { ByteSource, DataSource, Problem, RawItem } from './source.ts';
import type { SyntheticNote } from './synthetic-note.ts';

export interface Fer2013Options {
  /** Keep the lines of one split: Training, PublicTest or PrivateTest; default: all. */
  readonly usage?: string;
  /** How errors and reports name the file. */
  readonly name?: string;
  /** The note beside the file, where the faces were generated; its groups are one per line. */
  readonly note?: SyntheticNote;
}

/** Classes in the order of the file's codes 0..6. */
export const fer2013Labels = ['Angry', 'Disgust', 'Fear', 'Happy', 'Sad', 'Surprise', 'Neutral'] as const;

const side = 48;

interface Columns {
  readonly count: number;
  readonly emotion: number;
  readonly pixels: number;
  readonly usage: number;
}

interface Line {
  /** Position among the file's samples, from 0. */
  readonly index: number;
  /** 1-based, as editors count. */
  readonly number: number;
  readonly offset: number;
  readonly length: number;
}

/**
 * Opens the file: one pass finds the lines and their split, pixels are read when asked for. Malformed lines are Problems that name the line.
 * Throws a UserError where the header is not FER2013's, no line is left, or the split is not in the file.
 */
export async function fer2013(source: ByteSource, options: Fer2013Options = {}): Promise<DataSource> {
  const name = options.name ?? 'fer2013';
  const hash = digest();
  await hash.add(`usage ${options.usage ?? 'all'}`);
  if (options.note !== undefined) await hash.add(JSON.stringify(options.note));
  const lines: Line[] = [];
  const usages = new Set<string>();
  let columns: Columns | undefined;
  let samples = 0;
  for await (const { number, offset, text } of eachLine(source, hash.add)) {
    if (columns === undefined) {
      columns = header(text, name);
      if (options.usage !== undefined && columns.usage < 0) {
        throw new UserError(
          `${name} has no column Usage, so it has no split "${options.usage}"`,
          'leave usage out, or use the original release',
        );
      }
      continue;
    }
    const fields = csvFields(text);
    if (text.trim() === '') continue;
    const usage = fields.length === columns.count ? fields[columns.usage] : undefined;
    if (usage !== undefined) usages.add(usage);
    if (options.usage === undefined || usage === undefined || usage === options.usage)
      lines.push({ index: samples, number, offset, length: text.length });
    samples++;
  }
  if (columns === undefined) throw new UserError(`${name} is empty`, 'give the file fer2013.csv');
  if (options.usage !== undefined && !usages.has(options.usage)) {
    throw new UserError(`${name} has no split "${options.usage}"`, suggestion(options.usage, [...usages].sort()));
  }
  if (lines.length === 0) throw new UserError(`${name} holds no samples`, 'give a file with a line per face below the header');
  const known = columns;
  const { synthetic, groups } = options.note ?? {};
  if (groups !== undefined && groups.length !== samples) {
    throw new UserError(
      `the note beside ${name} speaks of ${groups.length} samples, the file holds ${samples}`,
      'make the file again, or remove the note if it does not belong to it',
    );
  }
  return {
    name: options.usage === undefined ? name : `${name} (${options.usage})`,
    labels: fer2013Labels,
    labelsAre:
      synthetic === undefined
        ? "FER2013's own (people's judgement of pictures found on the web; about a third are disputed)"
        : 'the expressions that were asked for when the pictures were made',
    ...(synthetic === undefined ? {} : { synthetic }),
    count: lines.length,
    async item(index) {
      const { index: sample, number, offset, length } = lines[index]!;
      const item = parse(ascii.decode(await source.read(offset, length)), number, known);
      return 'reason' in item || groups === undefined ? item : { ...item, group: groups[sample]! };
    },
    sha256: await hash.finish(),
  };
}

function header(line: string, name: string): Columns {
  const columns = csvFields(line.replace(/^\u00EF\u00BB\u00BF/, '')).map((c) => c.toLowerCase());
  const [emotion, pixels, usage] = ['emotion', 'pixels', 'usage'].map((c) => columns.indexOf(c)) as [number, number, number];
  if (emotion >= 0 && pixels >= 0) return { count: columns.length, emotion, pixels, usage };
  throw new UserError(
    `${name} does not begin like FER2013: its first line is "${line.slice(0, 60)}"`,
    'the first line has to be emotion,pixels,Usage (Usage may be missing)',
  );
}

function parse(line: string, number: number, { count, emotion, pixels }: Columns): RawItem | Problem {
  const item = `line ${number}`;
  const fields = csvFields(line);
  if (fields.length !== count) return { item, reason: `it has ${fields.length} fields, the header has ${count}` };
  const code = fields[emotion]!;
  const label = /^[0-6]$/.test(code) ? fer2013Labels[Number(code) as 0] : undefined;
  if (label === undefined) return { item, reason: `its emotion is "${code}", not a number 0..6` };
  const values = fields[pixels]!.split(/\s+/);
  if (values.length !== side * side) return { item, reason: `it has ${values.length} pixels, 48 x 48 = 2304 are needed` };
  const wrong = values.findIndex((v) => !/^\d{1,3}$/.test(v) || Number(v) > 255);
  if (wrong >= 0) return { item, reason: `pixel ${wrong} is "${values[wrong]}", not a whole number 0..255` };
  const id = `line-${number}`;
  const data = Uint8Array.from(values, Number);
  return { id, group: id, label, inputs: { '': { kind: 'image', width: side, height: side, channels: 1, data } } };
}

/** One byte is one character, so that lengths in characters are lengths in bytes. */
const ascii = new TextDecoder('latin1');

const chunkSize = 2 ** 22;

/** The lines of a file, read in pieces; `seen` gets every piece once, in order. */
async function* eachLine(source: ByteSource, seen: (chunk: Uint8Array) => Promise<void>) {
  let rest = '';
  let start = 0;
  let number = 0;
  for (let at = 0; at < source.size; at += chunkSize) {
    const chunk = await source.read(at, Math.min(chunkSize, source.size - at));
    await seen(chunk);
    const lines = (rest + ascii.decode(chunk)).split('\n');
    rest = lines.pop()!;
    for (const text of lines) {
      yield { number: ++number, offset: start, text };
      start += text.length + 1;
    }
  }
  if (rest !== '') yield { number: number + 1, offset: start, text: rest };
}
