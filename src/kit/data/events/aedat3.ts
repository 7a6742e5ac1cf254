/**
 * @file AEDAT 3.1 (.aedat), as cAER writes it and DVS128-Gesture comes in: header lines up to #!END-HEADER, then little-endian packets. A packet's
 * header is 28 bytes: type u16 (1 = polarity), source u16, bytes per event u32, offset of the time u32, overflows of the time u32, capacity u32, number
 * u32, valid u32. A polarity event: u32 data (bit 0 valid, bit 1 polarity, bits 2-16 y, bits 17-31 x), u32 time; microseconds are time + overflows 2^31.
 * Sources: iniVation's description of AEDAT 3.1; SpikingJelly 2.0.0, datasets/utils.py (load_aedat_v3).
 */
import { UserError } from '../../../core/errors.ts';
import type { ByteSource } from '../source.ts';
import { type AedatHeader, aedatHeaderBytes, type Sensor, sensorNamed } from './aedat-header.ts';
import { chunkBuffers, chunkEvents, placeAfter, type RawReader } from './chunk.ts';
import { type Convention, conventionDefault } from './convention.ts';
import { sequential } from './sequential.ts';
import type { EventStream } from './stream.ts';
import { wholeTimes } from './whole-times.ts';

export interface Aedat3Options {
  convention?: Convention;
  /** Used where the header names no camera; default: 128 x 128. */
  sensor?: Sensor;
}

const headBytes = 28;
const eventBytes = 8;
const polarity = 1;
/** Types 0..12 are defined; what is above is no packet. */
const types = 256;
const epoch = 2 ** 31;

interface Packet {
  readonly type: number;
  readonly size: number;
  readonly overflows: number;
  readonly capacity: number;
  readonly number: number;
}

const words: Readonly<Record<Convention, string>> = {
  jaer: 'x = bits 17-31, y = bits 2-16, p = bit 1; invalid events are left out',
  spikingjelly: 'x = bits 17-31, y = bits 2-16, p = bit 1; invalid events count, as do places of a packet that are not in use',
  tonic: 'x = bits 17-31, y = bits 2-16, p = bit 1; invalid events count, as do places of a packet that are not in use',
};

/** Opens a recording whose header has been read. */
export function openAedat3(source: ByteSource, name: string, header: AedatHeader, options: Aedat3Options = {}): RawReader {
  const { width, height } = sensorNamed(header.lines) ?? options.sensor ?? { width: 128, height: 128 };
  const convention = options.convention ?? conventionDefault;
  const all = convention !== 'jaer';
  return {
    width,
    height,
    convention: `${convention}: ${words[convention]}`,
    most: Math.floor((source.size - header.end) / eventBytes),
    clock: epoch,
    async *chunks() {
      const buffers = chunkBuffers();
      const { x, y, p, t } = buffers;
      const bytes = sequential(source, header.end);
      let count = 0;
      let events = 0;
      while (bytes.at < source.size) {
        const start = bytes.at;
        const packet = packetOf(await bytes.take(headBytes), `"${name}", packet at byte ${start}`, events + count);
        const body = packet.capacity * packet.size;
        if (bytes.at + body > source.size)
          throw new UserError(
            `"${name}" is cut short: the packet at byte ${start}, ${placeAfter(events + count)}, has ${body} bytes and ${source.size - bytes.at} are left`,
            'copy or download the file again',
          );
        if (packet.type !== polarity) {
          bytes.pass(body);
          continue;
        }
        const base = packet.overflows * epoch;
        const used = all ? packet.capacity : packet.number;
        for (let done = 0; done < used; ) {
          const block = await bytes.take(Math.min(chunkEvents - count, used - done) * eventBytes);
          if (block.length === 0)
            throw new UserError(
              `"${name}" ends before event ${events + count}`,
              'it became shorter while it was read: try again',
            );
          for (let at = 0; at < block.length; at += eventBytes) {
            const low = block[at]!;
            if ((low & 1) === 0 && !all) continue;
            const high = block[at + 2]!;
            y[count] = (low >> 2) | (block[at + 1]! << 6) | ((high & 1) << 14);
            x[count] = (high >> 1) | (block[at + 3]! << 7);
            p[count] = (low >> 1) & 1;
            const time = (block[at + 4]! | (block[at + 5]! << 8) | (block[at + 6]! << 16) | (block[at + 7]! << 24)) >>> 0;
            if (time >= epoch)
              throw new UserError(
                `"${name}", event ${events + count}: its time ${time} does not fit the 31 bits of a packet's clock`,
                'repair the file',
              );
            t[count++] = base + time;
          }
          done += block.length / eventBytes;
          if (count === chunkEvents) {
            yield buffers.chunk(count);
            events += count;
            count = 0;
          }
        }
        bytes.pass((packet.capacity - used) * eventBytes);
      }
      yield buffers.chunk(count);
    },
  };
}

function packetOf(bytes: Uint8Array, where: string, events: number): Packet {
  if (bytes.length < headBytes)
    throw new UserError(
      `${where}: the file is cut short ${placeAfter(events)}, ${bytes.length} of the ${headBytes} bytes of a packet's header are there`,
      'copy or download the file again',
    );
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const packet = {
    type: view.getUint16(0, true),
    size: view.getUint32(4, true),
    overflows: view.getUint32(12, true),
    capacity: view.getUint32(16, true),
    number: view.getUint32(20, true),
  };
  const { type, size, capacity, number } = packet;
  if (type >= types || size > 2 ** 24) {
    const big = view.getUint16(0) < types && view.getUint32(4) <= 2 ** 24;
    if (big)
      throw new UserError(
        `${where} makes sense only when read as big-endian: type ${view.getUint16(0)}, ${view.getUint32(4)} bytes per event`,
        'AEDAT 3.1 is little-endian: write its bytes in the other order',
      );
    throw new UserError(
      type >= 0x8000 && type < 0x8000 + types
        ? `${where} is compressed`
        : `${where} is no packet: type ${type}, ${size} bytes per event`,
      type >= 0x8000 && type < 0x8000 + types ? 'record or convert it with Format: RAW' : 'repair the file',
    );
  }
  if (type === polarity && (size !== eventBytes || number > capacity))
    throw new UserError(
      `${where} is no packet of polarity events: ${size} bytes per event, ${number} events in ${capacity} places`,
      'repair the file',
    );
  return packet;
}

export interface Aedat3WriteOptions {
  /** Further lines of the header, without # (such as a note that the recording is synthetic). */
  comments?: readonly string[];
}

/** Events of a packet: as many as cAER's default. */
const packetEvents = 4096;

/** A recording as a file. Throws a UserError where time is not whole microseconds below 2^53 or the sensor exceeds 32768. */
export function writeAedat3(stream: EventStream, { comments = [] }: Aedat3WriteOptions = {}): Uint8Array {
  const { width, height, x, y, p, t } = stream;
  if (width > 2 ** 15 || height > 2 ** 15)
    throw new UserError(`a sensor of ${width} x ${height} does not fit AEDAT 3.1`, 'its coordinates have 15 bits');
  wholeTimes(t, 2 ** 53, 'AEDAT 3.1');
  const head = aedatHeaderBytes([
    '!AER-DAT3.1',
    'Format: RAW',
    sourceLine(width, height),
    ...comments.map((line) => ` ${line}`),
    '!END-HEADER',
  ]);
  const packets: [from: number, to: number][] = [];
  for (let from = 0; from < t.length; ) {
    const overflows = Math.floor(t[from]! / epoch);
    let to = from + 1;
    while (to < t.length && to - from < packetEvents && Math.floor(t[to]! / epoch) === overflows) to++;
    packets.push([from, to]);
    from = to;
  }
  const out = new Uint8Array(head.length + packets.length * headBytes + t.length * eventBytes);
  out.set(head);
  const view = new DataView(out.buffer);
  let at = head.length;
  for (const [from, to] of packets) {
    const overflows = Math.floor(t[from]! / epoch);
    view.setUint16(at, polarity, true);
    view.setUint16(at + 2, 1, true);
    for (const [k, value] of [eventBytes, 4, overflows, to - from, to - from, to - from].entries())
      view.setUint32(at + 4 + 4 * k, value, true);
    at += headBytes;
    for (let i = from; i < to; i++, at += eventBytes) {
      view.setUint32(at, (1 | (p[i]! << 1) | (y[i]! << 2) | (x[i]! << 17)) >>> 0, true);
      view.setUint32(at + 4, t[i]! - overflows * epoch, true);
    }
  }
  return out;
}

const known: Readonly<Record<string, string>> = { '128x128': 'DVS128', '240x180': 'DAVIS240C', '346x260': 'DAVIS346' };

/** A camera of that size, or the size itself: our reader takes both. */
const sourceLine = (width: number, height: number): string => `Source 1: ${known[`${width}x${height}`] ?? `${width}x${height}`}`;
