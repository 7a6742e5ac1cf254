/** @file linf: a region goes to one end of its budget, up or down, each of its columns on its own. */
import { type Field, sums, whole } from './field.ts';
import { type Canvas, coin, copyRegion, type Painter } from './painter.ts';
import { allColumns, type DrawOptions, drawRegion, type Region } from './region.ts';

export function pusher({ field, ends, u, kept, short }: Canvas): Painter {
  const options: DrawOptions = { least: 1, odd: false, short };
  let last: Region | undefined;
  /** Whether anything changed. */
  const push = (column: number, cells: Int32Array, sign: number): boolean => {
    const end = sign > 0 ? ends.high : ends.low;
    let changed = false;
    for (let b = 0; b < cells.length; b++) {
      const i = column + cells[b]!;
      changed ||= u[i] !== end[i];
      u[i] = end[i]!;
    }
    return changed;
  };
  return {
    free: ends.free,
    begin(random) {
      const stripes = stripesOf(field);
      for (const column of allColumns(field)) for (const stripe of stripes) push(column, stripe, coin(random));
      kept.set(u);
    },
    propose(share, random) {
      last = drawRegion(field, share, random, options);
      let changed = false;
      for (const column of last.columns) changed = push(column, last.cells, coin(random)) || changed;
      return changed;
    },
    settle(keep) {
      copyRegion(keep ? u : kept, keep ? kept : u, last!);
    },
  };
}

/** The cells of every stripe: `stripe` indices across, the whole of the other extents. */
function stripesOf({ extents, across, stripe }: Field): Int32Array[] {
  if (across === undefined) return [Int32Array.of(0)];
  const others = extents.flat().filter((axis) => axis !== across);
  const lines = whole(across);
  return Array.from({ length: Math.ceil(lines.length / stripe) }, (_, k) =>
    sums([...others.map(whole), lines.slice(k * stripe, (k + 1) * stripe)]),
  );
}
