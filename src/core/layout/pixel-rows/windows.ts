/** @file Which positions of a picture the taps of a window fall on. */
import type { Picture, Windows } from './picture.ts';

/** Distance from the first to the last tap of a window, and one: what it spans along an axis. */
export const spanOf = ({ kernel, dilations }: Windows, axis: number): number => (kernel[axis]! - 1) * dilations[axis]! + 1;

/** Number of windows along an axis of a picture. */
export const windowsAlong = (windows: Windows, from: Picture, axis: number): number =>
  Math.floor((from[axis + 1]! + windows.before[axis]! + windows.after[axis]! - spanOf(windows, axis)) / windows.strides[axis]!) +
  1;

/** Calls `visit` for every tap (first of the window at row y, column x) with its position in `size`, undefined outside. */
export function eachTap(
  windows: Windows,
  size: Picture,
  rows: number,
  columns: number,
  visit: (window: number, tap: number, position: number | undefined) => void,
): void {
  const { kernel, strides, dilations, before } = windows;
  const [, height, width] = size;
  for (let y = 0; y < rows; y++)
    for (let x = 0; x < columns; x++)
      for (let i = 0; i < kernel[0]; i++)
        for (let j = 0; j < kernel[1]; j++) {
          const row = y * strides[0]! + i * dilations[0]! - before[0]!;
          const column = x * strides[1]! + j * dilations[1]! - before[1]!;
          const inside = row >= 0 && row < height && column >= 0 && column < width;
          visit(y * columns + x, i * kernel[1] + j, inside ? row * width + column : undefined);
        }
}
