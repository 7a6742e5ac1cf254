/** @file Events as pictures to look at. */
import type { EventStream } from '../../events/stream.ts';
import type { RawImage } from '../../source.ts';

/** The recording in `count` equal parts of its time, all events of a part in one picture: rises green, falls red. */
export function snapshots({ width, height, x, y, p, t }: EventStream, count: number): RawImage[] {
  const pictures = Array.from({ length: count }, () => new Uint8Array(3 * width * height).fill(24));
  const [first, last] = [t[0] ?? 0, t.at(-1) ?? 0];
  for (let i = 0; i < t.length; i++) {
    const part = Math.min(count - 1, Math.floor((count * (t[i]! - first)) / (last - first + 1)));
    pictures[part]![3 * (y[i]! * width + x[i]!) + p[i]!] = 255;
  }
  return pictures.map((data) => ({ kind: 'image', width, height, channels: 3, data }));
}
