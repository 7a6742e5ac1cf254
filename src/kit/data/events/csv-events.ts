/** @file Events as text (.csv): a header that names the columns x, y, p and t, then a line per event, t in microseconds. */
import { UserError } from '../../../core/errors.ts';
import type { ByteSource } from '../source.ts';
import type { Sensor } from './aedat-header.ts';
import { chunkBuffers, chunkEvents, type RawReader } from './chunk.ts';
import { coordinate, polarityOf } from './event-values.ts';
import { unknownSensor } from './npz-events.ts';
import type { EventStream } from './stream.ts';

export interface CsvEventsOptions {
  /** The text has no room for it. */
  sensor?: Sensor;
}

const blockBytes = 2 ** 20;
/** "0,0,0,0" and a line feed. */
const shortest = 8;
const names = ['x', 'y', 'p', 't'] as const;
const latin1 = new TextDecoder('latin1');
const [feed, comma] = [10, 44];

/** Opens a table. Throws a UserError where the header is not one. */
export async function openCsvEvents(source: ByteSource, name: string, options: CsvEventsOptions = {}): Promise<RawReader> {
  const { width, height } = options.sensor ?? unknownSensor(name);
  const head = await source.read(0, Math.min(4096, source.size));
  const first = head.indexOf(feed);
  const line = latin1.decode(head.subarray(0, first < 0 ? head.length : first)).replace(/^\u00EF\u00BB\u00BF/, '');
  const columns = line.split(',').map((c) => c.trim().toLowerCase());
  const places = names.map((c) => columns.indexOf(c)) as [number, number, number, number];
  if (places.some((place) => place < 0))
    throw new UserError(`"${name}" begins with "${line.slice(0, 60).trim()}"`, 'its first line has to name the columns: x,y,p,t');
  return {
    width,
    height,
    convention: 'as the columns say',
    most: Math.ceil(source.size / shortest),
    async *chunks() {
      const buffers = chunkBuffers();
      const { x, y, p, t } = buffers;
      const fields = new Float64Array(columns.length);
      let count = 0;
      let number = 1;
      const where = () => `"${name}", line ${number}`;
      for await (const lines of wholeLines(source, first < 0 ? source.size : first + 1, name)) {
        for (let at = 0; at < lines.length; ) {
          let end = lines.indexOf(feed, at);
          if (end < 0) end = lines.length;
          number++;
          if (readFields(lines, at, end, fields, where)) {
            x[count] = coordinate(fields[places[0]]!, 'x', where);
            y[count] = coordinate(fields[places[1]]!, 'y', where);
            p[count] = polarityOf(fields[places[2]]!, where);
            t[count++] = fields[places[3]]!;
            if (count === chunkEvents) {
              yield buffers.chunk(count);
              count = 0;
            }
          }
          at = end + 1;
        }
      }
      yield buffers.chunk(count);
    },
  };
}

/** Blocks that end where lines end. */
async function* wholeLines(source: ByteSource, start: number, name: string): AsyncGenerator<Uint8Array> {
  const room = new Uint8Array(Math.min(blockBytes, source.size));
  for (let at = start; at < source.size; ) {
    const block = await source.read(at, Math.min(blockBytes, source.size - at), room);
    const last = at + block.length === source.size ? block.length - 1 : block.lastIndexOf(feed);
    if (last < 0) throw new UserError(`"${name}" has a line of more than ${blockBytes} bytes`, 'it is no table of events');
    yield block.subarray(0, last + 1);
    at += last + 1;
  }
}

/** Numbers of the line in bytes[at..end); false where it is blank. */
function readFields(bytes: Uint8Array, at: number, end: number, fields: Float64Array, where: () => string): boolean {
  let field = 0;
  let from = at;
  for (;;) {
    let value = 0;
    let i = from;
    for (; i < end; i++) {
      const digit = bytes[i]! - 48;
      if (digit < 0 || digit > 9) break;
      value = 10 * value + digit;
    }
    // anything but digits up to the next comma takes the long way
    if (i === from || (i < end && bytes[i] !== comma)) {
      let stop = bytes.indexOf(comma, i);
      if (stop < 0 || stop > end) stop = end;
      const text = latin1.decode(bytes.subarray(from, stop)).trim();
      if (text === '' && field === 0 && stop === end) return false;
      value = text === '' ? Number.NaN : Number(text);
      if (Number.isNaN(value))
        throw new UserError(`${where()}: "${text.slice(0, 40)}" is not a number`, 'give x, y, p and t (microseconds) as numbers');
      i = stop;
    }
    if (field < fields.length) fields[field] = value;
    field++;
    if (i >= end) break;
    from = i + 1;
  }
  if (field !== fields.length)
    throw new UserError(
      `${where()}: it has ${field} fields, the first line has ${fields.length}`,
      'the file may be cut short there',
    );
  return true;
}

/** A recording as text. */
export function writeCsvEvents({ x, y, p, t }: EventStream): Uint8Array {
  const encoder = new TextEncoder();
  const parts = [encoder.encode('x,y,p,t\n')];
  for (let from = 0; from < t.length; from += chunkEvents) {
    let text = '';
    for (let i = from; i < Math.min(from + chunkEvents, t.length); i++) text += `${x[i]},${y[i]},${p[i]},${t[i]}\n`;
    parts.push(encoder.encode(text));
  }
  const out = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}
