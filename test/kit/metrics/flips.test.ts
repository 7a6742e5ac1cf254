import { describe, expect, it } from 'vitest';
import { stream } from '../../../src/core/tensor/random.ts';
import { type ClipShape, flipFigures, flipsBetween } from '../../../src/kit/metrics/flips.ts';

const shape: ClipShape = { steps: 5, channels: 2, height: 16, width: 20 };
const n = 5 * 2 * 16 * 20;
const at = (step: number, channel: number, y: number, x: number) => ((step * 2 + channel) * 16 + y) * 20 + x;
const changed = (clip: Float32Array, ...places: readonly number[]): Float32Array => {
  const other = clip.slice();
  for (const i of places) other[i] = 1 - other[i]!;
  return other;
};
const figures = (clip: Float32Array, other: Float32Array) => flipFigures(flipsBetween(clip, other, shape), clip, shape);

describe('flips of a clip', () => {
  it('are told by step, polarity, place and direction', () => {
    const clip = new Float32Array(n);
    clip[at(3, 1, 15, 19)] = 1;
    expect(flipsBetween(clip, changed(clip, at(0, 0, 2, 7), at(3, 1, 15, 19)), shape)).toEqual([
      { step: 0, channel: 0, y: 2, x: 7, added: true },
      { step: 3, channel: 1, y: 15, x: 19, added: false },
    ]);
    expect(() => flipsBetween(clip, clip.slice(1), shape)).toThrow('do not hold 5 x 2 x 16 x 20');
  });

  it('have no figures where there is nothing to say', () => {
    const clip = new Float32Array(n);
    expect(figures(clip, clip)).toEqual({
      added: 0,
      deleted: 0,
      timeClustering: null,
      nearestNeighbour: null,
      besideEvents: null,
    });
  });

  it('on a sensor of a single pixel have no distances', () => {
    const both = [0, 1].map((channel) => ({ step: 0, channel, y: 0, x: 0, added: true }));
    expect(flipFigures(both, new Float32Array(4), { steps: 2, channels: 2, height: 1, width: 1 })).toEqual({
      added: 2,
      deleted: 0,
      timeClustering: 2,
      nearestNeighbour: null,
      besideEvents: 0,
    });
  });

  it('that lie at random over the clip count as chance in time and space', () => {
    const clip = new Float32Array(n);
    const random = stream('flips by chance');
    const all = Array.from({ length: 60 }, () =>
      figures(clip, changed(clip, ...new Set(Array.from({ length: 40 }, () => random.integer(n))))),
    );
    const mean = (key: 'timeClustering' | 'nearestNeighbour') => all.reduce((sum, f) => sum + f[key]!, 0) / all.length;
    expect(mean('timeClustering')).toBeGreaterThan(0.8);
    expect(mean('timeClustering')).toBeLessThan(1.2);
    expect(mean('nearestNeighbour')).toBeGreaterThan(0.93);
    expect(mean('nearestNeighbour')).toBeLessThan(1.07);
  });

  it('in one step and one corner count as clustered: as many times the mean as there are steps', () => {
    const clip = new Float32Array(n);
    const corner = Array.from({ length: 12 }, (_, i) => at(2, 0, Math.floor(i / 4), i % 4));
    const { timeClustering, nearestNeighbour } = figures(clip, changed(clip, ...corner));
    // counts 0 0 12 0 0: variance (4 x 2.4^2 + 9.6^2) / 4 over the mean 2.4
    expect(timeClustering).toBeCloseTo(12, 10);
    expect(nearestNeighbour).toBeLessThan(0.6);
  });

  it('are beside events where an original one is among the eight neighbours of the same step', () => {
    const clip = new Float32Array(n);
    clip[at(1, 1, 5, 5)] = 1;
    const places = [at(1, 0, 6, 6), at(1, 0, 7, 5), at(2, 0, 6, 6), at(1, 1, 5, 5)];
    // the last is a deletion; of three additions one is near in place and time
    expect(figures(clip, changed(clip, ...places))).toMatchObject({ added: 3, deleted: 1, besideEvents: 1 / 3 });
  });
});
