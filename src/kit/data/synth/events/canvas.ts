/** @file Painting on a picture of intensities, edges smoothed over one pixel: what an event camera sees must not jump from pixel to pixel. */

export interface Canvas {
  readonly width: number;
  readonly height: number;
  /** Row-major [height, width]. */
  readonly values: Float32Array;
}

export type Point = readonly [x: number, y: number];

export const canvasOf = (width: number, height: number): Canvas => ({ width, height, values: new Float32Array(width * height) });

/** A line with round ends, `radius` wide to either side, in pixels; two equal ends make a disc. `opacity` 1 covers what is below. */
export function paintLimb(canvas: Canvas, from: Point, to: Point, radius: number, shade: number, opacity = 1): void {
  const { width, height, values } = canvas;
  const [ax, ay] = from;
  const [dx, dy] = [to[0] - ax, to[1] - ay];
  const reach = radius + 1;
  const left = Math.max(0, Math.floor(Math.min(ax, to[0]) - reach));
  const right = Math.min(width - 1, Math.ceil(Math.max(ax, to[0]) + reach));
  const top = Math.max(0, Math.floor(Math.min(ay, to[1]) - reach));
  const bottom = Math.min(height - 1, Math.ceil(Math.max(ay, to[1]) + reach));
  const square = dx * dx + dy * dy;
  for (let y = top; y <= bottom; y++) {
    for (let x = left; x <= right; x++) {
      const [px, py] = [x - ax, y - ay];
      const along = square === 0 ? 0 : Math.min(1, Math.max(0, (px * dx + py * dy) / square));
      const [rx, ry] = [px - along * dx, py - along * dy];
      const cover = opacity * Math.min(1, Math.max(0, radius + 0.5 - Math.sqrt(rx * rx + ry * ry)));
      if (cover > 0) {
        const i = y * width + x;
        values[i] = values[i]! * (1 - cover) + shade * cover;
      }
    }
  }
}
