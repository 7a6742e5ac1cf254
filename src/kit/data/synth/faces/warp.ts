/** @file A smooth map of the plane that carries given points to given points: thin-plate splines (Bookstein 1989), smoothed (Wahba 1990). */
import type { Point } from './shape.ts';

/** r^2 log r, the kernel of least bending; from r^2. */
const kernel = (square: number): number => (square === 0 ? 0 : 0.5 * square * Math.log(square));

export type Warp = (x: number, y: number) => Point;

/**
 * The spline through `from[i] -> to[i]`. `smoothing` (in squared units of the plane) trades closeness for straightness; 0 passes through all points.
 * At least three points that are not on one line; throws where the system has no solution.
 */
export function thinPlate(from: readonly Point[], to: readonly Point[], smoothing = 0): Warp {
  const n = from.length;
  const size = n + 3;
  const rows = Array.from({ length: size }, () => new Float64Array(size + 2));
  for (const [i, a] of from.entries()) {
    const row = rows[i]!;
    for (const [j, b] of from.entries()) row[j] = kernel((a.x - b.x) ** 2 + (a.y - b.y) ** 2);
    row[i] = smoothing;
    for (const [k, v] of [1, a.x, a.y].entries()) {
      row[n + k] = v;
      rows[n + k]![i] = v;
    }
    row[size] = to[i]!.x;
    row[size + 1] = to[i]!.y;
  }
  eliminate(rows, size);
  const [wx, wy] = [rows.map((row) => row[size]!), rows.map((row) => row[size + 1]!)];
  return (x, y) => {
    let [u, v] = [wx[n]! + wx[n + 1]! * x + wx[n + 2]! * y, wy[n]! + wy[n + 1]! * x + wy[n + 2]! * y];
    for (let i = 0; i < n; i++) {
      const value = kernel((x - from[i]!.x) ** 2 + (y - from[i]!.y) ** 2);
      u += wx[i]! * value;
      v += wy[i]! * value;
    }
    return { x: u, y: v };
  };
}

/** Gauss-Jordan elimination with row pivots; the right-hand columns become the solutions. */
function eliminate(rows: Float64Array[], size: number): void {
  for (let k = 0; k < size; k++) {
    let best = k;
    for (let i = k + 1; i < size; i++) if (Math.abs(rows[i]![k]!) > Math.abs(rows[best]![k]!)) best = i;
    [rows[k], rows[best]] = [rows[best]!, rows[k]!];
    const pivot = rows[k]!;
    if (Math.abs(pivot[k]!) < 1e-12) throw new Error('the points of the warp lie on one line, or twice in one place');
    const scale = 1 / pivot[k]!;
    for (let j = k; j < pivot.length; j++) pivot[j] = pivot[j]! * scale;
    for (let i = 0; i < size; i++) {
      const row = rows[i]!;
      const factor = row[k]!;
      if (i === k || factor === 0) continue;
      for (let j = k; j < row.length; j++) row[j] = row[j]! - factor * pivot[j]!;
    }
  }
}

/** Where every sample of a square raster comes from: row-major coordinates. */
export interface Field {
  readonly x: Float64Array;
  readonly y: Float64Array;
}

/**
 * A warp over a raster of `width` x `width` samples that covers the square -1..1: computed on a grid of `cells` x `cells` and interpolated
 * in between, for a spline costs as much as it has points.
 */
export function fieldOf(warp: Warp, width: number, cells: number): Field {
  const side = cells + 1;
  const grid = { x: new Float64Array(side * side), y: new Float64Array(side * side) };
  for (let i = 0; i < side * side; i++) {
    const p = warp((2 * (i % side)) / cells - 1, (2 * Math.floor(i / side)) / cells - 1);
    grid.x[i] = p.x;
    grid.y[i] = p.y;
  }
  const spread = (values: Float64Array): Float64Array => {
    const out = new Float64Array(width * width);
    for (let row = 0; row < width; row++) {
      const v = ((row + 0.5) / width) * cells;
      const r = Math.floor(v);
      for (let column = 0; column < width; column++) {
        const u = ((column + 0.5) / width) * cells;
        const c = Math.floor(u);
        const [s, t, at] = [u - c, v - r, r * side + c];
        const [a, b, d, e] = [values[at]!, values[at + 1]!, values[at + side]!, values[at + side + 1]!];
        out[row * width + column] = (a * (1 - s) + b * s) * (1 - t) + (d * (1 - s) + e * s) * t;
      }
    }
    return out;
  };
  return { x: spread(grid.x), y: spread(grid.y) };
}
