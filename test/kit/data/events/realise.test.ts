import fc from 'fast-check';
import { expect, test } from 'vitest';
import { stream as randomStream } from '../../../../src/core/tensor/random.ts';
import { cut, framesOf, rebin, rebinNaively } from '../../../../src/kit/data/events/binning.ts';
import { realise } from '../../../../src/kit/data/events/realise.ts';
import { clips, rowsOf, streamOf } from './arbitrary.ts';

const random = randomStream(0, 'a', 'realise');

test('cut by the clean windows, the new recording shows exactly the changed frames', () => {
  fc.assert(
    fc.property(clips, fc.infiniteStream(fc.boolean()), (clip, flips) => {
      const clean = framesOf(clip);
      const changed = clean.map((v) => (flips.next().value ? 1 - v : v));
      const { clip: made, added, removed } = realise(clip, changed, random);
      const { stream } = made;
      expect(framesOf(made)).toEqual(changed);
      expect(framesOf(rebin(stream, made))).toEqual(changed);
      expect(made.edges).toEqual(clip.edges);
      expect(stream.t.length).toBe(clip.stream.t.length + added - removed);
      expect(stream.t.every((t, i) => Number.isInteger(t) && (i === 0 || t >= stream.t[i - 1]!))).toBe(true);
      expect(added).toBe(changed.filter((v, i) => v > clean[i]!).length);
    }),
    { numRuns: 300 },
  );
});

test('windows without ties need nothing but their edges', () => {
  const stream = streamOf(2, 1, [
    [0, 0, 1, 10],
    [1, 0, 0, 20],
    [0, 0, 1, 30],
    [0, 0, 1, 41],
  ]);
  const clip = cut(stream, { frames: 2 });
  const changed = framesOf(clip).map((v) => 1 - v);
  const made = realise(clip, changed, random);
  expect(framesOf(rebin(made.clip.stream, { edges: clip.edges, counts: 'binary' }))).toEqual(changed);
  expect([made.added, made.removed]).toEqual([5, 4]);
});

test('nothing changed: the same recording', () => {
  fc.assert(
    fc.property(clips, (clip) => {
      const { clip: made, added, removed } = realise(clip, framesOf(clip), random);
      expect(rowsOf(made.stream)).toEqual(rowsOf(clip.stream));
      expect([added, removed, made.from]).toEqual([0, 0, clip.from]);
    }),
  );
});

test('the time of an inserted event depends on seed, frame and pixel, not on what else changed', () => {
  const clip = cut(
    streamOf(4, 1, [
      [0, 0, 1, 0],
      [0, 0, 1, 1000],
      [0, 0, 1, 2000],
    ]),
    { frames: 1 },
  );
  const with_ = (...pixels: number[]) => {
    const changed = framesOf(clip);
    for (const pixel of pixels) changed[pixel] = 1;
    return rowsOf(realise(clip, changed, random).clip.stream).filter(([x, , p]) => x === 2 && p === 0);
  };
  expect(with_(2)).toHaveLength(1);
  expect(with_(2, 1, 3)).toEqual(with_(2));
  expect(
    realise(
      clip,
      framesOf(clip).map(() => 1),
      randomStream(1),
    ).clip.stream.t,
  ).not.toEqual(
    realise(
      clip,
      framesOf(clip).map(() => 1),
      random,
    ).clip.stream.t,
  );
});

test('cut anew by number, frames may come out differently: insertions move every later edge', () => {
  const stream = streamOf(
    8,
    1,
    [0, 1, 2, 3, 4, 5].map((x) => [x, 0, 1, 10 * x] as const),
  );
  const clip = cut(stream, { frames: 2 });
  const changed = framesOf(clip);
  changed.fill(1, 0, 3);
  const made = realise(clip, changed, random).clip;
  expect(framesOf(rebin(made.stream, made))).toEqual(changed);
  expect(framesOf(rebinNaively(made.stream, made))).not.toEqual(changed);
});

test('frames that are counts, or not of the size, are a mistake of the caller', () => {
  const clip = cut(streamOf(2, 1, [[0, 0, 1, 0]]), { frames: 1 });
  expect(() => realise(clip, new Float32Array(3), random)).toThrow('3 values for frames of 4');
  expect(() => realise(clip, Float32Array.of(0, 2, 0, 0), random)).toThrow('holds 2');
  expect(() => realise({ ...clip, counts: 'count' }, new Float32Array(4), random)).toThrow('only binary frames');
});
