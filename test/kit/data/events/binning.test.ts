import fc from 'fast-check';
import { expect, test } from 'vitest';
import { binReader } from '../../../../src/kit/data/events/bin-reader.ts';
import { cut, framesOf, rebin, rebinNaively } from '../../../../src/kit/data/events/binning.ts';
import { downsample } from '../../../../src/kit/data/events/downsample.ts';
import { openEvents, writeEvents } from '../../../../src/kit/data/events/formats.ts';
import { inMemory } from '../../../../src/kit/data/events/sequential.ts';
import { clips, streamOf } from './arbitrary.ts';

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
