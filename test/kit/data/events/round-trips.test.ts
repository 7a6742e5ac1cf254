import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { EventFormatName, EventReadOptions } from '../../../../src/kit/data/events/formats.ts';
import { type EventWriteOptions, eventFormats, readEvents, writeEvents } from '../../../../src/kit/data/events/formats.ts';
import { inMemory } from '../../../../src/kit/data/events/sequential.ts';
import type { EventStream } from '../../../../src/kit/data/events/stream.ts';
import { rowsOf, streamOf, streams } from './arbitrary.ts';

async function there(stream: EventStream, format: EventFormatName, write: EventWriteOptions = {}, read: EventReadOptions = {}) {
  const bytes = writeEvents(stream, format, write);
  const again = await readEvents(inMemory(bytes), `a${eventFormats[format].ending}`, read);
  return { bytes, again };
}

const sensor = { width: 34, height: 34 };
const cases: readonly [string, EventFormatName, EventWriteOptions, EventReadOptions, fc.Arbitrary<EventStream>][] = [
  ...(['jaer', 'spikingjelly', 'tonic'] as const).flatMap((convention): typeof cases => [
    [`DVS128 as ${convention} reads it`, 'aedat-2.0', { convention }, { convention }, streams({ start: 2 ** 31 })],
    [
      `DAVIS as ${convention} reads it`,
      'aedat-2.0',
      { convention, address: 'davis' },
      { convention },
      streams({ width: 346, height: 260 }),
    ],
    [`AEDAT 3.1 as ${convention} reads it`, 'aedat-3.1', { convention }, { convention }, streams({ gap: 2 ** 29 })],
  ]),
  ['AEDAT 3.1 of another size', 'aedat-3.1', { comments: ['synthetic'] }, {}, streams({ width: 64, height: 48 })],
  ['ATIS', 'atis', {}, {}, streams(sensor)],
  ['ATIS with a clock that runs over', 'atis', {}, {}, streams({ ...sensor, gap: 2 ** 21 })],
  ['npz', 'npz', {}, {}, streams({ width: 20, height: 7, gap: 2 ** 40 })],
  ['csv', 'csv', {}, { sensor }, streams({ ...sensor, gap: 2 ** 40 })],
];

test.each(cases)(
  '%s: what is written is read again, and written again it is the same bytes',
  async (_, format, write, read, of) => {
    await fc.assert(
      fc.asyncProperty(of, async (stream) => {
        const { bytes, again } = await there(stream, format, write, read);
        expect(rowsOf(again)).toEqual(rowsOf(stream));
        expect([again.width, again.height]).toEqual([stream.width, stream.height]);
        expect(writeEvents(again, format, write)).toEqual(bytes);
      }),
      { numRuns: 40 },
    );
  },
);

test('times between microseconds survive in npz and csv', async () => {
  const stream = streamOf(34, 34, [
    [1, 2, 1, 0.25],
    [3, 4, 0, 1.5],
  ]);
  for (const format of ['npz', 'csv'] as const)
    expect(rowsOf((await there(stream, format, {}, { sensor })).again)).toEqual(rowsOf(stream));
});

test('recordings longer than a chunk', async () => {
  const n = 150_001;
  const stream: EventStream = {
    width: 34,
    height: 34,
    x: Uint16Array.from({ length: n }, (_, i) => (7 * i) % 34),
    y: Uint16Array.from({ length: n }, (_, i) => (5 * i) % 33),
    p: Uint8Array.from({ length: n }, (_, i) => i % 2),
    t: Float64Array.from({ length: n }, (_, i) => 60 * i),
  };
  for (const format of ['atis', 'csv', 'npz', 'aedat-3.1'] as const) {
    const { again } = await there(stream, format, {}, { sensor });
    for (const part of ['x', 'y', 'p', 't'] as const)
      expect(
        Buffer.compare(new Uint8Array(again[part].buffer, 0, again[part].byteLength), new Uint8Array(stream[part].buffer)),
      ).toBe(0);
  }
});

test.each([
  ['aedat-2.0', streamOf(64, 64, [[1, 1, 1, 0]]), 'a sensor of 64 x 64 does not fit AEDAT 2.0 addresses of a DVS128 (128 x 128)'],
  [
    'aedat-2.0',
    streamOf(128, 128, [[1, 1, 1, 2 ** 32]]),
    'event 0 is at 4294967296 us, and AEDAT 2.0 holds whole microseconds from 0 to 4294967295',
  ],
  [
    'aedat-3.1',
    streamOf(128, 128, [[1, 1, 1, 0.5]]),
    'event 0 is at 0.5 us, and AEDAT 3.1 holds whole microseconds from 0 to 9007199254740991',
  ],
  ['atis', streamOf(346, 260, [[1, 1, 1, 0]]), 'a sensor of 346 x 260 does not fit ATIS .bin'],
] as const)('%s refuses what it cannot hold', (format, stream, message) => {
  expect(() => writeEvents(stream, format)).toThrow(message);
});
