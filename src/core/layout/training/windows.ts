/** @file Which positions of a map the taps of a window fall on, over any number of axes. Positions are counted row-major; -1 is outside. */
import { sizeOf } from '../../tensor/tensor.ts';

/** Windows over the axes of a map. */
export interface Windows {
  readonly kernel: readonly number[];
  readonly strides: readonly number[];
  readonly dilations: readonly number[];
  readonly before: readonly number[];
  readonly after: readonly number[];
}

/** Number of windows along each axis of a map. */
export const windowsOver = ({ kernel, strides, dilations, before, after }: Windows, map: readonly number[]): number[] =>
  map.map((n, i) => Math.floor((n + before[i]! + after[i]! - (kernel[i]! - 1) * dilations[i]! - 1) / strides[i]!) + 1);

/** For every window, in order, the positions of its taps, in order: windows x taps numbers. */
export function tapsOf(windows: Windows, map: readonly number[]): Int32Array {
  const { kernel, strides, dilations, before } = windows;
  const out = windowsOver(windows, map);
  const [count, taps] = [sizeOf(out), sizeOf(kernel)];
  const at = new Int32Array(count * taps);
  for (let w = 0; w < count; w++) {
    const corner = indicesOf(w, out);
    for (let t = 0; t < taps; t++) {
      const tap = indicesOf(t, kernel);
      let position = 0;
      for (const [i, n] of map.entries()) {
        const place = corner[i]! * strides[i]! + tap[i]! * dilations[i]! - before[i]!;
        position = place < 0 || place >= n || position < 0 ? -1 : position * n + place;
      }
      at[w * taps + t] = position;
    }
  }
  return at;
}

function indicesOf(flat: number, sizes: readonly number[]): number[] {
  const indices = new Array<number>(sizes.length);
  let rest = flat;
  for (let i = sizes.length - 1; i >= 0; i--) {
    indices[i] = rest % sizes[i]!;
    rest = Math.floor(rest / sizes[i]!);
  }
  return indices;
}

/**
 * The other way round: for every position, where in the list it stands, `most` numbers each, -1 where there are fewer. `most` is the number of times the
 * position named most often is named.
 */
export function placesOf(list: Int32Array, positions: number): { readonly places: Int32Array; readonly most: number } {
  const counts = new Int32Array(positions);
  for (const p of list) if (p >= 0) counts[p]!++;
  const most = counts.reduce((a, b) => Math.max(a, b), 1);
  const places = new Int32Array(positions * most).fill(-1);
  counts.fill(0);
  list.forEach((p, i) => {
    if (p >= 0) places[p * most + counts[p]!++] = i;
  });
  return { places, most };
}
