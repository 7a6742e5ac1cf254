import fc from 'fast-check';
import { expect, test } from 'vitest';
import { binReader } from '../../../../src/kit/data/events/bin-reader.ts';
import { cut, framesOf, rebin, rebinNaively } from '../../../../src/kit/data/events/binning.ts';
import type { EventReader } from '../../../../src/kit/data/events/chunk.ts';
import { downsample } from '../../../../src/kit/data/events/downsample.ts';
import { openEvents, writeEvents } from '../../../../src/kit/data/events/formats.ts';
import { inMemory } from '../../../../src/kit/data/events/sequential.ts';
import type { EventStream } from '../../../../src/kit/data/events/stream.ts';
import { clips, streamOf, streams } from './arbitrary.ts';

const seven = streamOf(2, 2, [
  [0, 0, 0, 100],
  [0, 0, 0, 110],
  [1, 0, 1, 120],
  [1, 1, 1, 130],
  [0, 1, 0, 140],
  [0, 1, 0, 150],
  [1, 1, 0, 190],
]);

test('by number: floor(N / frames) events each, the last frame takes the rest; edges are the first events and the microsecond after the last', () => {
  const clip = cut(seven, { frames: 3, by: 'number', values: 'count' });
  expect(clip.from).toEqual([0, 2, 4, 7]);
  expect([...clip.edges]).toEqual([100, 120, 140, 191]);
  expect(clip.ties).toBeUndefined();
  expect([...framesOf(clip)]).toEqual([...[2, 0, 0, 0, 0, 0, 0, 0], ...[0, 0, 0, 0, 0, 1, 0, 1], ...[0, 0, 2, 1, 0, 0, 0, 0]]);
});

test('by time: windows of floor(span / frames), the last takes the rest; a window without events is an empty frame', () => {
  const clip = cut(seven, { frames: 4, by: 'time' });
  expect([...clip.edges]).toEqual([100, 122, 144, 166, 191]);
  expect(clip.from).toEqual([0, 3, 5, 6, 7]);
  const gap = streamOf(1, 1, [
    [0, 0, 1, 0],
    [0, 0, 1, 100],
  ]);
  expect([...framesOf(cut(gap, { frames: 2, by: 'time', values: 'count' }))]).toEqual([0, 1, 0, 1]);
  expect([
    ...framesOf(
      cut(
        streamOf(1, 1, [
          [0, 0, 1, 0],
          [0, 0, 1, 90],
          [0, 0, 1, 99],
        ]),
        { frames: 3, by: 'time' },
      ),
    ),
  ]).toEqual([0, 1, 0, 0, 0, 1]);
});

test('binary frames hold one where count frames hold any', () => {
  const [counts, binary] = (['count', 'binary'] as const).map((values) => framesOf(cut(seven, { frames: 3, values })));
  expect([...binary!]).toEqual([...counts!].map((n) => Math.min(n, 1)));
});

test('events of one microsecond may lie on both sides of an edge: ties say how many come before', () => {
  const stream = streamOf(1, 1, [
    [0, 0, 1, 5],
    [0, 0, 0, 7],
    [0, 0, 1, 7],
    [0, 0, 1, 9],
  ]);
  const clip = cut(stream, { frames: 2 });
  expect(clip.ties).toEqual([0, 1, 0]);
  expect(rebin(stream, clip).from).toEqual(clip.from);
});

test('the windows of a recording cut it again as it was cut', () => {
  fc.assert(
    fc.property(clips, (clip) => {
      expect(rebin(clip.stream, clip)).toEqual(clip);
    }),
  );
});

test('naive: by number, whatever windows there were', () => {
  const clip = cut(seven, { frames: 3, by: 'time' });
  expect(rebinNaively(seven, clip).from).toEqual([0, 2, 4, 7]);
});

test.each([
  ['number', 3, 'a.bin has 2 events, fewer than the 3 frames asked for'],
  ['number', 2, 'a.bin, event 1: frame 0 begins and ends at 4 us, a window of no length'],
  ['time', 2, 'a.bin lasts 0 us: 2 windows would have no length'],
] as const)('by %s into %i frames is refused where a window would be empty or have no length', (by, frames, message) => {
  const stream = streamOf(1, 1, [
    [0, 0, 1, 4],
    [0, 0, 1, 4],
  ]);
  expect(() => cut(stream, { frames, by }, 'a.bin')).toThrow(message);
});

test('a recording in chunks gives the frames the whole gives', async () => {
  for (const by of ['number', 'time'] as const) {
    for (const values of ['binary', 'count'] as const) {
      const reader = await openEvents(inMemory(writeEvents({ ...seven, width: 34, height: 34 }, 'atis')), 'a.bin');
      const options = { frames: 3, by, values };
      expect(await binReader(reader, options)).toEqual(framesOf(cut({ ...seven, width: 34, height: 34 }, options)));
    }
  }
  const still = await openEvents(
    inMemory(
      writeEvents(
        streamOf(34, 34, [
          [0, 0, 1, 4],
          [0, 0, 1, 4],
        ]),
        'atis',
      ),
    ),
    'a.bin',
  );
  await expect(binReader(still, { frames: 2 }, 'a.bin')).rejects.toThrow('frame 0 begins and ends at 4 us');
});

/** A recording handed over so many events at a time. */
const inChunks = (stream: EventStream, size: number): EventReader => ({
  width: stream.width,
  height: stream.height,
  convention: 'as they are',
  most: stream.t.length,
  async *chunks() {
    for (let from = 0; from < stream.t.length; from += size) {
      const [x, y] = [stream.x.subarray(from, from + size), stream.y.subarray(from, from + size)];
      yield {
        count: Math.min(size, stream.t.length - from),
        x,
        y,
        p: stream.p.subarray(from, from + size),
        t: stream.t.subarray(from, from + size),
      };
    }
  },
});

test('wherever chunks end and between which microseconds events lie, the frames are those of the whole', async () => {
  const given = fc.record({
    stream: streams({ width: 5, height: 4, gap: 40, least: 3 }),
    tick: fc.constantFrom(1, 0.001, 0.1, 1 / 3),
    size: fc.integer({ min: 1, max: 20 }),
    frames: fc.integer({ min: 1, max: 7 }),
    by: fc.constantFrom('number' as const, 'time' as const),
    values: fc.constantFrom('binary' as const, 'count' as const),
  });
  await fc.assert(
    fc.asyncProperty(given, async ({ stream: whole, tick, size, ...options }) => {
      const stream = { ...whole, t: whole.t.map((time) => time * tick) };
      const expected = await Promise.resolve()
        .then(() => framesOf(cut(stream, options, 'it')))
        .catch((error: Error) => error.message);
      const found = await binReader(inChunks(stream, size), options, 'it').catch((error: Error) => error.message);
      expect(found).toEqual(expected);
    }),
    { numRuns: 300 },
  );
});

test('an event one rounding before the edge of its window is in the window the edge says', async () => {
  const first = 3978.507;
  // (first + 2 x 59 - first) / 59 is a little less than 2
  const times = [first, ...Array.from({ length: 9 }, (_, i) => first + 2 * 59 + i), first + 590.5];
  const stream = streamOf(
    4,
    4,
    times.map((t, i) => [i % 4, 0, 1, t]),
  );
  const options = { frames: 10, by: 'time' } as const;
  expect(await binReader(inChunks(stream, 2), options)).toEqual(framesOf(cut(stream, options)));
});

test('a coarser sensor: its pixels fire whenever one of those they stand for does', () => {
  const stream = downsample(
    streamOf(4, 6, [
      [3, 5, 1, 1],
      [2, 4, 1, 2],
      [1, 1, 0, 3],
    ]),
    2,
  );
  expect([stream.width, stream.height, [...stream.x], [...stream.y]]).toEqual([2, 3, [1, 1, 0], [2, 2, 0]]);
  expect(() => downsample(stream, 2, 'a.bin')).toThrow('a.bin is from a sensor of 2 x 3, which cannot be divided by 2');
});
