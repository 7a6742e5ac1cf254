/**
 * @file AEDAT 2.0 (.aedat), as jAER writes it and CIFAR10-DVS comes in: header lines, then a big-endian 32-bit address and a 32-bit time in
 * microseconds per event. Addresses of a DVS128: bit 0 polarity (1 = OFF), bits 1-7 x from the right, bits 8-14 y from below, bit 15 special events.
 * Addresses of DAVIS cameras: bit 10 special, bit 11 polarity (1 = ON), bits 12-21 x from the right, bits 22-30 y from below, bit 31 frames.
 * Sources: jAER's DVS128 and DAVIS extractors; SpikingJelly 2.0.0, datasets/cifar10_dvs.py; TONIC 1.7.0, io.py.
 */
import { UserError } from '../../../core/errors.ts';
import type { ByteSource } from '../source.ts';
import { type AedatHeader, aedatHeaderBytes, type Sensor, sensorNamed } from './aedat-header.ts';
import { chunkBuffers, type RawReader } from './chunk.ts';
import { type Convention, conventionDefault } from './convention.ts';
import { recordBlocks } from './record-blocks.ts';
import type { EventStream } from './stream.ts';
import { wholeTimes } from './whole-times.ts';

export interface Aedat2Options {
  convention?: Convention;
  /** What the bits of an address mean; default: what the header's AEChip says, else dvs128. */
  address?: 'dvs128' | 'davis';
  /** Size of a DAVIS, where the header does not say it. */
  sensor?: Sensor;
}

const recordBytes = 8;

/** How bits become coordinates, and back. Flips and exchanges undo themselves, so one description serves both ways. */
interface Reading {
  readonly words: string;
  /** x and y stand in each other's place. */
  readonly swap: boolean;
  readonly flip: boolean;
  readonly invert: boolean;
  /** Events whose address has one of these bits are no events of a pixel. */
  readonly skip: number;
}

const dvs128: Readonly<Record<Convention, Reading>> = {
  jaer: { words: 'x = 127 - bits 1-7, y = 127 - bits 8-14, p = 1 - bit 0', swap: false, flip: true, invert: true, skip: 0x8000 },
  spikingjelly: {
    words: 'x = 127 - bits 8-14, y = 127 - bits 1-7, p = 1 - bit 0',
    swap: true,
    flip: true,
    invert: true,
    skip: 0,
  },
  tonic: { words: 'x = bits 8-14, y = bits 1-7, p = bit 0', swap: true, flip: false, invert: false, skip: 0 },
};

const davis: Readonly<Record<Convention, Reading>> = {
  jaer: {
    words: 'x = width - 1 - bits 12-21, y = height - 1 - bits 22-30, p = bit 11',
    swap: false,
    flip: true,
    invert: false,
    skip: 0x80000400,
  },
  spikingjelly: { words: 'x = bits 12-21, y = bits 22-30, p = bit 11', swap: false, flip: false, invert: false, skip: 0 },
  tonic: {
    words: 'x = width - 1 - bits 12-21, y = height - 1 - bits 22-30, p = bit 11',
    swap: false,
    flip: true,
    invert: false,
    skip: 0,
  },
};

interface Layout extends Sensor {
  readonly reading: Reading;
  readonly bits: { readonly x: number; readonly xs: number; readonly y: number; readonly ys: number; readonly p: number };
  /** Bits no address has. */
  readonly never: number;
}

function layoutOf(name: string, lines: readonly string[], options: Aedat2Options): Layout {
  const convention = options.convention ?? conventionDefault;
  const named = sensorNamed(lines);
  const form = options.address ?? (named === undefined || named.width === 128 ? 'dvs128' : 'davis');
  if (form === 'dvs128')
    return {
      width: 128,
      height: 128,
      reading: dvs128[convention],
      bits: { x: 0x7f, xs: 1, y: 0x7f, ys: 8, p: 0 },
      never: 0xffff0000,
    };
  const sensor = named ?? options.sensor;
  if (sensor === undefined)
    throw new UserError(`"${name}" does not say which DAVIS camera it is from`, 'name its size: sensor: [346, 260]');
  return { ...sensor, reading: davis[convention], bits: { x: 0x3ff, xs: 12, y: 0x1ff, ys: 22, p: 11 }, never: 0 };
}

/** Opens a recording whose header has been read. */
export function openAedat2(source: ByteSource, name: string, header: AedatHeader, options: Aedat2Options = {}): RawReader {
  const layout = layoutOf(name, header.lines, options);
  const { width, height, reading, bits, never } = layout;
  const records = Math.floor((source.size - header.end) / recordBytes);
  return {
    width,
    height,
    convention: `${options.convention ?? conventionDefault}: ${reading.words}`,
    most: records,
    clock: 2 ** 32,
    async otherOrder() {
      const bytes = await source.read(header.end, Math.min(1000, records) * recordBytes);
      return plausibleLittle(bytes) ? 'little-endian' : undefined;
    },
    async *chunks() {
      const buffers = chunkBuffers();
      const { x, y, p, t } = buffers;
      for await (const { bytes: block, first, many } of recordBlocks(source, { name, recordBytes, start: header.end })) {
        let count = 0;
        for (let i = 0, at = 0; i < many; i++, at += recordBytes) {
          const address = ((block[at]! << 24) | (block[at + 1]! << 16) | (block[at + 2]! << 8) | block[at + 3]!) >>> 0;
          if ((address & never) !== 0) throw impossible(name, first + i, address, plausibleLittle(block));
          if ((address & reading.skip) !== 0) continue;
          let [column, row] = [(address >>> bits.xs) & bits.x, (address >>> bits.ys) & bits.y];
          if (reading.swap) [column, row] = [row, column];
          // beyond the sensor a flip wraps around to a number that is refused as well
          x[count] = reading.flip ? width - 1 - column : column;
          y[count] = reading.flip ? height - 1 - row : row;
          p[count] = ((address >>> bits.p) & 1) ^ (reading.invert ? 1 : 0);
          t[count] = ((block[at + 4]! << 24) | (block[at + 5]! << 16) | (block[at + 6]! << 8) | block[at + 7]!) >>> 0;
          count++;
        }
        yield buffers.chunk(count);
      }
    },
  };
}

const impossible = (name: string, event: number, address: number, little: boolean): UserError =>
  new UserError(
    `"${name}", event ${event}: 0x${address.toString(16)} is no address of a DVS128${little ? '; read as little-endian it is one' : ''}`,
    little
      ? 'the file seems to have been written little-endian: write its bytes in the other order'
      : 'repair the file; if it is from a DAVIS camera, its header has to say so (# AEChip: DAVIS346)',
  );

/** Whether the first records are addresses of a DVS128 in order of time when read the other way round. */
function plausibleLittle(bytes: Uint8Array): boolean {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let last = 0;
  const many = Math.min(1000, Math.floor(bytes.length / recordBytes));
  for (let i = 0; i < many; i++) {
    const t = view.getUint32(recordBytes * i + 4, true);
    if (view.getUint32(recordBytes * i, true) > 0xffff || t < last) return false;
    last = t;
  }
  return many > 0;
}

export interface Aedat2WriteOptions extends Aedat2Options {
  /** Further lines of the header, without # (such as a note that the recording is synthetic). */
  comments?: readonly string[];
}

/** A recording as a file. Throws a UserError where time is not whole microseconds below 2^32 or the sensor does not fit the address. */
export function writeAedat2(stream: EventStream, options: Aedat2WriteOptions = {}): Uint8Array {
  const { address = 'dvs128', comments = [] } = options;
  const { width, height, count } = { ...stream, count: stream.t.length };
  const convention = options.convention ?? conventionDefault;
  const limit = address === 'dvs128' ? [128, 128] : [1024, 512];
  if (address === 'dvs128' ? width !== 128 || height !== 128 : width > limit[0]! || height > limit[1]!)
    throw new UserError(
      `a sensor of ${width} x ${height} does not fit AEDAT 2.0 addresses of ${address === 'dvs128' ? 'a DVS128 (128 x 128)' : 'a DAVIS (at most 1024 x 512)'}`,
      'write AEDAT 3.1, .npz or .csv',
    );
  wholeTimes(stream.t, 2 ** 32, 'AEDAT 2.0');
  const reading = (address === 'dvs128' ? dvs128 : davis)[convention];
  const [xs, ys, ps] = address === 'dvs128' ? [1, 8, 0] : [12, 22, 11];
  const head = aedatHeaderBytes([
    '!AER-DAT2.0',
    ' This is a raw AE data file - do not edit',
    ' Data format is int32 address, int32 timestamp (8 bytes total), repeated for each event',
    ' Timestamps tick is 1 us',
    ...(address === 'davis' ? [` AEChip: DAVIS${width}`] : []),
    ...comments.map((line) => ` ${line}`),
    ...(address === 'davis' ? ['End Of ASCII Header'] : []),
  ]);
  const out = new Uint8Array(head.length + recordBytes * count);
  out.set(head);
  const view = new DataView(out.buffer);
  for (let i = 0, at = head.length; i < count; i++, at += recordBytes) {
    let [column, row] = [stream.x[i]!, stream.y[i]!];
    if (reading.flip) [column, row] = [width - 1 - column, height - 1 - row];
    if (reading.swap) [column, row] = [row, column];
    const bit = stream.p[i]! ^ (reading.invert ? 1 : 0);
    view.setUint32(at, ((column << xs!) | (row << ys!) | (bit << ps!)) >>> 0);
    view.setUint32(at + 4, stream.t[i]!);
  }
  return out;
}
