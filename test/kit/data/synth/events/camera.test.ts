import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { stream } from '../../../../../src/core/tensor/random.ts';
import type { EventStream } from '../../../../../src/kit/data/events/stream.ts';
import { type CameraOptions, type Frame, film, makeCamera } from '../../../../../src/kit/data/synth/events/camera.ts';

const dark = 1e-3;

/** Intensity whose logarithm, as the camera takes it, is `level`. */
const atLevel = (level: number) => Math.exp(level) - dark;

const frames = (...given: (readonly [time: number, ...intensity: number[]])[]): Frame[] =>
  given.map(([time, ...intensity]) => ({ time, intensity: Float32Array.from(intensity) }));

/** A camera of pixels side by side, all alike and without noise unless said otherwise. */
function filmed(width: number, given: Iterable<Frame>, options: CameraOptions = {}, seed = 0): EventStream {
  const camera = makeCamera(width, 1, stream(seed, 'camera'), { sigma: 0, noise: 0, ...options });
  return film(camera, given, stream(seed, 'film'));
}

const list = ({ x, p, t }: EventStream) => Array.from(t, (time, i) => [x[i], p[i], time]);

describe('event camera', () => {
  test('a logarithm that rises by k thresholds is k events, each at its crossing', () => {
    const events = filmed(1, frames([0, atLevel(-2)], [100_000, atLevel(-2 + 5.001 * 0.2)]));
    expect(Array.from(events.p)).toEqual([1, 1, 1, 1, 1]);
    for (const [i, time] of events.t.entries()) expect(Math.abs(time - ((i + 1) * 100_000) / 5.001)).toBeLessThan(2);
  });

  test('a fall is OFF events; what is left below a threshold counts with what comes next', () => {
    const events = filmed(
      1,
      frames([0, atLevel(-1)], [10_000, atLevel(-1.15)], [20_000, atLevel(-1.3)], [30_000, atLevel(-1.45)]),
    );
    expect(list(events).map(([, p]) => p)).toEqual([0, 0]);
    expect(events.t[0]).toBeCloseTo(10_000 + 10_000 / 3, -1);
    expect(events.t[1]).toBeCloseTo(20_000 + (10_000 * 2) / 3, -1);
  });

  test('how finely a steady change of the logarithm is cut into frames makes no difference', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 40 }), fc.double({ min: -1.9, max: 1.9, noNaN: true }), (pieces, change) => {
        const ramp = (n: number) =>
          Array.from({ length: n + 1 }, (_, i): Frame => {
            return { time: (80_000 * i) / n, intensity: Float32Array.of(atLevel(-2 + (change * i) / n)) };
          });
        const [whole, cut] = [filmed(1, ramp(1)), filmed(1, ramp(pieces))];
        // a change that ends on a threshold may end on either side of it
        fc.pre(Math.abs((Math.abs(change) / 0.2) % 1) > 1e-3);
        expect(cut.p).toEqual(whole.p);
        for (const [i, time] of cut.t.entries()) expect(Math.abs(time - whole.t[i]!)).toBeLessThan(30);
      }),
      { numRuns: 50 },
    );
  });

  test('within the refractory time a pixel reports nothing, and what it missed is not made up for', () => {
    const ramp = frames([0, atLevel(-3)], [2000, atLevel(-3 + 10.01 * 0.2)]);
    expect(filmed(1, ramp, { refractory: 0 }).t).toHaveLength(10);
    const events = filmed(1, ramp, { refractory: 500 });
    // crossings every 199.8 us: the first, and each at least 500 us later
    expect(Array.from(events.t, (time) => Math.round(time / 199.8))).toEqual([1, 4, 7, 10]);
    const still = [...ramp, ...frames([9000, atLevel(-3 + 10.01 * 0.2)])];
    expect(filmed(1, still, { refractory: 500 }).t).toEqual(events.t);
  });

  test('nothing happens in a still scene without noise', () => {
    const still = Array.from({ length: 20 }, (_, i) => frames([1000 * i, 0, 0.2, 1])[0]!);
    expect(filmed(3, still).t).toHaveLength(0);
  });

  test('noise comes at its rate, on all pixels, half of it ON', () => {
    const size = 64;
    const camera = makeCamera(size, size, stream('noise'), { noise: 2 });
    const intensity = new Float32Array(size * size).fill(0.5);
    const events = film(
      camera,
      Array.from({ length: 11 }, (_, i) => ({ time: 100_000 * i, intensity })),
      stream('draw'),
    );
    const expected = 2 * size * size;
    expect(Math.abs(events.t.length - expected)).toBeLessThan(4 * Math.sqrt(expected));
    const on = events.p.reduce((a, b) => a + b, 0);
    expect(Math.abs(on - events.t.length / 2)).toBeLessThan(2 * Math.sqrt(events.t.length));
    const halves = events.x.filter((x) => x < size / 2).length;
    expect(Math.abs(halves - events.t.length / 2)).toBeLessThan(2 * Math.sqrt(events.t.length));
    expect(events.t.at(-1)! < 1e6 && events.t[0]! >= 0).toBe(true);
  });

  test('thresholds differ from pixel to pixel as much as is said, and stay the same from film to film', () => {
    const camera = makeCamera(100, 100, stream('device'), { threshold: 0.3, sigma: 0.05 });
    for (const thresholds of camera.thresholds) {
      const mean = thresholds.reduce((a, b) => a + b, 0) / 1e4;
      const sd = Math.sqrt(thresholds.reduce((a, b) => a + (b - mean) ** 2, 0) / 1e4);
      expect(Math.abs(mean - 0.3)).toBeLessThan(0.003);
      expect(Math.abs(sd - 0.05)).toBeLessThan(0.003);
    }
    expect(makeCamera(100, 100, stream('device'), { threshold: 0.3, sigma: 0.05 })).toEqual(camera);
  });

  test('events of many pixels are in order of time, in whole microseconds, whatever the frames', () => {
    const draw = stream('scene');
    const scene = Array.from({ length: 30 }, (_, i) => ({
      time: 3333.3 * i,
      intensity: Float32Array.from({ length: 64 }, () => draw.uniform()),
    }));
    const events = filmed(64, scene, { sigma: 0.03, noise: 5 });
    expect(events.t.length).toBeGreaterThan(1000);
    expect(events.t.every((time, i) => Number.isInteger(time) && (i === 0 || time >= events.t[i - 1]!))).toBe(true);
    expect(events).toEqual(filmed(64, scene, { sigma: 0.03, noise: 5 }));
  });
});
