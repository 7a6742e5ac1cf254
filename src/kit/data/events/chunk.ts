/** @file Reading recordings a piece at a time: what a decoder gives, the checks every recording has to pass, and pieces put together to a stream. */
import { UserError } from '../../../core/errors.ts';
import type { EventStream } from './stream.ts';

/** Some events in a row; the arrays are overwritten when the next chunk is asked for. */
export interface EventChunk {
  readonly count: number;
  readonly x: Uint16Array;
  readonly y: Uint16Array;
  readonly p: Uint8Array;
  readonly t: Float64Array;
}

/** A recording whose head has been read. */
export interface EventReader {
  readonly width: number;
  readonly height: number;
  /** How address bits became x, y and p, in words. */
  readonly convention: string;
  /** The file holds no more events than this. */
  readonly most: number;
  /** The events from the first on; may be asked for again. Rejects with a UserError that names the file and the event. */
  chunks(): AsyncGenerator<EventChunk>;
}

/** What a decoder knows before the checks. */
export interface RawReader extends EventReader {
  /** Whether the beginning makes sense with its bytes in the other order: 'little-endian' or 'big-endian', undefined where it does not. */
  otherOrder?(): Promise<string | undefined>;
  /** The step at which the file's clock starts again, in microseconds. */
  readonly clock?: number;
}

/** Events of one chunk: big enough to be fast, small enough to be nothing. */
export const chunkEvents = 2 ** 16;

/** Buffers of a chunk, and the chunk of their first `count` entries. */
export function chunkBuffers(size: number = chunkEvents) {
  const [x, y, p, t] = [new Uint16Array(size), new Uint16Array(size), new Uint8Array(size), new Float64Array(size)];
  return {
    x,
    y,
    p,
    t,
    chunk: (count: number): EventChunk => ({
      count,
      x: x.subarray(0, count),
      y: y.subarray(0, count),
      p: p.subarray(0, count),
      t: t.subarray(0, count),
    }),
  };
}

/**
 * The same recording, checked on the way: coordinates lie on the sensor, times are numbers that are told apart by a microsecond, time never falls, there
 * is at least one event.
 */
export function checked(raw: RawReader, name: string): EventReader {
  const { width, height } = raw;
  return {
    width,
    height,
    convention: raw.convention,
    most: raw.most,
    async *chunks() {
      let before = 0;
      let last = Number.NEGATIVE_INFINITY;
      for await (const chunk of raw.chunks()) {
        const { x, y, t, count } = chunk;
        for (let i = 0; i < count; i++) {
          if (x[i]! >= width || y[i]! >= height) throw await outside(raw, name, { event: before + i, x: x[i]!, y: y[i]! });
          if (!(Math.abs(t[i]!) <= Number.MAX_SAFE_INTEGER)) throw beyond(name, before + i, t[i]!);
          if (t[i]! < last) throw await backwards(raw, name, { event: before + i, from: last, to: t[i]! });
          last = t[i]!;
        }
        before += count;
        if (count > 0) yield chunk;
      }
      if (before === 0) throw new UserError(`"${name}" holds no events`, 'leave the file out, or record it again');
    },
  };
}

async function outside(raw: RawReader, name: string, at: { event: number; x: number; y: number }) {
  const { width, height } = raw;
  const other = await raw.otherOrder?.();
  return new UserError(
    `"${name}", event ${at.event}: x ${at.x}, y ${at.y} is outside the sensor of ${width} x ${height}${suspicion(other)}`,
    other === undefined
      ? 'name the true size where the file does not say it (sensor: [width, height] under data:, or --sensor WIDTHxHEIGHT), or repair the file'
      : reorder(other),
  );
}

/** A time that is no number, or so large that microseconds are lost. */
const beyond = (name: string, event: number, time: number): UserError =>
  Number.isNaN(time)
    ? new UserError(`"${name}", event ${event}: its time is not a number`, 'repair the file')
    : new UserError(
        `"${name}", event ${event}: its time is ${time}, beyond 2^53 microseconds`,
        'give microseconds (nanoseconds since 1970 are that large), or count them from the first event',
      );

async function backwards(raw: RawReader, name: string, { event, from, to }: { event: number; from: number; to: number }) {
  if (raw.clock !== undefined && from - to > raw.clock / 2) {
    return new UserError(
      `"${name}", event ${event}: the clock of ${raw.clock} us has overflowed (${to} us after ${from} us)`,
      'cut the recording there: events before and after cannot be put in order',
    );
  }
  const other = await raw.otherOrder?.();
  return new UserError(
    `"${name}", event ${event}: time runs backwards, ${to} us after ${from} us${suspicion(other)}`,
    other === undefined ? 'sort the events by time, or cut the recording there' : reorder(other),
  );
}

const suspicion = (other: string | undefined): string => (other === undefined ? '' : `; read as ${other} it makes sense`);
const reorder = (other: string): string => `the file seems to have been written ${other}: write its bytes in the other order`;

/** Where a file ends too early, in words; so many events have been read. */
export const placeAfter = (events: number): string => (events === 0 ? 'before the first event' : `after event ${events - 1}`);

/** All events of a recording, or those with from <= t < to (microseconds); takes 13 bytes per event. */
export async function collect(
  reader: EventReader,
  between?: { readonly from: number; readonly to: number },
): Promise<EventStream> {
  const { width, height } = reader;
  // where all is wanted the file's size says how many there may be; of a part nothing is known
  let room = between === undefined ? reader.most : Math.min(reader.most, chunkEvents);
  let [x, y, p, t] = [new Uint16Array(room), new Uint16Array(room), new Uint8Array(room), new Float64Array(room)];
  let count = 0;
  for await (const chunk of reader.chunks()) {
    const [first, end] =
      between === undefined ? [0, chunk.count] : [firstAt(chunk.t, between.from), firstAt(chunk.t, between.to)];
    const more = end - first;
    if (count + more > room) {
      room = Math.min(reader.most, Math.max(2 * room, count + more));
      [x, y, p, t] = [enlarge(x, room), enlarge(y, room), enlarge(p, room), enlarge(t, room)];
    }
    x.set(chunk.x.subarray(first, end), count);
    y.set(chunk.y.subarray(first, end), count);
    p.set(chunk.p.subarray(first, end), count);
    t.set(chunk.t.subarray(first, end), count);
    count += more;
    if (end < chunk.count) break;
  }
  // a little room left over is cheaper than a copy
  const part = count > 0.9 * room ? 'subarray' : 'slice';
  return { width, height, x: x[part](0, count), y: y[part](0, count), p: p[part](0, count), t: t[part](0, count) };
}

function enlarge<A extends Uint8Array<ArrayBuffer> | Uint16Array<ArrayBuffer> | Float64Array<ArrayBuffer>>(
  array: A,
  size: number,
): A {
  const larger = new (array.constructor as new (size: number) => A)(size);
  larger.set(array);
  return larger;
}

/** Index of the first entry that is not below `value`; `times` never falls. */
export function firstAt(times: Float64Array, value: number): number {
  let [low, high] = [0, times.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (times[middle]! < value) low = middle + 1;
    else high = middle;
  }
  return low;
}
