import fc from 'fast-check';
import { cut } from '../../../../src/kit/data/events/binning.ts';
import type { EventClip, EventStream } from '../../../../src/kit/data/events/stream.ts';

/** Recordings in order of time, with ties. */
export function streams(
  of: { width?: number; height?: number; start?: number; gap?: number; least?: number; most?: number } = {},
): fc.Arbitrary<EventStream> {
  const { width = 128, height = 128, start = 1000, gap = 3, least = 1, most = 60 } = of;
  const event = fc.tuple(fc.nat(width - 1), fc.nat(height - 1), fc.nat(1), fc.nat(gap));
  return fc.tuple(fc.nat(start), fc.array(event, { minLength: least, maxLength: most })).map(([first, events]) => {
    let t = first;
    const times = events.map(([, , , step]) => {
      t += step;
      return t;
    });
    return {
      width,
      height,
      x: Uint16Array.from(events, ([x]) => x),
      y: Uint16Array.from(events, ([, y]) => y),
      p: Uint8Array.from(events, ([, , p]) => p),
      t: Float64Array.from(times),
    };
  });
}

export const streamOf = (
  width: number,
  height: number,
  events: readonly (readonly [x: number, y: number, p: number, t: number])[],
): EventStream => ({
  width,
  height,
  x: Uint16Array.from(events, ([x]) => x),
  y: Uint16Array.from(events, ([, y]) => y),
  p: Uint8Array.from(events, ([, , p]) => p),
  t: Float64Array.from(events, ([, , , t]) => t),
});

/** Events as rows [x, y, p, t]. */
export const rowsOf = ({ x, y, p, t }: EventStream): number[][] => Array.from(t, (time, i) => [x[i]!, y[i]!, p[i]!, time]);

/** Recordings with many ties, cut into frames; those where a window has no length are left out. */
export const clips: fc.Arbitrary<EventClip> = fc
  .tuple(
    streams({ width: 3, height: 2, least: 12, most: 80, gap: 2 }),
    fc.integer({ min: 1, max: 4 }),
    fc.constantFrom('number', 'time'),
  )
  .map(([stream, frames, by]): EventClip | undefined => {
    try {
      return cut(stream, { frames, by });
    } catch {
      return undefined;
    }
  })
  .filter((clip) => clip !== undefined);
