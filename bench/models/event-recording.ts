import type { EventStream } from '../../src/kit/data/events/stream.ts';

/** A recording of `count` events that wander over the sensor, `gap` microseconds apart. */
export function wandering(count: number, side: number, gap = 1): EventStream {
  const x = new Uint16Array(count);
  const y = new Uint16Array(count);
  const p = new Uint8Array(count);
  const t = new Float64Array(count);
  for (let i = 0; i < count; i++) {
    x[i] = (i * 7 + (i >> 5)) % side;
    y[i] = (i * 11 + (i >> 7)) % side;
    p[i] = (i >> 1) & 1;
    t[i] = i * gap;
  }
  return { width: side, height: side, x, y, p, t };
}
