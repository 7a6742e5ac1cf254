import fc from 'fast-check';
import { expect, it, test } from 'vitest';
import { stream as randomStream } from '../../../../src/core/tensor/random.ts';
import { cut, framesOf, isCutByNumber, rebinNaively } from '../../../../src/kit/data/events/binning.ts';
import { exchanged } from '../../../../src/kit/data/events/exchanged.ts';
import { readEvents } from '../../../../src/kit/data/events/formats.ts';
import { realise } from '../../../../src/kit/data/events/realise.ts';
import { readClip, writeClip } from '../../../../src/kit/data/events/saved-clip.ts';
import { inMemory } from '../../../../src/kit/data/events/sequential.ts';
import { clips, rowsOf, streamOf } from './arbitrary.ts';

const random = randomStream(0, 'a', 'saved');

test('a changed recording, written and read with nothing but its file, shows the changed frames', async () => {
  await fc.assert(
    fc.asyncProperty(clips, fc.infiniteStream(fc.boolean()), async (clip, flips) => {
      const changed = framesOf(clip).map((v) => (flips.next().value ? 1 - v : v));
      const { clip: made, added, removed } = realise(clip, changed, random);
      const { bytes, ending } = writeClip(made);
      expect(ending).toBe('.aedat');
      const read = (await readClip(bytes, `a${ending}`))!;
      expect(framesOf(read)).toEqual(changed);
      expect([...read.edges]).toEqual([...clip.edges]);
      expect(rowsOf(read.stream)).toEqual(rowsOf(made.stream));
      const exchange = exchanged(clip.stream, read.stream);
      // where a microsecond is parted between two frames, an event deleted in one and added in the other is one and the same
      const same = added - exchange.added.length;
      expect(removed - exchange.removed.length).toBe(same);
      expect(same).toBeGreaterThanOrEqual(0);
      if (clip.ties === undefined || clip.ties.every((n) => n === 0)) expect(same).toBe(0);
    }),
    { numRuns: 100 },
  );
});

const clip = cut(
  streamOf(2, 1, [
    [0, 0, 1, 10.5],
    [1, 0, 0, 20],
    [0, 0, 1, 30],
    [0, 0, 1, 41],
  ]),
  { frames: 2 },
);

it('times that are not whole microseconds go into an archive, with the windows', async () => {
  const { bytes, ending } = writeClip(clip);
  expect(ending).toBe('.events.npz');
  const read = (await readClip(bytes, 'a.events.npz'))!;
  expect(read.from).toEqual(clip.from);
  expect(rowsOf(read.stream)).toEqual(rowsOf(clip.stream));
  expect(rowsOf(await readEvents(inMemory(bytes), 'a.npz'))).toEqual(rowsOf(clip.stream));
});

it.each(['jaer', 'spikingjelly', 'tonic'] as const)('reads as the same recording by the convention %s', async (convention) => {
  const whole = cut(
    streamOf(64, 32, [
      [63, 0, 1, 0],
      [1, 31, 0, 2 ** 31 - 1],
      [5, 7, 1, 2 ** 31 + 9],
    ]),
    { frames: 3 },
  );
  const { bytes } = writeClip(whole);
  expect(rowsOf(await readEvents(inMemory(bytes), 'a.aedat', { convention }))).toEqual(rowsOf(whole.stream));
});

it('a recording from which everything was deleted is read as one of no events', async () => {
  const whole = cut(streamOf(2, 1, [[0, 0, 1, 3]]), { frames: 1 });
  const { clip: made } = realise(whole, new Float32Array(4), random);
  const read = (await readClip(writeClip(made).bytes, 'a.aedat'))!;
  expect([read.stream.t.length, ...framesOf(read)]).toEqual([0, 0, 0, 0, 0]);
});

it('a list of windows that was tampered with is refused by name', async () => {
  const whole = cut(streamOf(2, 1, [[0, 0, 1, 3]]), { frames: 1 });
  const bytes = writeClip(whole).bytes;
  const text = new TextDecoder('latin1').decode(bytes);
  const with_ = (edges: string) => Uint8Array.from(text.replace('[3,4]', edges), (c) => c.charCodeAt(0));
  await expect(readClip(with_('[4,4]'), 'a.aedat')).rejects.toThrow('"a.aedat": its list of windows names no ascending times');
  await expect(readClip(with_('[3,4'), 'a.aedat')).rejects.toThrow('is not JSON');
});

it('tells cuts by number from cuts by time, and cutting a clean recording anew by number changes nothing', () => {
  const stream = streamOf(
    1,
    1,
    [0, 1, 2, 50, 60, 100].map((t) => [0, 0, 1, t] as const),
  );
  const byNumber = cut(stream, { frames: 3 });
  expect(isCutByNumber(byNumber)).toBe(true);
  expect(isCutByNumber(cut(stream, { frames: 3, by: 'time' }))).toBe(false);
  expect(rebinNaively(stream, byNumber).from).toEqual(byNumber.from);
});
