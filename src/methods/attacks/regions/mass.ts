/** @file l2: the length of a change is mass; what one region gives up and what was never spent goes to another, as a bump added to what is there. */
import type { Stream } from '../../../core/tensor/random.ts';
import { type Canvas, coin, copyRegion, type Painter } from './painter.ts';
import { allColumns, type DrawOptions, drawCells, drawRegion, tiles } from './region.ts';

interface Filling {
  readonly shape: Float64Array;
  readonly sign: number;
  /** What was in the cells; overwritten. */
  readonly was: Float64Array;
  readonly before: number;
  readonly mass: number;
}

export function massMover({ part, field, ends, u, kept, short }: Canvas): Painter {
  const { threat, x } = part;
  const options: DrawOptions = { least: 3, odd: true, short };
  const { low, high } = ends;
  const unit = (i: number): number => threat.scale?.[i] ?? 1;
  const isFree = (i: number): boolean => low[i] !== 0 || high[i] !== 0;
  /** Squared length of what is kept, and of what is proposed; u is in the input's units, lengths are in those of the scale. */
  let spent = 0;
  let proposed = 0;
  let last: { columns: Int32Array; to: Int32Array; from: Int32Array } | undefined;
  /** The bumps of the size that is in use, by axis: sizes change ten times in a search. */
  const bumps = new Map<number, Float64Array>();
  let size = '';
  const drawBump = (sides: readonly number[], random: Stream): Float64Array => {
    const wide = sides.flatMap((side, k) => (side > 1 ? [k] : []));
    const axis = wide.length === 0 ? 0 : wide[random.integer(wide.length)]!;
    if (size !== sides.join()) bumps.clear();
    size = sides.join();
    const known = bumps.get(axis) ?? bump(sides, axis);
    bumps.set(axis, known);
    return known;
  };

  /** Empties a column's cells and returns the mass that was there; what was in them goes to `into`. */
  const empty = (column: number, cells: Int32Array, into?: Float64Array): number => {
    let mass = 0;
    for (let b = 0; b < cells.length; b++) {
      const i = column + cells[b]!;
      const v = u[i]! / unit(i);
      mass += v * v;
      if (into !== undefined) into[b] = v;
      u[i] = 0;
    }
    return mass;
  };
  /** Fills a column's empty cells with `mass` in the shape of a signed bump on top of what was there, of squared length `before`; returns what the bounds let through. */
  const fill = (column: number, cells: Int32Array, { shape, sign, was, before, mass }: Filling): number => {
    const length = Math.sqrt(before) + 1e-12;
    let sum = 0;
    for (let b = 0; b < cells.length; b++) {
      const v = isFree(column + cells[b]!) ? sign * shape[b]! + was[b]! / length : 0;
      was[b] = v;
      sum += v * v;
    }
    const factor = sum === 0 ? 0 : Math.sqrt(mass / sum);
    let through = 0;
    for (let b = 0; b < cells.length; b++) {
      const i = column + cells[b]!;
      u[i] = Math.min(high[i]!, Math.max(low[i]!, was[b]! * factor * unit(i)));
      through += (u[i]! / unit(i)) ** 2;
    }
    return through;
  };
  return {
    free: ends.free,
    begin(random) {
      const { boxes, sides } = tiles(field);
      const start = new Float32Array(x.length);
      const columns = allColumns(field);
      for (const cells of boxes) {
        const shape = drawBump(sides, random);
        for (const column of columns) {
          const sign = coin(random);
          for (let b = 0; b < cells.length; b++) {
            const i = column + cells[b]!;
            if (isFree(i)) start[i] = sign * shape[b]! * unit(i);
          }
        }
      }
      const size = threat.size(start);
      if (size > 0)
        u.set(
          threat.project(
            x,
            start.map((v) => (v / size) * threat.eps),
          ),
        );
      kept.set(u);
      spent = threat.size(u) ** 2;
    },
    propose(share, random) {
      const { columns, cells: to, sides } = drawRegion(field, share, random, options);
      const from = drawCells(field, sides, random, options);
      const shape = drawBump(sides, random);
      const was = new Float64Array(to.length);
      const unspent = Math.max(0, threat.eps ** 2 - spent) / columns.length;
      last = { columns, to, from };
      proposed = spent;
      for (const column of columns) {
        const before = empty(column, to, was);
        const freed = before + empty(column, from);
        const sign = coin(random);
        proposed += fill(column, to, { shape, sign, was, before, mass: unspent + freed }) - freed;
      }
      return true;
    },
    settle(keep) {
      const { columns, to, from } = last!;
      for (const cells of [to, from]) copyRegion(keep ? u : kept, keep ? kept : u, { columns, cells });
      if (keep) spent = Math.max(0, proposed);
    },
  };
}

/**
 * A box in two halves of opposite sign along an axis, each highest in its middle: at distance d from it (the largest along any axis) the height is
 * the sum of 1 / (m + 1)^2 for m from d to half the longest side. Either half and the whole have length 1.
 */
export function bump(sides: readonly number[], axis: number): Float64Array {
  const half = Math.floor((sides[axis] ?? 0) / 2);
  const all = new Float64Array(sides.reduce((product, side) => product * side, 1));
  const halves = [half, (sides[axis] ?? 1) - half];
  const inner = sides.slice(axis + 1).reduce((product, side) => product * side, 1);
  let share = 0;
  for (const [which, length] of halves.entries()) {
    if (length === 0) continue;
    const heap = hill(sides.map((side, k) => (k === axis ? length : side)));
    share++;
    // the half's rows along the axis, put back among those of the whole box
    const run = length * inner;
    for (let i = 0; i < heap.length; i++) {
      const outer = Math.floor(i / run);
      all[outer * (sides[axis] ?? 1) * inner + which * half * inner + (i % run)] = which === 0 ? heap[i]! : -heap[i]!;
    }
  }
  return all.map((v) => v / Math.sqrt(share));
}

function hill(sides: readonly number[]): Float64Array {
  const most = Math.max(1, ...sides.map((side) => Math.floor(side / 2) + 1));
  const height = new Float64Array(most + 1);
  for (let d = most - 1; d >= 0; d--) height[d] = height[d + 1]! + 1 / (d + 1) ** 2;
  const all = new Float64Array(sides.reduce((product, side) => product * side, 1));
  let sum = 0;
  for (let i = 0; i < all.length; i++) {
    let rest = i;
    let distance = 0;
    for (let k = sides.length - 1; k >= 0; k--) {
      const side = sides[k]!;
      distance = Math.max(distance, Math.abs((rest % side) - Math.floor(side / 2)));
      rest = Math.floor(rest / side);
    }
    all[i] = height[distance]!;
    sum += height[distance]! ** 2;
  }
  return all.map((v) => v / Math.sqrt(sum));
}
