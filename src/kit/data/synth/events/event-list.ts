/** @file A list of events that grows while a scene is filmed. */
import type { EventStream } from '../../events/stream.ts';

export interface EventList {
  /** An event at a pixel (row-major index); p 1 where it rose; the time in microseconds is cut to a whole number. */
  add(pixel: number, p: number, time: number): void;
  /** Puts what was added since the last call in order of time; all of it is later than what came before. */
  sortNew(): void;
  finish(): EventStream;
}

export function eventList(width: number, height: number): EventList {
  let pixels = new Uint32Array(4096);
  let signs = new Uint8Array(4096);
  let times = new Float64Array(4096);
  let [count, sorted] = [0, 0];
  return {
    add(pixel, p, time) {
      if (count === pixels.length) {
        [pixels, signs, times] = [doubled(pixels), doubled(signs), doubled(times)];
      }
      pixels[count] = pixel;
      signs[count] = p;
      times[count++] = Math.floor(time);
    },
    sortNew() {
      const order = Array.from({ length: count - sorted }, (_, i) => sorted + i).sort((a, b) => times[a]! - times[b]! || a - b);
      const [px, sg, tm] = [order.map((i) => pixels[i]!), order.map((i) => signs[i]!), order.map((i) => times[i]!)];
      pixels.set(px, sorted);
      signs.set(sg, sorted);
      times.set(tm, sorted);
      sorted = count;
    },
    finish: () => ({
      width,
      height,
      x: Uint16Array.from(pixels.subarray(0, count), (i) => i % width),
      y: Uint16Array.from(pixels.subarray(0, count), (i) => Math.floor(i / width)),
      p: signs.slice(0, count),
      t: times.slice(0, count),
    }),
  };
}

function doubled<A extends Uint8Array | Uint32Array | Float64Array>(array: A): A {
  const larger = new (array.constructor as new (length: number) => A)(2 * array.length);
  larger.set(array);
  return larger;
}
