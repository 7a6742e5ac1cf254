/**
 * @file ATIS .bin, as N-MNIST and N-Caltech101 come in: no header, five bytes per event, big-endian: x, y, then polarity (bit 7, 1 = ON) and a time of 23
 * bits in microseconds. A record with y = 240 is no event: the clock ran over, and all times from there on are 2^13 us later.
 * Sources: the data's own reader (eventvision.py, as TONIC 1.7.0 follows it); SpikingJelly 2.0.0, datasets/utils.py (load_ATIS_bin), which takes the
 * marker for an event.
 */
import { UserError } from '../../../core/errors.ts';
import type { ByteSource } from '../source.ts';
import type { Sensor } from './aedat-header.ts';
import { chunkBuffers, type RawReader } from './chunk.ts';
import { type Convention, conventionDefault } from './convention.ts';
import { recordBlocks } from './record-blocks.ts';
import type { EventStream } from './stream.ts';
import { wholeTimes } from './whole-times.ts';

export interface AtisOptions {
  /** jaer and tonic: y = 240 moves the clock; spikingjelly: it is taken for an event. */
  convention?: Convention;
  /** Default: 34 x 34, as N-MNIST. */
  sensor?: Sensor;
}

const recordBytes = 5;
const marker = 240;
const step = 2 ** 13;
const clock = 2 ** 23;

/** Opens a recording. */
export function openAtis(source: ByteSource, name: string, options: AtisOptions = {}): RawReader {
  const { width, height } = options.sensor ?? { width: 34, height: 34 };
  const convention = options.convention ?? conventionDefault;
  const markers = convention !== 'spikingjelly';
  const records = Math.floor(source.size / recordBytes);
  return {
    width,
    height,
    convention: `${convention}: p = bit 23; y = 240 ${markers ? 'puts all later times 2^13 us further' : 'is taken for an event'}`,
    most: records,
    clock,
    async otherOrder() {
      const bytes = await source.read(0, Math.min(1000, records) * recordBytes);
      return plausibleLittle(bytes, width, height) ? 'little-endian' : undefined;
    },
    async *chunks() {
      const buffers = chunkBuffers();
      const { x, y, p, t } = buffers;
      let later = 0;
      for await (const { bytes: block, many } of recordBlocks(source, { name, recordBytes })) {
        let count = 0;
        for (let i = 0, at = 0; i < many; i++, at += recordBytes) {
          const row = block[at + 1]!;
          if (row === marker && markers) {
            later += step;
            continue;
          }
          const third = block[at + 2]!;
          x[count] = block[at]!;
          y[count] = row;
          p[count] = third >> 7;
          t[count++] = later + (((third & 127) << 16) | (block[at + 3]! << 8) | block[at + 4]!);
        }
        yield buffers.chunk(count);
      }
    },
  };
}

/** Whether the first records are in order of time when their five bytes are read from the last to the first. */
function plausibleLittle(bytes: Uint8Array, width: number, height: number): boolean {
  let last = 0;
  const many = Math.floor(bytes.length / recordBytes);
  for (let at = 0; at < many * recordBytes; at += recordBytes) {
    const t = ((bytes[at + 2]! & 127) << 16) | (bytes[at + 1]! << 8) | bytes[at]!;
    if (bytes[at + 4]! >= width || bytes[at + 3]! >= height || t < last) return false;
    last = t;
  }
  return many > 1;
}

/** A recording as a file; where time exceeds 23 bits, markers move the clock. Throws a UserError where coordinates or times do not fit. */
export function writeAtis(stream: EventStream): Uint8Array {
  const { width, height, x, y, p, t } = stream;
  if (width > 256 || height > marker)
    throw new UserError(
      `a sensor of ${width} x ${height} does not fit ATIS .bin`,
      'it holds at most 256 x 240; write AEDAT 3.1 or .npz',
    );
  wholeTimes(t, 2 ** 32, 'ATIS .bin');
  const last = t.at(-1) ?? 0;
  const markers = Math.max(0, Math.ceil((last - (clock - 1)) / step));
  const out = new Uint8Array((t.length + markers) * recordBytes);
  let later = 0;
  let at = 0;
  for (let i = 0; i < t.length; i++, at += recordBytes) {
    for (; t[i]! - later >= clock; later += step, at += recordBytes) out[at + 1] = marker;
    const time = t[i]! - later;
    out[at] = x[i]!;
    out[at + 1] = y[i]!;
    out[at + 2] = (p[i]! << 7) | (time >>> 16);
    out[at + 3] = (time >>> 8) & 255;
    out[at + 4] = time & 255;
  }
  return out;
}
