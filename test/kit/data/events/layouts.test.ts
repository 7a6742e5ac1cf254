import { expect, test } from 'vitest';
import { readEvents } from '../../../../src/kit/data/events/formats.ts';
import { inMemory } from '../../../../src/kit/data/events/sequential.ts';
import { rowsOf } from './arbitrary.ts';

const ascii = (text: string) => [...text].map((c) => c.charCodeAt(0));
const rows = async (bytes: readonly number[], name: string, options = {}) =>
  rowsOf(await readEvents(inMemory(Uint8Array.from(bytes)), name, options));

/** x bits 5 (0b0000101), y bits 3: 0x030a + polarity bit 1; at 0x00010203 us. Then x bits 127, y bits 0, polarity bit 0, at 0x00010204 us. */
const dvs128 = [
  ...ascii('#!AER-DAT2.0\r\n# any comment\r\n'),
  ...[0x00, 0x00, 0x03, 0x0b, 0x00, 0x01, 0x02, 0x03],
  ...[0x00, 0x00, 0x00, 0xfe, 0x00, 0x01, 0x02, 0x04],
];

test.each([
  [
    'jaer',
    [
      [122, 124, 0, 0x10203],
      [0, 127, 1, 0x10204],
    ],
  ],
  [
    'spikingjelly',
    [
      [124, 122, 0, 0x10203],
      [127, 0, 1, 0x10204],
    ],
  ],
  [
    'tonic',
    [
      [3, 5, 1, 0x10203],
      [0, 127, 0, 0x10204],
    ],
  ],
] as const)('AEDAT 2.0 of a DVS128 as %s reads it', async (convention, expected) => {
  expect(await rows(dvs128, 'a.aedat', { convention })).toEqual(expected);
  if (convention === 'jaer') expect(await rows(dvs128, 'a.aedat')).toEqual(expected);
});

test('AEDAT 2.0: events with bit 15 are of no pixel; the loaders of both libraries take them for one', async () => {
  const bytes = [...dvs128, ...[0x00, 0x00, 0x80, 0x00, 0x00, 0x01, 0x02, 0x05]];
  expect(await rows(bytes, 'a.aedat')).toHaveLength(2);
  expect((await rows(bytes, 'a.aedat', { convention: 'tonic' }))[2]).toEqual([0, 0, 0, 0x10205]);
});

test('AEDAT 2.0 of a DAVIS: bits 12-21 x, 22-30 y, 11 polarity; frames (bit 31) and special events (bit 10) are left out', async () => {
  const head = ascii('#!AER-DAT2.0\r\n# AEChip: eu.seebetter.ini.chips.davis.Davis346B\r\n#End Of ASCII Header\r\n');
  // x 5, y 140 (its address begins with 0x23, which is #), ON
  const event = [0x23, 0x00, 0x58, 0x00, 0, 0, 0, 9];
  const bytes = [...head, ...event, 0x80, 0, 0, 0, 0, 0, 0, 9, 0, 0, 0x04, 0, 0, 0, 0, 9];
  expect(await rows(bytes, 'a.aedat')).toEqual([[340, 119, 1, 9]]);
  expect((await rows([...head, ...event], 'a.aedat', { convention: 'spikingjelly' }))[0]).toEqual([5, 140, 1, 9]);
});

test('AEDAT 2.0: data that begin with # after the last line of text are data', async () => {
  const bytes = [...ascii('#!AER-DAT2.0\r\n# AEChip: DAVIS346\r\n'), 0x23, 0x00, 0x58, 0x00, 0, 0, 0, 9];
  expect(await rows(bytes, 'a.aedat')).toEqual([[340, 119, 1, 9]]);
});

test('AEDAT 2.0: a header longer than a block', async () => {
  const bytes = [...ascii(`#!AER-DAT2.0\r\n${`#${'p'.repeat(99)}\r\n`.repeat(1500)}`), ...dvs128.slice(-8)];
  expect(await rows(bytes, 'a.aedat')).toEqual([[0, 127, 1, 0x10204]]);
});

const u16 = (v: number) => [v & 255, v >> 8];
const u32 = (v: number) => [v & 255, (v >>> 8) & 255, (v >>> 16) & 255, v >>> 24];
const packet = (type: number, size: number, overflows: number, capacity: number, number = capacity) => [
  ...[u16(type), u16(1)].flat(),
  ...[size, 4, overflows, capacity, number, number].flatMap(u32),
];
const event = (x: number, y: number, p: number, t: number, valid = 1) => [
  ...u32((valid | (p << 1) | (y << 2) | (x << 17)) >>> 0),
  ...u32(t),
];
const head3 = ascii('#!AER-DAT3.1\r\n#Format: RAW\r\n#Source 1: DVS128\r\n#Start-Time: 2016\r\n#!END-HEADER\r\n');

test('AEDAT 3.1: polarity packets; others are skipped; time goes on beyond 31 bits', async () => {
  const bytes = [
    ...head3,
    ...[packet(1, 8, 0, 2), event(127, 3, 1, 7), event(0, 126, 0, 2 ** 31 - 1)].flat(),
    ...[packet(0, 8, 0, 1), event(1, 1, 1, 1)].flat(),
    ...[packet(2, 36, 1, 2), new Array(72).fill(255)].flat(),
    ...[packet(1, 8, 3, 1), event(64, 65, 1, 5)].flat(),
  ];
  expect(await rows(bytes, 'a.aedat')).toEqual([
    [127, 3, 1, 7],
    [0, 126, 0, 2 ** 31 - 1],
    [64, 65, 1, 3 * 2 ** 31 + 5],
  ]);
});

test('AEDAT 3.1: invalid events and unused places are left out; the loaders of both libraries take them', async () => {
  const bytes = [...head3, ...packet(1, 8, 0, 3, 2), ...event(1, 2, 1, 5, 0), ...event(3, 4, 0, 6), ...event(9, 9, 0, 7)];
  expect(await rows(bytes, 'a.aedat')).toEqual([[3, 4, 0, 6]]);
  expect(await rows(bytes, 'a.aedat', { convention: 'spikingjelly' })).toHaveLength(3);
});

test('ATIS: five bytes, 23 bits of time; y = 240 puts all later times 2^13 us further', async () => {
  const bytes = [3, 33, 0x80 | 0x7f, 0xff, 0xff, 0, 240, 0, 0, 0, 4, 5, 0x7f, 0xff, 0xff];
  expect(await rows(bytes, 'a.bin')).toEqual([
    [3, 33, 1, 2 ** 23 - 1],
    [4, 5, 0, 2 ** 23 - 1 + 2 ** 13],
  ]);
  await expect(rows(bytes, 'a.bin', { convention: 'spikingjelly' })).rejects.toThrow(
    'event 1: x 0, y 240 is outside the sensor of 34 x 34',
  );
});

test('csv: columns in any order, further ones, OFF as 0 or -1, Windows line ends', async () => {
  const bytes = ascii('t,p,x,y,note\r\n10,1,3,4,0\r\n\r\n12.5,-1,5,6,1e3\r\n');
  expect(await rows(bytes, 'a.csv', { sensor: { width: 8, height: 8 } })).toEqual([
    [3, 4, 1, 10],
    [5, 6, 0, 12.5],
  ]);
});
