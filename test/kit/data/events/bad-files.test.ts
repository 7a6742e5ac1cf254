import { expect, test } from 'vitest';
import { writeNpz } from '../../../../src/core/tensor/npy.ts';
import { f32, i64 } from '../../../../src/core/tensor/tensor.ts';
import { openEvents, readEvents, writeEvents } from '../../../../src/kit/data/events/formats.ts';
import { inMemory } from '../../../../src/kit/data/events/sequential.ts';
import { complaint } from '../samples.ts';
import { streamOf } from './arbitrary.ts';

const ascii = (text: string) => new TextEncoder().encode(text);
const joined = (...parts: Uint8Array[]) => Uint8Array.from(parts.flatMap((part) => [...part]));

const three = streamOf(128, 128, [
  [1, 2, 1, 1000],
  [30, 4, 0, 2000],
  [5, 6, 1, 3000],
]);
const small = { ...three, width: 34, height: 34 };
const [aedat2, aedat3, atis] = [writeEvents(three, 'aedat-2.0'), writeEvents(three, 'aedat-3.1'), writeEvents(small, 'atis')];

/** Every word of `size` bytes from `start` on, turned round. */
function turned(bytes: Uint8Array, start: number, size: number): Uint8Array {
  const out = bytes.slice();
  for (let at = start; at + size <= out.length; at += size) out.subarray(at, at + size).reverse();
  return out;
}

function changed(bytes: Uint8Array, at: number, ...values: number[]): Uint8Array {
  const out = bytes.slice();
  out.set(values, at < 0 ? out.length + at : at);
  return out;
}

const sensor = { width: 34, height: 34 };
const column = (...values: number[]) => i64(values);
const text = (lines: string) => ascii(`x,y,p,t\n${lines}`);

const cases: [what: string, name: string, bytes: Uint8Array, message: RegExp][] = [
  ['empty file', 'a.aedat', new Uint8Array(0), /"a.aedat" is empty/],
  ['another ending', 'a.dat', aedat2, /"a.dat" does not end like an event file -> the endings are .aedat, .bin, .npz, .csv/],
  ['AEDAT 1.0', 'a.aedat', aedat2.slice(14), /"a.aedat" does not begin with #!AER-DAT and a version.*1\.0/],
  [
    'AEDAT 4.0',
    'a.aedat',
    ascii('#!AER-DAT4.0\r\n\x10\x00'),
    /"a.aedat" is AEDAT 4.0: versions 2.0 and 3.1 can be read -> convert it with dv-processing/,
  ],
  [
    'AEDAT 2.0 cut short',
    'a.aedat',
    aedat2.slice(0, -3),
    /"a.aedat" is cut short: 5 bytes are left after event 1, an event takes 8/,
  ],
  [
    'AEDAT 2.0 little-endian',
    'a.aedat',
    turned(aedat2, aedat2.length - 24, 4),
    /"a.aedat", event 0: .* is no address of a DVS128; read as little-endian it is one/,
  ],
  [
    'AEDAT 2.0 with rubbish',
    'a.aedat',
    changed(aedat2, -16, 0xff, 0xff),
    /"a.aedat", event 1: 0xffff.* is no address of a DVS128 -> repair/,
  ],
  [
    'AEDAT 2.0 backwards',
    'a.aedat',
    changed(aedat2, -4, 0, 0, 0, 1),
    /"a.aedat", event 2: time runs backwards, 1 us after 2000 us/,
  ],
  [
    'AEDAT 2.0 overflowing',
    'a.aedat',
    changed(aedat2, -12, 0xff, 0xff, 0xff, 0xff),
    /event 2: the clock of 4294967296 us has overflowed \(3000 us after 4294967295 us\)/,
  ],
  ['AEDAT 2.0 without events', 'a.aedat', aedat2.slice(0, -24), /"a.aedat" holds no events/],
  [
    'AEDAT 3.1 cut in a packet',
    'a.aedat',
    aedat3.slice(0, -1),
    /"a.aedat" is cut short: the packet at byte \d+, before the first event, has 24 bytes and 23 are left/,
  ],
  [
    'AEDAT 3.1 cut in a head',
    'a.aedat',
    joined(aedat3, new Uint8Array(5)),
    /"a.aedat", packet at byte \d+: the file is cut short after event 2, 5 of the 28 bytes/,
  ],
  [
    'AEDAT 3.1 with a packet beyond the end',
    'a.aedat',
    changed(aedat3, -24 - 12, 255, 255),
    /before the first event, has 524280 bytes and 24 are left/,
  ],
  [
    'AEDAT 3.1 big-endian',
    'a.aedat',
    changed(aedat3, -52, 0, 1, 0, 1, 0, 0, 0, 8),
    /packet at byte \d+ makes sense only when read as big-endian/,
  ],
  ['AEDAT 3.1 compressed', 'a.aedat', changed(aedat3, -51, 0x80), /is compressed -> .*RAW/],
  ['AEDAT 3.1 with rubbish', 'a.aedat', changed(aedat3, -51, 0x33), /is no packet: type 13057/],
  [
    'AEDAT 3.1 beyond the sensor',
    'a.aedat',
    changed(aedat3, -5, 0x01),
    /"a.aedat", event 2: x 13\d, y 6 is outside the sensor of 128 x 128/,
  ],
  ['AEDAT 3.1 backwards', 'a.aedat', changed(aedat3, -4, 0, 0), /"a.aedat", event 2: time runs backwards, 0 us after 2000 us/],
  ['ATIS cut short', 'a.bin', atis.slice(0, -1), /"a.bin" is cut short: 4 bytes are left after event 1, an event takes 5/],
  [
    'ATIS beyond the sensor',
    'a.bin',
    changed(atis, -5, 34),
    /"a.bin", event 2: x 34, y 6 is outside the sensor of 34 x 34 -> name the true size/,
  ],
  ['ATIS backwards', 'a.bin', changed(atis, -2, 0, 0), /"a.bin", event 2: time runs backwards, 0 us after 2000 us/],
  [
    'ATIS turned round',
    'a.bin',
    turned(writeEvents({ ...small, x: Uint16Array.of(30, 30, 30), t: Float64Array.of(1000, 2000, 3000) }, 'atis'), 0, 5),
    /read as little-endian it makes sense/,
  ],
  ['npz that is none', 'a.npz', ascii('nonsense'), /"a.npz" is not a readable .npz archive/],
  [
    'npz without p',
    'a.npz',
    writeNpz({ x: column(1), y: column(1), t: column(1) }),
    /"a.npz" has no array "p" -> .*it has: x, y, t/,
  ],
  [
    'npz of unequal length',
    'a.npz',
    writeNpz({ x: column(1, 2), y: column(1, 2), p: column(1, 1), t: column(1) }),
    /"a.npz": t has 1 entries, x has 2/,
  ],
  [
    'npz with a matrix',
    'a.npz',
    writeNpz({ x: f32([1, 2], [1, 2]), y: column(1), p: column(1), t: column(1) }),
    /"a.npz": x is float32 \[1, 2\]/,
  ],
  [
    'npz with another polarity',
    'a.npz',
    writeNpz({ x: column(1), y: column(1), p: column(2), t: column(1) }),
    /"a.npz", event 0: p is 2/,
  ],
  [
    'npz with a fraction',
    'a.npz',
    writeNpz({ x: f32([1.5]), y: column(1), p: column(1), t: column(1) }),
    /"a.npz", event 0: x is 1.5/,
  ],
  [
    'npz backwards',
    'a.npz',
    writeNpz({ x: column(1, 1), y: column(1, 1), p: column(1, 1), t: column(5, 4) }),
    /"a.npz", event 1: time runs backwards, 4 us after 5 us/,
  ],
  [
    'npz with time that is none',
    'a.npz',
    writeNpz({ x: column(1), y: column(1), p: column(1), t: f32([Number.NaN]) }),
    /"a.npz", event 0: its time is not a number/,
  ],
  [
    'npz in nanoseconds since 1970',
    'a.npz',
    writeNpz({
      x: column(1),
      y: column(1),
      p: column(1),
      t: { ...column(1), data: BigInt64Array.of(1_700_000_000_000_000_000n) },
    }),
    /"a.npz", event 0: its time is 1700000000000000000, beyond 2\^53 microseconds -> give microseconds/,
  ],
  ['csv with a time without end', 'a.csv', text('1,2,1,5\n1,2,1,Infinity\n'), /"a.csv", event 1: its time is Infinity, beyond/],
  [
    'csv without a header',
    'a.csv',
    ascii('1,2,1,5\n'),
    /"a.csv" begins with "1,2,1,5" -> its first line has to name the columns: x,y,p,t/,
  ],
  ['csv with words', 'a.csv', text('1,2,1,5\n1,two,1,6\n'), /"a.csv", line 3: "two" is not a number/],
  ['csv cut short', 'a.csv', text('1,2,1,5\n1,2'), /"a.csv", line 3: it has 2 fields, the first line has 4/],
  ['csv with a gap', 'a.csv', text('1,,1,5\n'), /"a.csv", line 2: "" is not a number/],
  ['csv without events', 'a.csv', text(''), /"a.csv" holds no events/],
  ['csv beyond the sensor', 'a.csv', text('1,2,1,5\n99,2,1,6\n'), /"a.csv", event 1: x 99, y 2 is outside the sensor of 34 x 34/],
];

test.each(cases)('%s: one message that names file and place', async (_, name, bytes, message) => {
  expect(await complaint(() => readEvents(inMemory(bytes), name, name.endsWith('.aedat') ? {} : { sensor }))).toMatch(message);
});

test('csv and npz need to be told the size of the sensor', async () => {
  for (const [name, bytes] of [
    ['a.csv', text('1,2,1,5\n')],
    ['a.npz', writeNpz({ x: column(1), y: column(1), p: column(1), t: column(1) })],
  ] as const)
    expect(await complaint(() => openEvents(inMemory(bytes), name))).toBe(
      `"${name}" does not say how large the sensor is -> name it: sensor: [width, height] under data:, or --sensor WIDTHxHEIGHT`,
    );
});
